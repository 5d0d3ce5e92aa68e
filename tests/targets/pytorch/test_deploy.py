"""`--emit deploy`: the same numbers as the reference, nothing overwritten that is read later, and torch alone."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convspec import load, loads
from convspec.api import Net
from convspec.ir.types import Array
from convspec.passes import optimise
from convspec.precision import lower
from convspec.runtime.reference import evaluate
from convspec.targets.pytorch.deploy import deploy, emit_deploy, to_deployed
from convspec.weights.randomised import randomised

EXAMPLES = Path(__file__).parents[3] / "examples"
Make = Callable[[Net], Any]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Emits a network with weights under which every layer matters, and loads what was emitted."""

    def make(net: Net) -> Any:
        path, _ = emit_deploy(net.module, randomised(net.module.graph, 0), tmp_path / "net")
        spec = importlib.util.spec_from_file_location("net_deploy", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "net_deploy", module)
        spec.loader.exec_module(module)
        return module.load()

    return make


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def agrees(net: Net, model: Any, *arrays: Array) -> None:
    """Twice, with the inputs as they were afterwards."""
    graph = net.module.graph
    names = [item.value.name for item in graph.inputs]
    expected = evaluate(graph, randomised(graph, 0), dict(zip(names, arrays, strict=True))).outputs
    tensors = [torch.tensor(array) for array in arrays]
    for _ in range(2):
        results = model(*tensors)
        found = {graph.outputs[0].name: results} if len(graph.outputs) == 1 else results
        for name, array in expected.items():
            assert found[name].shape == array.shape
            assert np.abs(found[name].numpy() - array).max() <= 1e-5 * max(1e-3, np.abs(array).max()), name
    for tensor, array in zip(tensors, arrays, strict=True):
        np.testing.assert_array_equal(tensor.numpy(), array)


@pytest.mark.parametrize(
    ("name", "model", "shape"),
    [
        ("lenet5.cnn", None, (2, 1, 28, 28)),
        ("resnet.cnn", "ResNet18", (1, 3, 64, 64)),
        ("unet.cnn", "UNet3D", (1, 1, 8, 8, 8)),
        ("sequence.cnn", None, (2, 4, 40)),
        ("googlenet.cnn", None, (1, 3, 64, 64)),
    ],
)
def test_examples(made: Make, name: str, model: str | None, shape: tuple[int, ...]) -> None:
    net = load(EXAMPLES / name, model)
    agrees(net, made(net), numbers(*shape))


