"""The target's files, live modules, exported programs, and what PyTorch cannot carry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.targets.base import Target, find_target
from convspec.targets.pytorch import TARGET, PyTorchOptions, export_pt2, to_torch
from convspec.weights.init import initial_weights
from tests.targets.pytorch.nets import inputs, module, random_weights, run, source, torch


def test_the_target_is_found_and_complete() -> None:
    found = find_target("pytorch")
    assert isinstance(found, Target)
    assert (found.name, found.suffix, found.options) == ("pytorch", ".py", PyTorchOptions)


def test_the_files_load_as_a_user_would_load_them(tmp_path: Path) -> None:
    of = module("conditional")
    weights = random_weights(of)
    artifact = TARGET.emit(of, weights, PyTorchOptions(stem="mobile"))
    assert list(artifact.files) == ["mobile.py", "mobile.safetensors"]
    artifact.write(tmp_path)
    arrays = inputs(of)
    np.save(tmp_path / "x.npy", arrays["image"])
    script = (
        "import numpy, safetensors.torch, torch; from mobile import Mobile; model = Mobile().eval();"
        "model.load_state_dict(safetensors.torch.load_file('mobile.safetensors'));"
        "numpy.save('y.npy', model(torch.from_numpy(numpy.load('x.npy'))).detach().numpy())"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True)
    assert np.array_equal(np.load(tmp_path / "y.npy"), run(to_torch(of, weights), arrays)[0])


def test_a_network_without_weights_has_no_weights_file() -> None:
    of = loads("model Plain { input x: float32[N, 2, 4, 4]  output x -> relu }")
    artifact = TARGET.emit(of, {}, PyTorchOptions())
    assert list(artifact.files) == ["Plain.py"]
    assert "safetensors" not in artifact.text()


def test_options_choose_the_form() -> None:
    of = module("counts")
    weights = initial_weights(of.graph)
    readable, straight = (TARGET.emit(of, weights, PyTorchOptions(straight=s)).text() for s in (False, True))
    assert "for _ in range(2):" in readable
    assert "for " not in straight.partition("class ")[2]


def test_the_same_text_twice() -> None:
    text = source("inception").text
    assert source.__wrapped__("inception").text == text


def test_live_modules_are_in_inference_mode_and_hold_copies() -> None:
    of = module("lenet")
    weights = random_weights(of)
    network = to_torch(of, weights)
    assert not network.training
    with torch.no_grad():
        network.conv1.weight.zero_()
    assert weights["conv1.weight"].any()


@pytest.mark.parametrize("name", ["lenet", "conditional", "outputs", "two_outputs", "three_d", "zip_loops"])
def test_exported_programs_take_other_sizes(name: str, tmp_path: Path) -> None:
    of = module(name)
    weights = random_weights(of)
    path = export_pt2(of, weights, tmp_path / "net.pt2")
    program = torch.export.load(path).module()
    for batch, size in ((1, 2), (5, 3)):
        arrays = inputs(of, batch, size)
        for one, other in zip(run(program, arrays), run(to_torch(of, weights), arrays), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["densenet", "groups"])
def test_autocast_and_channels_last(name: str) -> None:
    network = to_torch(module(name), random_weights(module(name)))
    x = torch.from_numpy(inputs(module(name))[next(iter(inputs(module(name))))])
    with torch.no_grad():
        plain = network(x)
        last = network.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
        assert torch.allclose(plain, last, rtol=1e-4, atol=1e-5)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert network(x).dtype == torch.bfloat16


@pytest.mark.parametrize("label", ["forward", "training", "train", "a.children", "_modules", "type"])
def test_labels_that_every_module_has_already_are_errors(label: str) -> None:
    of = loads(f'model M {{ input x: float32[N, 2, 4, 4]  output x -> "{label}": conv(2, 1x1) }}')
    with pytest.raises(Failure) as caught:
        TARGET.emit(of, initial_weights(of.graph), PyTorchOptions())
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "CNN091"
    assert label.rpartition(".")[2] in diagnostic.message
    assert diagnostic.primary is not None


def test_compiling_imports_no_framework() -> None:
    script = (
        "import sys; from convspec.elaborate import loads; from convspec.targets.pytorch import TARGET, PyTorchOptions;"
        "from convspec.weights.init import initial_weights;"
        "m = loads('model M { input x: float32[N, 2, 4, 4]  output x -> conv(2, 1x1) }');"
        "TARGET.emit(m, initial_weights(m.graph), PyTorchOptions());"
        "assert not {'torch', 'tensorflow', 'keras', 'onnx'} & set(sys.modules), 'imported'"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
