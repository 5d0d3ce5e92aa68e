"""Every construct of the language, generated, run, and compared."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec.runtime.reference import evaluate
from tests.targets.pytorch.nets import inputs, live, module, random_weights, run, source, torch
from tests.targets.pytorch.specs import ALL, FALLBACKS, SPECS

FLOAT32 = sorted(set(ALL) - {"low_precision", "low_precision_with_a_cast", "mixed_precision"})
COMPILED = ["conditional", "counts", "densenet", "hostile", "inception", "outputs", "shared_in_loop", "unpacking", "zip_loops"]


def scaled_error(found: Any, wanted: Any) -> float:
    assert found.shape == wanted.shape
    assert np.abs(wanted).max() > 0
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("name", sorted(SPECS))
def test_the_readable_form_says_every_construct(name: str) -> None:
    assert source(name).notes == ()


@pytest.mark.parametrize("name", sorted(FALLBACKS))
def test_what_it_has_no_words_for_is_said_and_right(name: str) -> None:
    (note,) = source(name).notes
    assert "is written out" in note
    assert f"Note: {note}." in source(name).text


@pytest.mark.parametrize("name", FLOAT32)
def test_both_forms_agree_to_the_bit_and_with_the_reference(name: str) -> None:
    weights, arrays = random_weights(module(name)), inputs(module(name))
    readable, straight = (run(live(source(name, straight), weights), arrays) for straight in (False, True))
    for one, other in zip(readable, straight, strict=True):
        assert np.array_equal(one, other)
    for one, wanted in zip(readable, evaluate(module(name).graph, weights, arrays).outputs.values(), strict=True):
        assert scaled_error(one, wanted) < 1e-5


@pytest.mark.parametrize("name", FLOAT32)
def test_another_batch_and_size(name: str) -> None:
    weights, arrays = random_weights(module(name)), inputs(module(name), batch=3, size=3, seed=1)
    for one, wanted in zip(
        run(live(source(name), weights), arrays), evaluate(module(name).graph, weights, arrays).outputs.values(), strict=True
    ):
        assert scaled_error(one, wanted) < 1e-5


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_keys_of_the_state_dict_are_the_labels(name: str) -> None:
    network = live(source(name), random_weights(module(name)))
    keys = {key for key in network.state_dict() if not key.endswith("num_batches_tracked")}
    assert keys == set(module(name).graph.parameters())


@pytest.mark.parametrize("name", FLOAT32)
def test_gradients_flow_to_every_parameter(name: str) -> None:
    network = live(source(name), random_weights(module(name))).double()
    result = network(*(torch.from_numpy(a).double().requires_grad_() for a in inputs(module(name)).values()))
    tensors = list(result.values()) if isinstance(result, dict) else [result]
    sum((tensor**2).sum() for tensor in tensors).backward()
    unreached = [key for key, parameter in network.named_parameters() if parameter.grad is None]
    assert unreached == (["gone.weight", "gone.bias"] if name == "unused" else [])
    assert all(tensor.dtype == torch.float64 for tensor in tensors)


@pytest.mark.parametrize("name", COMPILED)
def test_torch_compile_takes_it_whole(name: str) -> None:
    network, arrays = live(source(name), random_weights(module(name))), inputs(module(name))
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    for one, other in zip(run(compiled, arrays), run(network, arrays), strict=True):
        assert np.array_equal(one, other)
    torch.compiler.reset()


def test_formatters_and_linters_have_nothing_to_say(tmp_path: Path) -> None:
    for name in ALL:
        for form in (False, True):
            (tmp_path / f"{name}_{form}.py").write_text(source(name, form).text, encoding="utf-8")
    for command in (["format", "--line-length", "100", "--diff"], ["check", "--isolated"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", str(tmp_path)]
        result = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


def test_no_code_is_made_at_run_time() -> None:
    assert [name for name in ALL if re.search(r"\b(exec|eval)\(", source(name).text)] == []


def test_it_imports_nothing_but_torch_and_the_standard_library() -> None:
    imported = {
        line.split()[1].partition(".")[0] for name in SPECS for line in source(name).text.splitlines() if _imports(line)
    }
    assert imported <= {"torch", "math", "operator", "functools", "collections"}


def _imports(line: str) -> bool:
    return line.startswith(("import ", "from ")) and not line.startswith("from torch import nn")


def test_one_low_precision_network_has_its_dtype() -> None:
    network = live(source("low_precision"), random_weights(module("low_precision")))
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float16}


def test_layers_of_one_network_may_differ_in_dtype() -> None:
    network = live(source("mixed_precision"), random_weights(module("mixed_precision")))
    assert {name: parameter.dtype for name, parameter in network.named_parameters() if name.endswith("weight")} == {
        "conv1.weight": torch.float16,
        "conv2.weight": torch.float32,
        "linear1.weight": torch.float32,
    }
    assert network(torch.zeros(2, 2, 6, 6, dtype=torch.float16), torch.zeros(2, 4)).dtype == torch.float32


def test_a_cast_to_float32_gives_float32_behind_layers_of_low_precision() -> None:
    network = live(source("low_precision_with_a_cast"), random_weights(module("low_precision_with_a_cast")))
    assert network(torch.zeros(2, 2, 6, 6, dtype=torch.float16)).dtype == torch.float32
