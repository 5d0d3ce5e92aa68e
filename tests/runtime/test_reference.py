"""The reference runtime against sums done by hand and against PyTorch in float64."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from convspec.runtime.base import ModelFile, RunOptions
from convspec.runtime.reference import RUNTIME, evaluate
from tests.runtime.helpers import SMALL, TWO, codes, module, network, random, told


def test_a_network_agrees_with_pytorch_in_float64() -> None:
    small = network(SMALL)
    x = random(3, 1, 8, 8)
    weights = {name: torch.tensor(array).double() for name, array in small.weights.items()}
    y = torch.nn.functional.conv2d(torch.tensor(x).double(), weights["conv1.weight"], weights["conv1.bias"], padding=1)
    y = torch.nn.functional.max_pool2d(y.relu(), 2).flatten(1) @ weights["fc.weight"].T + weights["fc.bias"]
    result = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, y.numpy(), rtol=0, atol=1e-14)


def test_every_intermediate_value_on_request() -> None:
    small = network(SMALL)
    x = random(2, 1, 8, 8)
    kept = evaluate(small.module.graph, small.weights, {"image": x}, keep=True)
    assert list(kept.values) == ["image", "conv1", "relu1", "maxpool1", "flatten1", "fc"]
    np.testing.assert_array_equal(kept.values["relu1"], np.maximum(kept.values["conv1"], 0))
    np.testing.assert_array_equal(kept.values["flatten1"], kept.values["maxpool1"].reshape(2, 48))
    assert kept.outputs["logits"] is kept.values["fc"]
    assert kept.sizes == {"N": 2}
    assert evaluate(small.module.graph, small.weights, {"image": x}).values == {}


def test_several_inputs_and_outputs_in_a_chosen_dtype() -> None:
    left, right = random(1, 2, 4, 6), random(1, 2, 4, 6, seed=1)
    made = evaluate(module(TWO).graph, {}, {"left": left, "right": right}, "float32")
    assert set(made.outputs) == {"sum", "max.0"}
    assert made.outputs["sum"].dtype == np.float32
    np.testing.assert_array_equal(made.outputs["sum"], left + right)
    np.testing.assert_array_equal(made.outputs["max.0"], left.reshape(1, 2, 2, 2, 3, 2).max(axis=(3, 5)))
    assert made.sizes == {"N": 1, "h": 2, "w": 3}


def test_an_input_may_be_an_output_and_a_value_may_have_two_names() -> None:
    text = "model Net {\ninput x: float32[N, 2]\ny = x -> relu\noutput a = y\noutput b = y\noutput c = x\n}"
    x = random(2, 2)
    outputs = evaluate(module(text).graph, {}, {"x": x}).outputs
    np.testing.assert_array_equal(outputs["a"], np.maximum(x, 0))
    assert outputs["a"] is outputs["b"]
    np.testing.assert_array_equal(outputs["c"], x)


def test_shapes_are_checked() -> None:
    assert codes(lambda: evaluate(module(TWO).graph, {}, {"left": random(1, 2, 4, 4), "right": random(1, 2, 4, 5)})) == [
        "CNN301"
    ]


def test_an_op_whose_shape_rule_is_wrong_is_a_bug() -> None:
    graph = module("model Net {\ninput x: float32[N, 2]\noutput x -> relu\n}").graph
    node = graph.nodes[0]
    graph.nodes[0] = replace(node, op=replace(node.op, evaluate=lambda attrs, params, x: x[:, :1]))
    with pytest.raises(AssertionError, match=r"relu at relu1: evaluate gave \(3, 1\), infer said \(3, 2\)"):
        evaluate(graph, {}, {"x": random(3, 2)})


def test_the_session_says_what_runs() -> None:
    session = RUNTIME.open(network(SMALL), RunOptions("auto"))
    assert (session.about.runtime, session.about.device) == ("reference", "cpu")
    assert session.about.provider == f"NumPy {np.__version__}, in float64"
    assert [spec.name for spec in session.signature.inputs] == ["image"]
    assert session.run({"image": random(1, 1, 8, 8)})["logits"].shape == (1, 4)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (
            "cuda:1",
            "error[CNN304]: the device cuda:1 is not available to the reference: it is NumPy code\n  = use --device cpu",
        ),
        (
            "tensorrt",
            "error[CNN305]: the reference does not run on tensorrt\n  = use --runtime onnxruntime --device tensorrt",
        ),
    ],
)
def test_it_has_no_other_device(device: str, message: str) -> None:
    assert told(lambda: RUNTIME.open(network(SMALL), RunOptions(device))) == message


def test_running_out_of_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    session = RUNTIME.open(network(SMALL), RunOptions("cpu"))
    monkeypatch.setattr("convspec.runtime.reference.evaluate", lambda *args: (_ for _ in ()).throw(MemoryError()))
    assert codes(lambda: session.run({})) == ["CNN307"]


def test_a_compiled_model_is_not_for_the_reference() -> None:
    assert codes(lambda: RUNTIME.open(ModelFile(Path("net.onnx")), RunOptions())) == ["CNN305"]
