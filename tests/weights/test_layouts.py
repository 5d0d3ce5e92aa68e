"""Layouts of other frameworks: what is read is what the framework computes with, and what does not fit is refused."""

from __future__ import annotations

import numpy as np
import pytest

from convspec import elaborate
from convspec.diagnostics import Failure
from convspec.ir.types import Array
from convspec.weights.convert import Conversion, convert
from convspec.weights.sources.base import Kind
from tests.weights.sources import source_of


def counted(*shape: int) -> Array:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def converted(stage: str, arrays: dict[str, Array], x: str = "N, 4, 6, 6", kind: Kind = "keras") -> Conversion:
    module = elaborate.loads(f"model Net {{\n    input x: float32[{x}]\n    output x -> a: {stage}\n}}\n")
    return convert(module, source_of(kind, arrays))


def test_a_convolution_has_space_first() -> None:
    kernel = counted(3, 2, 4, 5)
    found = converted("conv(5, 3x2, bias = false)", {"a/kernel": kernel})
    weight = found.weights["a.weight"]
    for f, c, i, j in np.ndindex(5, 4, 3, 2):
        assert weight[f, c, i, j] == kernel[i, j, c, f]
    assert found.rows[0].permutation == (3, 2, 0, 1)


def test_grouped_convolutions_have_the_inputs_of_one_group() -> None:
    kernel = counted(3, 3, 2, 6)
    weight = converted("conv(6, 3x3, groups = 2, bias = false)", {"a/kernel": kernel}).weights["a.weight"]
    for f, c, i, j in np.ndindex(6, 2, 3, 3):
        assert weight[f, c, i, j] == kernel[i, j, c, f]


@pytest.mark.parametrize(
    "stage", ["depthwise_conv(3x2, multiplier = 3, bias = false)", "conv(12, 3x2, groups = 4, bias = false)"]
)
def test_a_depthwise_kernel_has_channels_and_multiplier(stage: str) -> None:
    kernel = counted(3, 2, 4, 3)
    weight = converted(stage, {"a/kernel": kernel}).weights["a.weight"]
    for c, m, i, j in np.ndindex(4, 3, 3, 2):
        assert weight[c * 3 + m, 0, i, j] == kernel[i, j, c, m]


def test_the_channels_of_a_depthwise_kernel_are_those_of_its_input() -> None:
    """(3, 2, 2, 6) has as many numbers as (3, 2, 4, 3), and is no kernel for four channels."""
    with pytest.raises(Failure, match="CNN201"):
        converted("depthwise_conv(3x2, multiplier = 3, bias = false)", {"a/kernel": counted(3, 2, 2, 6)})


def test_a_depthwise_convolution_may_be_a_grouped_one_in_keras() -> None:
    kernel = counted(3, 2, 1, 12)
    weight = converted("depthwise_conv(3x2, multiplier = 3, bias = false)", {"a/kernel": kernel}).weights["a.weight"]
    for f, i, j in np.ndindex(12, 3, 2):
        assert weight[f, 0, i, j] == kernel[i, j, 0, f]


def test_a_separable_convolution_has_two_kernels() -> None:
    depthwise, pointwise, bias = counted(3, 3, 4, 2), counted(1, 1, 8, 5), counted(5)
    arrays = {"a/depthwise_kernel": depthwise, "a/pointwise_kernel": pointwise, "a/bias": bias}
    weights = converted("separable_conv(5, 3x3, multiplier = 2)", arrays).weights
    for c, m, i, j in np.ndindex(4, 2, 3, 3):
        assert weights["a.depthwise.weight"][c * 2 + m, 0, i, j] == depthwise[i, j, c, m]
    assert weights["a.pointwise.weight"][:, :, 0, 0].tolist() == pointwise[0, 0].T.tolist()
    assert weights["a.pointwise.bias"].tolist() == bias.tolist()


def test_a_transposed_convolution_has_outputs_before_inputs() -> None:
    kernel = counted(3, 2, 5, 4)
    weight = converted("conv_transpose(5, 3x2, bias = false)", {"a/kernel": kernel}).weights["a.weight"]
    for c, f, i, j in np.ndindex(4, 5, 3, 2):
        assert weight[c, f, i, j] == kernel[i, j, f, c]


def test_a_batch_norm_has_four_vectors() -> None:
    arrays = {f"a/{name}": counted(4) + i for i, name in enumerate(("gamma", "beta", "moving_mean", "moving_variance"))}
    weights = converted("batchnorm", arrays).weights
    first = {name: array[0] for name, array in weights.items()}
    assert first == {"a.weight": 0, "a.bias": 1, "a.running_mean": 2, "a.running_var": 3}


@pytest.mark.parametrize("shape", [(1, 1, 4), (4,)])
def test_prelu_may_have_axes_of_one(shape: tuple[int, ...]) -> None:
    assert converted("prelu", {"a/alpha": counted(*shape)}).weights["a.weight"].tolist() == [0, 1, 2, 3]


def test_a_slope_for_each_cell_is_refused() -> None:
    with pytest.raises(Failure, match="CNN201"):
        converted("prelu", {"a/alpha": counted(6, 6, 4)})