BODIES = {
    "an input is the caller's": "output x -> relu",
    "an input is the caller's behind a view": "output x -> flatten -> relu",
    "read later": "y = x -> conv(4, 3x3, pad = 1)\nz = y -> relu\noutput y + z",
    "read later by an output": "y = x -> conv(4, 3x3)\noutput a = y\noutput b = y -> hardswish",
    "read before, by a view": "y = x -> conv(4, 3x3)\nf = y -> flatten\noutput b = y -> silu -> global_avgpool\noutput a = f",
    "a view that is overwritten": "y = x -> conv(4, 3x3)\noutput a = y -> flatten -> relu\noutput b = y -> global_avgpool",
    "gates": "y = x -> conv(4, 3x3) -> hardswish\ng = y -> global_avgpool -> conv(4, 1x1) -> hardsigmoid\noutput y * g",
    "a gate on a smaller tensor": "y = x -> conv(4, 3x3)\ng = y -> global_avgpool -> conv(4, 1x1) -> sigmoid\noutput g * y",
    "to itself": "y = x -> conv(4, 3x3)\noutput y + y",
    "residuals": "y = x -> conv(4, 3x3, pad = 1)\nz = y -> relu -> conv(4, 1x1)\nw = z + y\noutput w + z",
    "the input added": "output (x -> conv(3, 1x1)) + x",
    "added to the input": "output x + (x -> conv(3, 1x1))",
    "activations in a row": "output x -> conv(4, 3x3) -> relu6 -> sigmoid -> silu",
    "outputs twice": "y = x -> conv(4, 3x3) -> relu\noutput a = y\noutput b = y",
    "nothing at all": "output x",
    "pieces": "a, b = x -> conv(4, 3x3) -> split(2)\noutput relu = a -> relu\noutput both = a + b",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_nothing_is_overwritten_that_is_read(made: Make, body: str) -> None:
    net = loads("model M {\ninput x: float32[N, 3, 6, 6]\n" + body + "\n}")
    agrees(net, made(net), numbers(2, 3, 6, 6))


def test_what_is_not_read_any_more_is_overwritten() -> None:
    net = loads(
        "model M {\ninput x: float32[N, 3, 6, 6]\ny = x -> conv(3, 1x1) -> relu\noutput (y -> conv(3, 1x1) -> relu) + y\n}"
    )
    text = deploy(net.module, net.weights, "m").text()
    assert "torch.relu_(x1)" in text and ".add_(" in text


def test_intermediate_tensors_take_turns_under_few_names() -> None:
    net = load("zoo:resnet18")
    text = deploy(net.module, net.weights, "m").text()
    assert "x2 = " in text and "x3 = " not in text


def test_labels_that_meet_when_they_are_flattened_stay_apart(made: Make) -> None:
    text = "block B(x: tensor) {\n    return x -> b: conv(3, 1x1) -> relu\n}\nmodel M {\ninput x: float32[N, 3, 4, 4]\n"
    text += "y = x -> a: B() -> relu -> a_b: conv(3, 1x1) -> relu -> load: conv(2, 1x1) -> relu -> x1: conv(2, 1x1)\n"
    net = loads(text + "output y -> tanh\n}")
    names = re.findall(r"self\.(\w+) = nn.Conv2d", deploy(net.module, net.weights, "m").text())
    assert len(names) == len(set(names)) == 4
    agrees(net, made(net), numbers(1, 3, 4, 4))


def test_it_needs_torch_alone(tmp_path: Path) -> None:
    net = load(EXAMPLES / "lenet5.cnn")
    text = emit_deploy(net.module, net.weights, tmp_path / "net")[0].read_text()
    imported = {alias.name for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Import) for alias in each.names}
    imported |= {str(each.module) for each in ast.walk(ast.parse(text)) if isinstance(each, ast.ImportFrom)}
    assert imported <= {"json", "pathlib", "torch", "torch.nn.functional"}


def test_it_is_for_inference_and_channels_last(made: Make) -> None:
    model = made(load(EXAMPLES / "resnet.cnn", "ResNet18"))
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model.get_parameter("layer1_0_conv1.weight").is_contiguous(memory_format=torch.channels_last)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in model.modules())
    assert model(torch.ones(1, 3, 32, 32)).is_inference()


def test_a_network_in_bfloat16_stays_in_it() -> None:
    net = load(EXAMPLES / "lenet5.cnn")
    weights = randomised(net.module.graph, 0)
    lean = optimise(net.module, weights, 1, "pytorch")
    low = lower(lean.module, lean.weights, "bf16")
    model = to_deployed(low.module, low.weights)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    x = numbers(2, 1, 28, 28)
    expected = evaluate(net.module.graph, weights, {"image": x}).outputs["logits"]
    with torch.inference_mode():
        found = model(torch.tensor(x)).numpy()
    assert 1e-5 < np.abs(found - expected).max() / np.abs(expected).max() < 3e-2


def test_from_the_api(tmp_path: Path) -> None:
    net = load(EXAMPLES / "lenet5.cnn")
    files = net.compile("pytorch", tmp_path / "lenet.py", emit=["deploy"])
    assert [path.name for path in files] == ["lenet.py", "lenet.safetensors", "lenet_deploy.py", "lenet_deploy.safetensors"]
