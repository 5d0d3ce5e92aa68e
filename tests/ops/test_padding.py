"""Padding of convolutions and `pad`: what it reads like on the targets, what is refused, and that causal means causal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.ir.attrs import Extent
from convspec.ir.dims import symbol
from convspec.ir.lowering import Apply, Arg, Call, Weight
from convspec.ir.opdef import AttrError, OpDef, ShapeError
from convspec.ir.types import TensorType
from convspec.ops import built_in, find
from tests.ops.cases import prepare, resolve
from tests.ops.harness import reference
from tests.ops.oracle import noise

N, H, W = symbol("N"), symbol("H", 3), symbol("W")
X1, X2 = TensorType("float32", (N, 8, 32)), TensorType("float32", (N, 8, 32, 32))
CONVOLUTIONS = {
    "conv": {"filters": 8, "kernel": 3},
    "depthwise_conv": {"kernel": 3},
    "separable_conv": {"filters": 8, "kernel": 3},
    "ws_conv": {"filters": 8, "kernel": 3},
}


def op(name: str) -> OpDef:
    found = find(name)
    assert found is not None
    return found


def lowered(name: str, target: Any, x: TensorType, **written: Any) -> Any:
    attrs = CONVOLUTIONS.get(name, {}) | written
    return op(name).lower[target](resolve(op(name), attrs, x), x)


def test_every_convolution_pads_alike() -> None:
    ours = {name for name in built_in() if any(field.name == "pad_value" for field in op(name).attributes)}
    assert set(CONVOLUTIONS) <= ours


def test_pytorch_pads_within_the_layer_where_it_can() -> None:
    inside = lowered("conv", "pytorch", X2, pad=1, pad_mode="reflect")
    assert (inside.kwargs, inside.inputs) == ({"padding": 1, "padding_mode": "reflect"}, (Arg(0),))
    beside = lowered("conv", "pytorch", X2, pad=[[0, 1], [2, 0]], pad_mode="circular")
    assert (beside.kwargs, beside.inputs) == ({}, (Call("F.pad", (Arg(0), (2, 0, 0, 1)), {"mode": "circular"}),))
    value = lowered("conv", "pytorch", X2, pad=1, pad_mode="constant", pad_value=0.5)
    assert (value.kwargs, value.inputs) == ({}, (Call("F.pad", (Arg(0), (1, 1, 1, 1)), {"value": 0.5}),))
    assert lowered("conv", "pytorch", X2, pad=0, pad_mode="reflect").kwargs == {}
    assert lowered("conv", "pytorch", X2, pad=1, pad_mode="constant") == lowered("conv", "pytorch", X2, pad=1)


def test_keras_pads_within_the_layer_where_it_can() -> None:
    causal = lowered("conv", "tensorflow", X1, pad="causal", dilation=2)
    assert (causal.kwargs, causal.inputs) == ({"padding": "causal", "dilation_rate": 2}, (Arg(0),))
    held = lowered("conv", "tensorflow", X1, pad="causal", pad_mode="replicate")
    assert (held.kwargs, held.inputs) == ({}, (Call("helpers.pad_by_cells", (Arg(0), ((2, 0),), "replicate")),))
    mirrored = lowered("conv", "tensorflow", X2, pad=1, pad_mode="reflect")
    assert mirrored.inputs == (Call("ops.pad", (Arg(0), ((0, 0), (1, 1), (1, 1), (0, 0))), {"mode": "reflect"}),)


def test_onnx_pads_within_the_node_where_it_can() -> None:
    zeros = lowered("conv", "onnx", X2, pad=[[0, 1], [2, 0]])
    assert (zeros.args[0], zeros.kwargs["pads"]) == (Arg(0), (0, 2, 1, 0))
    wrapped = lowered("conv", "onnx", X2, pad=1, pad_mode="circular")
    assert (wrapped.args[0].fn, wrapped.args[0].kwargs, wrapped.kwargs["pads"]) == ("Pad", {"mode": "wrap"}, (0, 0, 0, 0))


def test_separable_reads_as_a_person_writes() -> None:
    torch_weights = {role: Weight(role) for role in ("depthwise.weight", "pointwise.weight", "pointwise.bias")}
    assert lowered("separable_conv", "pytorch", X2, pad=1) == Apply(
        "helpers.SeparableConv2d", (8, 8, 3), {"padding": 1}, weights=torch_weights
    )
    found = lowered("separable_conv", "tensorflow", X2, pad=1, bias=False)
    assert (found.fn, found.kwargs, found.inputs) == (
        "layers.SeparableConv2D",
        {"padding": "same", "use_bias": False},
        (Arg(0),),
    )


def test_depthwise_reads_as_a_person_writes() -> None:
    torch = lowered("depthwise_conv", "pytorch", X2, kernel=Extent((3, 3)), multiplier=2, pad=1)
    assert (torch.fn, torch.args, torch.kwargs) == ("nn.Conv2d", (8, 16, 3), {"padding": 1, "groups": 8})
    keras = lowered("depthwise_conv", "tensorflow", X2, multiplier=2, pad=1)
    assert (keras.fn, keras.args) == ("layers.DepthwiseConv2D", (3,))
    assert keras.kwargs == {"padding": "same", "depth_multiplier": 2}


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 3)])
def test_no_output_of_a_causal_convolution_sees_later_inputs(name: str, stride: int, dilation: int) -> None:
    x = noise(1, 2, 9)
    changed = x.copy()
    changed[:, :, 5:] += 1
    attrs = {**CONVOLUTIONS[name], "pad": "causal", "stride": stride, "dilation": dilation}
    before, after = (reference(prepare(name, attrs, [array]))[0] for array in (x, changed))
    assert before.shape[2] == -(-9 // stride)
    same = (before == after).all(axis=(0, 1))
    assert [index * stride < 5 for index in range(len(same))] == same.tolist()


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_modes_that_look_ahead_are_not_causal(name: str) -> None:
    for mode in ("reflect", "circular"):
        with pytest.raises(AttrError, match="from later on"):
            lowered(name, "pytorch", X1, pad="causal", pad_mode=mode)


def test_cells_that_may_not_be_there() -> None:
    x = TensorType("float32", (N, 8, H, W))
    for mode, cells in (("reflect", [[2, 0], [0, 0]]), ("circular", [[3, 0], [0, 1]]), ("replicate", [[9, 9], [9, 9]])):
        resolve(op("pad"), {"amount": cells, "mode": mode}, x)
    for mode, cells in (("reflect", [[3, 0], [0, 0]]), ("reflect", [[0, 0], [1, 0]]), ("circular", [[4, 0], [0, 0]])):
        with pytest.raises(ShapeError) as caught:
            resolve(op("pad"), {"amount": cells, "mode": mode}, x)
        assert caught.value.code == "CNN034"
        assert caught.value.hint is not None
        assert caught.value.hint.startswith("declare")


def test_a_standardised_weight_has_mean_0_and_variance_1() -> None:
    """Seen through an input that is 1 at one cell: the outputs are the standardised weights."""
    x = np.zeros((1, 2, 5, 5))
    x[0, :, 2, 2] = (1.0, 0.0)
    case = prepare("ws_conv", {"filters": 6, "kernel": 3, "bias": False, "eps": 1e-12}, [x])
    other = prepare("ws_conv", {"filters": 6, "kernel": 3, "bias": False, "eps": 1e-12}, [x[:, ::-1].copy()], case.params)
    cells = np.concatenate([reference(each)[0][0].reshape(6, -1) for each in (case, other)], axis=1)
    np.testing.assert_allclose(cells.mean(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose((cells**2).mean(axis=1), 1, atol=1e-9)
