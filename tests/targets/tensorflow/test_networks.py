"""Whole networks on Keras against the ops' NumPy references, from both printers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.targets.tensorflow import TARGET, TensorFlowOptions, to_keras
from tests.targets.tensorflow.networks import assert_agree, net, run_keras
from tests.targets.tensorflow.specs import SPECS


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("straight", [True, False], ids=["straight", "readable"])
def test_outputs_are_those_of_the_reference(name: str, straight: bool) -> None:
    text, model, sizes = SPECS[name]
    made = net(text, model)
    network = to_keras(made.module, made.weights, straight=straight)
    for at in sizes:
        inputs = made.inputs(**at)
        assert_agree(run_keras(network, made, inputs), made.reference(inputs))


@pytest.mark.parametrize("name", ["lenet", "resnet", "unet2d", "inception", "shared"])
def test_no_data_is_transposed(name: str) -> None:
    """No Permute layer in the model, and no Transpose in the graph that TensorFlow runs."""
    import tensorflow as tf

    made = net(*SPECS[name][:2])
    network = to_keras(made.module, made.weights)
    assert not [layer.name for layer in network.operations if type(layer).__name__ in ("Permute", "Transpose")]
    shapes = {tensor.name: tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in network.inputs}
    signature = shapes if len(shapes) > 1 else next(iter(shapes.values()))
    graph = tf.function(network).get_concrete_function(signature).graph
    assert len(graph.get_operations()) > 10
    assert not [op.name for op in graph.get_operations() if op.type == "Transpose"]


def test_float64_stands_for_the_specs_float32() -> None:
    text, model, sizes = SPECS["resnet"]
    made = net(text, model)
    inputs = {name: array.astype(np.float64) for name, array in made.inputs(**sizes[0]).items()}
    found = run_keras(to_keras(made.module, made.weights, dtype="float64"), made, inputs)
    assert all(array.dtype == np.float64 for array in found.values())
    assert_agree(found, made.reference(inputs), 1e-12)


def test_the_written_files_make_the_model(tmp_path: Any) -> None:
    """As a user would: import the file, build, load the weights beside it."""
    text, model, sizes = SPECS["shared"]
    made = net(text, model)
    TARGET.emit(made.module, made.weights, TensorFlowOptions(stem="siamese")).write(tmp_path)
    definitions: dict[str, Any] = {}
    exec((tmp_path / "siamese.py").read_text(), definitions)
    network = definitions["build"]()
    definitions["load_weights"](network, tmp_path / "siamese.safetensors")
    inputs = made.inputs(**sizes[0])
    assert_agree(run_keras(network, made, inputs), made.reference(inputs))


def test_weights_that_do_not_fit_are_all_named(tmp_path: Any) -> None:
    from safetensors.numpy import load_file, save_file

    made = net(SPECS["lenet"][0])
    TARGET.emit(made.module, made.weights, TensorFlowOptions(stem="lenet")).write(tmp_path)
    definitions: dict[str, Any] = {}
    exec((tmp_path / "lenet.py").read_text(), definitions)
    stored = load_file(tmp_path / "lenet.safetensors")
    stored["f5/kernel"] = stored["f5/kernel"].T.copy()
    stored["more"] = stored.pop("c1/bias")
    save_file(stored, tmp_path / "wrong.safetensors")
    network = definitions["build"]()
    before = [np.array(weight) for weight in network.get_weights()]
    with pytest.raises(ValueError, match="does not fit") as caught:
        definitions["load_weights"](network, tmp_path / "wrong.safetensors")
    assert str(caught.value).splitlines()[1:] == [
        "c1/bias: missing in the file",
        "f5/kernel: shape (120, 400) in the file, (400, 120) in the model",
        "more: not in the model",
    ]
    for kept, weight in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, kept)  # nothing is filled in when something is wrong


def test_dropout_and_batch_norm_know_training() -> None:
    made = net("model M {\ninput x: float32[N, 3, 4, 4]\noutput y = x -> bn: batchnorm -> dropout(0.5)\n}")
    network = to_keras(made.module, made.weights)
    x = made.inputs(N=4)
    first, second = (run_keras(network, made, x, training=True)["y"] for _ in range(2))
    assert (first == 0).mean() > 0.3
    assert not np.array_equal(first == 0, second == 0)
    variance = next(v for v in network.layers[1].weights if v.name == "moving_variance").numpy()
    batch = np.var(x["x"].astype(np.float64), axis=(0, 2, 3), ddof=1)
    expected = made.weights["bn.running_var"]
    for _ in range(2):
        expected = 0.9 * expected + 0.1 * batch
    np.testing.assert_allclose(variance, expected, rtol=1e-5)


CORNERS = {
    "an input that nobody reads": "input a: float32[N, 3]\ninput b: float32[N, 3]\noutput y = a -> relu",
    "outputs that are the input": "input a: float32[N, 3, 4]\noutput y = a\noutput z = a\noutput w = a -> relu",
    "one output that is the input": "input a: float32[N, 3, 4]\noutput a",
    "a batch of fixed size": "input a: float32[3, 3, 4, 4]\noutput y = a -> conv(3, 3x3) -> flatten -> linear(3)",
    "whole numbers": "input a: int64[N, 3, 4]\ninput b: int64[N, 2, 4]\nx = concat(a, b)\noutput x\noutput y = x -> flatten",
    "rank 1": "input a: float32[N]\noutput y = a -> tanh",
    "a symbolic number of features": "input a: float32[N, 3, H, 2]\noutput y = a -> sigmoid -> flatten",
    "a layer that nobody reads": "input a: float32[N, 3, 6, 6]\nz = a -> conv(3, 1x1)\noutput y = a -> conv(5, 3x3)",
    "flattened for a linear and for an output": (
        "input a: float32[N, 3, 6, 6]\nx = a -> conv(3, 1x1)\noutput x\n"
        "output z = x -> flatten -> linear(2)\noutput w = x -> flatten"
    ),
}


@pytest.mark.parametrize("body", CORNERS.values(), ids=list(CORNERS))
def test_corners(body: str) -> None:
    made = net(f"model M {{\n{body}\n}}")
    inputs = made.inputs(N=3, H=5)
    for straight in (True, False):
        found = run_keras(to_keras(made.module, made.weights, straight=straight), made, inputs)
        assert_agree(found, made.reference(inputs))
        assert [a.dtype.name for a in found.values()] == [o.value.type.dtype for o in made.module.graph.outputs]


def test_a_spec_in_float64() -> None:
    body = "conv(3, 3x3, stride = 2, pad = 1) -> batchnorm -> maxpool(2x2) -> flatten -> dropout -> linear(3) -> softmax"
    made = net(f"model M {{\ninput a: float64[N, 3, 8, 8]\noutput y = a -> {body}\n}}")
    inputs = made.inputs(N=2)
    for straight in (True, False):
        found = run_keras(to_keras(made.module, made.weights, straight=straight), made, inputs)
        assert found["y"].dtype == np.float64
        assert_agree(found, made.reference(inputs), 1e-12)