def test_a_dense_layer_is_a_convolution_of_kernel_one_and_the_other_way_round() -> None:
    dense, wide = counted(4, 5), counted(1, 1, 4, 5)
    assert converted("conv(5, 1x1, bias = false)", {"a/kernel": dense}).weights["a.weight"].shape == (5, 4, 1, 1)
    found = converted("linear(5, bias = false)", {"a/kernel": wide}, x="N, 4").weights["a.weight"]
    assert found.tolist() == wide[0, 0].T.tolist()


def test_an_embedding_stays_as_it_is() -> None:
    module = elaborate.loads("model Net {\n    input x: int32[N, 3]\n    output x -> a: embedding(4, 4)\n}\n")
    table = counted(4, 4)
    assert convert(module, source_of("keras", {"a/embeddings": table})).weights["a.weight"].tolist() == table.tolist()


def test_a_layer_scale_is_one_number_a_channel() -> None:
    module = elaborate.loads(
        "model Net {\n    input x: float32[N, 4, 2, 2]\n    layer scale = parameter(1x4x1x1)\n    output y = x * scale\n}\n"
    )
    found = convert(module, source_of("keras", {"block_scale/gamma": counted(4)}), mapping={"block_scale": "scale"})
    assert found.weights["scale"].ravel().tolist() == [0, 1, 2, 3]
    assert found.weights["scale"].shape == (1, 4, 1, 1)


def test_attention_of_keras_has_an_axis_of_heads() -> None:
    module = elaborate.loads("model Net {\n    input x: float32[N, 6, L]\n    output x -> a: attention(2)\n}\n")
    parts = {"query": (6, 2, 3), "key": (6, 2, 3), "value": (6, 2, 3), "attention_output": (2, 3, 6)}
    arrays = {f"mha/{part}/kernel": counted(*shape) for part, shape in parts.items()}
    arrays |= {f"mha/{part}/bias": counted(2, 3) for part in ("query", "value")} | {"mha/attention_output/bias": counted(6)}
    found = convert(module, source_of("keras", arrays), mapping={"mha": "a", "mha/attention_output": "a.out"})
    assert found.weights["a.query.weight"].tolist() == counted(6, 6).T.tolist()
    assert found.weights["a.out.weight"].tolist() == counted(6, 6).T.tolist()
    assert found.weights["a.value.bias"].tolist() == [0, 1, 2, 3, 4, 5]


def test_an_onnx_matrix_is_turned_where_its_reader_turns_it() -> None:
    module = elaborate.loads("model Net {\n    input x: float32[N, 4]\n    output x -> a: linear(4, bias = false)\n}\n")
    matrix = counted(4, 4)
    for transposed, expected in ((False, matrix), (True, matrix.T)):
        found = convert(module, source_of("onnx", {"a.weight": matrix}, transposed=transposed))
        assert found.weights["a.weight"].tolist() == expected.tolist()


FLATTENING = """model Net {
    input x: float32[N, 2, 2, 3]
    h = x -> relu -> flatten
    output y = h -> fc: linear(1, bias = false)
    output z = h
}
"""


def test_a_dense_layer_behind_flatten_reads_channels_last() -> None:
    """Also where the spec's own Keras model permutes, because the features are an output too."""
    module = elaborate.loads(FLATTENING)
    kernel = counted(12, 1)  # positions (2, 3), then channels (2)
    found = convert(module, source_of("keras", {"dense/kernel": kernel}), mapping={"dense": "fc"}).weights["fc.weight"]
    for c, i, j in np.ndindex(2, 2, 3):
        assert found[0, c * 6 + i * 3 + j] == (i * 3 + j) * 2 + c


def test_a_dense_layer_before_a_reshape_writes_channels_last() -> None:
    module = elaborate.loads(
        "model Net {\n    input x: float32[N, 1]\n"
        "    output x -> fc: linear(12) -> bn: batchnorm -> relu -> reshape([2, 2, 3])\n}\n"
    )
    arrays = {"d/kernel": counted(1, 12), "d/bias": counted(12)}
    arrays |= {f"b/{name}": counted(12) for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    weights = convert(module, source_of("keras", arrays), mapping={"d": "fc", "b": "bn"}).weights
    for name in ("fc.weight", "fc.bias", "bn.weight", "bn.running_var"):
        for c, i, j in np.ndindex(2, 2, 3):
            assert weights[name].ravel()[c * 6 + i * 3 + j] == (i * 3 + j) * 2 + c, name


def test_features_that_cannot_be_followed_are_refused() -> None:
    module = elaborate.loads(
        "model Net {\n    input x: float32[N, 2, 2, 3]\n    a, b = x -> flatten -> split(2, axis = 1)\n"
        "    output a -> fc: linear(3)\n}\n"
    )
    arrays = {"d/kernel": counted(6, 3), "d/bias": counted(3)}
    with pytest.raises(Failure) as caught:
        convert(module, source_of("keras", arrays), mapping={"d": "fc"})
    assert (
        "order: `fc.weight` reads or makes features whose order in `d/kernel` cannot be known"
        in caught.value.diagnostics[0].notes
    )
