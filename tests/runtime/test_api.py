"""The Python API: load, look, compile, convert, run, and what stays light."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import convspec
from convspec.elaborate import Module
from tests.runtime.helpers import SMALL, TWO, codes, random, told

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.cnn").write_text(SMALL)


def test_importing_convspec_brings_in_nothing_heavy() -> None:
    code = (
        "import convspec, sys; convspec.load, convspec.Failure, convspec.__version__; "
        "print(*{'numpy', 'onnx', 'torch', 'tensorflow', 'keras', 'onnxruntime', 'PIL', 'rich', 'click'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "\n"


def test_importing_convspec_alone_imports_nothing_of_it() -> None:
    code = "import convspec, sys; print(*sorted(m for m in sys.modules if m.startswith('convspec')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "convspec convspec.version\n"


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == convspec.__version__
    assert (ROOT / "convspec" / "py.typed").exists()


def test_what_the_package_offers() -> None:
    assert {"Diagnostic", "Failure", "Net", "load", "loads", "__version__"} <= set(dir(convspec))
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        _ = convspec.lode


def test_load_by_file_model_and_settings() -> None:
    Path("two.cnn").write_text(SMALL + "model Big = Small(classes = 9)\n")
    net = convspec.load("two.cnn", model="Big")
    assert repr(net) == "<convspec.Net Big>"
    assert isinstance(net.module, Module)
    assert net.weights["fc.weight"].shape == (9, 48)
    assert convspec.load(Path("small.cnn"), settings={"classes": 5}).weights["fc.bias"].shape == (5,)
    assert codes(lambda: convspec.load("two.cnn")) == ["CNN014"]
    assert codes(lambda: convspec.load("small.cnn", settings={"clases": 5})) == ["CNN022"]


def test_a_tuple_is_a_size() -> None:
    text = "model Net(kernel: size) {\ninput x: float32[N, 1, 8, 8]\noutput x -> c: conv(1, kernel)\n}"
    assert convspec.loads(text, settings={"kernel": (3, 5)}).weights["c.weight"].shape == (1, 1, 3, 5)


def test_budgets_are_checked() -> None:
    text = SMALL.replace("    output", "    assert params < 10\n    output")
    assert codes(lambda: convspec.loads(text)) == ["CNN070"]


def test_weights_by_seed_file_and_mapping() -> None:
    first, same, other = (convspec.load("small.cnn", seed=seed).weights for seed in (1, 1, 2))
    np.testing.assert_array_equal(first["fc.weight"], same["fc.weight"])
    assert not np.array_equal(first["fc.weight"], other["fc.weight"])
    path = convspec.load("small.cnn", seed=1).save_weights("w.safetensors")
    for source in (path, "w.safetensors", dict(reversed(first.items()))):
        loaded = convspec.load("small.cnn", weights=source).weights
        assert list(loaded) == list(first)
        for name, array in first.items():
            np.testing.assert_array_equal(loaded[name], array)
    assert codes(lambda: convspec.load("small.cnn", weights="no.safetensors").weights) == ["CNN200"]
    assert codes(lambda: convspec.load("small.cnn", weights={"a": np.zeros(1)}).weights) == ["CNN201"]


def test_compiled_files_are_named_like_the_spec_or_the_model() -> None:
    net = convspec.load("small.cnn")
    assert net.compile("onnx") == [Path("small.onnx")]
    assert net.compile("pytorch", "net.v2.py") == [Path("net.v2.py"), Path("net.v2.safetensors")]
    Path("out").mkdir()
    assert convspec.load("small.cnn", model="Small").compile("tensorflow", "out") == [
        Path("out/Small.py"),
        Path("out/Small.safetensors"),
    ]
    assert convspec.loads(SMALL).compile("onnx", "out/") == [Path("out/Small.onnx")]
    assert net.to_onnx("x.onnx", external_data=True) == [Path("x.onnx"), Path("x.onnx.data")]


def test_compile_options_that_do_not_fit() -> None:
    net = convspec.load("small.cnn")
    table = {
        ("onnx", "a.py"): "error[CNN401]: the target onnx writes .onnx files, not a.py\n"
        "  = name a file that ends in .onnx, or a folder that exists",
        ("onxx", None): "error[CNN401]: there is no target `onxx`",
        ("onnx", "no/a.onnx"): "error[CNN400]: cannot write no/a.onnx: the folder no does not exist",
    }
    for (target, path), message in table.items():
        assert told(lambda t=target, p=path: net.compile(t, p)).startswith(message)  # type: ignore[misc]
    assert told(lambda: net.compile("pytorch", opset=17)) == (
        "error[CNN401]: the target pytorch has no option `opset`\n  = it has straight"
    )
    assert told(lambda: net.compile("pytorch", emit=["keras"])) == (
        "error[CNN401]: the target pytorch cannot emit `keras`\n  = it also writes pt2 and deploy"
    )
    assert told(lambda: net.compile("onnx", emit=["pt2"])) == (
        "error[CNN401]: the target onnx cannot emit `pt2`\n  = pytorch also writes pt2 and deploy; "
        "tensorflow also writes keras and savedmodel"
    )
    assert sorted(path.name for path in Path().iterdir()) == ["small.cnn"]


def test_packages_beside_the_sources() -> None:
    net = convspec.load("small.cnn")
    assert net.compile("pytorch", emit=["pt2"])[-1] == Path("small.pt2")
    assert net.compile("tensorflow", "k.py", emit=["keras", "savedmodel"])[-2:] == [Path("k.keras"), Path("k_savedmodel")]
    assert Path("small.pt2").stat().st_size > 0 and Path("k.keras").stat().st_size > 0
    assert Path("k_savedmodel/saved_model.pb").exists()


def test_live_modules() -> None:
    net = convspec.load("small.cnn")
    torch_module = net.to_torch()
    assert sorted(torch_module.state_dict()) == sorted(net.weights)
    assert not torch_module.training
    assert net.to_keras().count_params() == sum(array.size for array in net.weights.values())


def test_run_takes_an_array_or_several_by_name() -> None:
    net = convspec.load("small.cnn")
    x = random(2, 1, 8, 8)
    logits = net.run(x, runtime="reference")["logits"]
    for given in (x, {"image": x}, x.tolist()):
        np.testing.assert_allclose(net.run(given, device="cpu")["logits"], logits, atol=1e-5)
    two = convspec.loads(TWO)
    assert set(two.run({"left": random(1, 2, 2, 2), "right": random(1, 2, 2, 2)}, "reference")) == {"sum", "max.0"}
    assert codes(lambda: two.run(random(1, 2, 2, 2), "reference")) == ["CNN302"]
    assert codes(lambda: net.run(random(1, 1, 9, 9), "reference")) == ["CNN301"]
    assert codes(lambda: net.run(x, "reference", device="cuda")) == ["CNN304"]


def test_what_is_changed_on_the_way_in_is_a_warning() -> None:
    net = convspec.load("small.cnn")
    with pytest.warns(UserWarning, match="the data: float64 rounded to float32") as caught:
        net.run(random(1, 1, 8, 8) / np.float64(3), "reference")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("junk", [[[1.0], [2.0, 3.0]], object(), "text", None])
def test_what_is_no_array_is_told(junk: object) -> None:
    assert codes(lambda: convspec.load("small.cnn").run(junk, "reference")) == ["CNN301"]  # type: ignore[arg-type]


def test_sessions_are_kept() -> None:
    net = convspec.load("small.cnn")
    assert net.session("reference") is net.session("reference")
    assert net.session("reference") is not net.session("reference", "cpu")


def test_summary() -> None:
    table = convspec.load("small.cnn").summary({"N": 1})
    assert table.to_json()["sizes"] == {"N": 1}
    assert str(table).startswith("Small(image: float32[1, 1, 8, 8])")
