# `make demo` and `make test` need Python 3.11 or newer and nothing else; both set up what they use, once.
PYTHON ?= python3
PIP_FLAGS := --quiet --disable-pip-version-check -c constraints.txt
DEMO := .venv-demo
FULL := .venv

export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test lint types browser pytest coverage fuzz zoo bench gpu wheel editor reference tables clean

demo: $(DEMO)/ready
	@mkdir -p build
	@$(DEMO)/bin/convspec compile examples/lenet5.cnn --target onnx --weights examples/lenet5.safetensors -o build/lenet5.onnx
	@$(DEMO)/bin/convspec run build/lenet5.onnx --input examples/digits --top 1

test: lint types pytest wheel

lint: $(FULL)/ready
	$(FULL)/bin/ruff check .
	$(FULL)/bin/ruff format --check .

types: $(FULL)/ready
	$(FULL)/bin/mypy

# A Chromium for the tests of the pages that `convspec draw` writes; installed where there is none and that can be done.
browser: $(FULL)/ready
	@$(FULL)/bin/python -m tests.draw.html.browser

# TensorFlow's CPU kernels are others with oneDNN and without it: the matrix holds in both modes.
pytest: $(FULL)/ready browser
	$(FULL)/bin/python -m pytest -n 2
	TF_ENABLE_ONEDNN_OPTS=0 $(FULL)/bin/python -m pytest -n 2 -q tests/conformance/test_matrix.py tests/conformance/test_nasty.py -k tensorflow

# Which lines and branches the tests reach; a quarter slower than without.
coverage: $(FULL)/ready browser
	$(FULL)/bin/python -m pytest -n 2 --cov --cov-report=term:skip-covered

# Random specs, new ones each time: `make fuzz N=5000`.
N ?= 1000
fuzz: $(FULL)/ready
	CONVSPEC_FUZZ=$(N) $(FULL)/bin/python -m pytest -s tests/fuzz

# Every network of the zoo on every target, and those of the tests that are too large for `make test`. Writes docs/zoo.md.
zoo: $(FULL)/ready
	$(FULL)/bin/python -m convspec.zoo.index
	$(FULL)/bin/python -m pytest -n 2 -m zoo
	$(FULL)/bin/python -m tests.zoo.report

# Every figure of the README, with pass or fail: half an hour on a machine that has nothing else to do.
bench: $(FULL)/ready
	$(FULL)/bin/python -m benchmarks

# The VS Code extension. Needs npm, and node 20 or newer.
editor: $(FULL)/ready
	cd editors/vscode && npm ci && npm run build && npm test
	CONVSPEC_EDITOR=1 $(FULL)/bin/python -m pytest -q tests/editors

# What needs a CUDA device; without one it says so and does nothing.
gpu: $(FULL)/ready
	$(FULL)/bin/python -m pytest -rs -m gpu tests/gpu
	$(FULL)/bin/python -m benchmarks.gpu --json benchmarks/results/gpu.json

# The wheel must work on its own, in an empty environment, away from the checkout.
wheel: $(FULL)/ready
	rm -rf build/wheel && mkdir -p build/wheel
	$(FULL)/bin/pip wheel $(PIP_FLAGS) --no-deps --wheel-dir build/wheel .
	$(PYTHON) -m venv build/wheel/env
	build/wheel/env/bin/pip install $(PIP_FLAGS) build/wheel/convspec-*.whl
	cp examples/lenet5.cnn build/wheel/
	cd build/wheel && env/bin/convspec compile lenet5.cnn --target onnx && test -s lenet5.onnx
	cd build/wheel && env/bin/convspec compile lenet5.cnn --target pytorch && test -s lenet5.py
	cd build/wheel && mkdir keras && env/bin/convspec compile lenet5.cnn --target tensorflow -o keras/lenet5.py && test -s keras/lenet5.py

$(DEMO)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/pip install $(PIP_FLAGS) -e ".[cpu]"
	@touch $@

$(FULL)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(FULL)
	$(FULL)/bin/pip install $(PIP_FLAGS) -e ".[dev]"
	@touch $@

# After a change of a layer, of the library, of a message or of a command: what of the documents and the editor is made from them.
reference: $(FULL)/ready
	$(FULL)/bin/python -m convspec.explain.write docs
	$(FULL)/bin/python editors/vscode/scripts/grammar.py
	$(FULL)/bin/python -m tests.tour

# After a change of the grammar.
tables: $(FULL)/ready
	$(FULL)/bin/python -c "from convspec.syntax import tables; tables.write()"

clean:
	rm -rf build dist $(DEMO) $(FULL) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
