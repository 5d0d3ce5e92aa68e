"""From framework to framework and back: not one bit of a weight changes, and every framework computes the same with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convspec
from convspec.ir.types import Array
from convspec.weights import sinks
from convspec.weights.convert import convert
from convspec.weights.randomised import randomised

SPEC = """model Trip {
    input x: float32[N, 2, 9, 8]
    h = x -> conv1: conv(6, 3x2, stride = 2, bias = false) -> bn1: batchnorm -> act: prelu
    d = h -> dw: depthwise_conv(3x3, pad = same, multiplier = 2) -> relu
    u = d -> up: conv_transpose(5, 3x3, stride = 2, output_padding = 1) -> bn2: batchnorm
    s = u -> sep: separable_conv(4, 3x3, pad = same) -> groups: conv(6, 3x3, groups = 2)
    output y = s -> flatten -> fc1: linear(7) -> relu -> fc2: linear(3)
}
"""
FROZEN = ("conv1.", "dw.", "fc1.")
SUFFIXES = (".safetensors", ".pt", ".weights.h5", ".keras", ".onnx")


def net(weights: Any = None) -> convspec.api.Net:
    return convspec.loads(SPEC, weights=weights)


def first_weights() -> dict[str, Array]:
    return randomised(net().module.graph, 3)


def trained() -> dict[str, Array]:
    """A few steps of SGD in PyTorch on all but the frozen layers, from weights that matter everywhere."""
    import torch

    model = net(first_weights()).to_torch().train()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(FROZEN))
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.01, momentum=0.9)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        optimiser.zero_grad()
        model(torch.randn(4, 2, 9, 8, generator=generator)).square().mean().backward()
        optimiser.step()
    torch.save(model.state_dict(), "trained.pt")
    return {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}


def same_bytes(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
    assert list(found) == list(net().module.graph.parameters())
    for name, array in found.items():
        assert array.dtype == wanted[name].dtype
        assert array.shape == wanted[name].shape
        assert array.tobytes() == wanted[name].tobytes(), name


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_trained_in_pytorch_then_keras_then_onnx(here: Path) -> None:
    after = trained()
    before = first_weights()
    changed = {name for name, array in before.items() if array.tobytes() != after[name].tobytes()}
    assert changed == {name for name in before if not name.startswith(FROZEN)}
    module = net().module
    held = convert(module, "trained.pt").weights
    for path in ("a.safetensors", "b.keras", "c.weights.h5", "d.onnx", "e.pt", "f.safetensors"):
        sinks.write(path, module, held)
        held = convert(module, path).weights
        same_bytes(held, after)
    assert Path("a.safetensors").read_bytes() == Path("f.safetensors").read_bytes()


def test_every_framework_computes_the_same_with_its_own_file(here: Path) -> None:
    import keras
    import onnxruntime
    import torch

    weights = first_weights()
    for suffix in SUFFIXES:
        sinks.write(f"w{suffix}", net().module, weights)
    x = np.random.default_rng(0).normal(size=(2, 2, 9, 8)).astype(np.float32)
    wanted = net(weights).run(x, runtime="reference")["y"]
    model = net().to_torch()
    model.load_state_dict(torch.load("w.pt", weights_only=True), strict=False)
    with torch.no_grad():
        found = {"torch": model(torch.from_numpy(x)).numpy()}
    last = np.moveaxis(x, 1, -1)
    found["keras"] = keras.ops.convert_to_numpy(keras.models.load_model("w.keras")(last))
    rebuilt = net().to_keras()
    rebuilt.load_weights("w.weights.h5")
    found["weights.h5"] = keras.ops.convert_to_numpy(rebuilt(last))
    found["onnx"] = np.asarray(onnxruntime.InferenceSession("w.onnx").run(None, {"x": x})[0])
    for name, y in found.items():
        assert np.abs(y - wanted).max() <= 1e-5 * np.abs(wanted).max(), name


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_network_takes_any_of_them(here: Path, suffix: str) -> None:
    weights = first_weights()
    sinks.write(f"w{suffix}", net().module, weights)
    same_bytes(net(f"w{suffix}").weights, weights)


def test_training_in_keras_comes_back(here: Path) -> None:
    """The layers that Keras trained are the spec's; the rest is untouched to the bit."""
    import keras

    module = net().module
    before = first_weights()
    model = net(before).to_keras()
    for layer in model.layers:
        layer.trainable = layer.name == "fc1"
    model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=False)
    x = np.random.default_rng(0).normal(size=(4, 9, 8, 2)).astype(np.float32)
    model.fit(x, np.zeros((4, 3), np.float32), epochs=2, verbose=0)
    model.save_weights("k.weights.h5")
    found = convert(module, "k.weights.h5").weights
    changed = {name for name, array in before.items() if array.tobytes() != found[name].tobytes()}
    assert changed == {"fc1.weight", "fc1.bias"}
    canonical = np.random.default_rng(1).normal(size=(2, 2, 9, 8)).astype(np.float32)
    ours = net(found).run(canonical, runtime="reference")["y"]
    theirs = keras.ops.convert_to_numpy(model(np.moveaxis(canonical, 1, -1)))
    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(ours).max()
