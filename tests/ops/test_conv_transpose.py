"""`conv_transpose` on every target: cut sides, output padding, groups and dilation; what it reads like; mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from convspec.ir.dims import symbol
from convspec.ir.lowering import Apply, Call, Weight
from convspec.ir.opdef import AttrError, OpDef, ShapeError
from convspec.ir.types import TensorType
from convspec.ops import find
from tests.ops.cases import resolve
from tests.ops.harness import check
from tests.ops.oracle import check_both, functional, noise, pad

N, H = symbol("N"), symbol("H")


def op() -> OpDef:
    found = find("conv_transpose")
    assert found is not None
    return found


def floats(*shape: Any) -> TensorType:
    return TensorType("float32", shape)


def formula(rank: int, pads: list[tuple[int, int]], more: int, **arguments: Any) -> Callable[..., Any]:
    """The full output of torch with zeros after it, cut, and the bias added last."""

    def run(x: Any, weight: Any, bias: Any = None) -> Any:
        full = functional("conv_transpose", rank)(x, weight, **arguments)
        longer = pad(full, [(0, more)] * rank)
        for axis, (lo, hi) in enumerate(pads, 2):
            longer = longer.narrow(axis, lo, longer.shape[axis] - lo - hi)
        return longer if bias is None else longer + bias.reshape(-1, *[1] * rank)

    return run


HARD: list[tuple[tuple[int, ...], int, Any, int, dict[str, Any]]] = [
    # input, kernel, pad, output_padding, stride and the like
    ((1, 4, 4, 4), 3, 0, 1, {"groups": 2, "dilation": 2}),
    ((1, 4, 4, 3), 2, 0, 2, {"stride": 4}),
    ((2, 3, 4, 5), 2, 0, 0, {"stride": 2}),
    ((2, 3, 4, 5), 4, 1, 0, {"stride": 2}),
    ((2, 3, 5), 3, 1, 1, {"stride": 2}),
    ((2, 3, 3, 2, 4), 3, 1, 1, {"stride": 2}),
    ((2, 4, 3, 4), 3, [(0, 1), (2, 1)], 1, {"stride": 2, "dilation": (1, 2), "groups": 2}),
    ((2, 4, 5), 3, [(2, 0)], 2, {"stride": 3, "groups": 4}),
    ((1, 4, 3, 2, 2), 2, [(0, 1), (1, 0), (0, 0)], 0, {"dilation": 2, "groups": 2}),
    ((1, 2, 3), 1, 0, 0, {"dilation": 2, "stride": 2}),
    ((1, 2, 7, 8), 1, 0, 0, {"stride": 3}),  # ended the process where oneDNN computed the weight's gradient
]


def check_hard(shape: tuple[int, ...], kernel: int, cut: Any, more: int, arguments: dict[str, Any]) -> None:
    rank = len(shape) - 2
    pads = cut if isinstance(cut, list) else [(cut, cut)] * rank
    attrs = {"filters": 4, "kernel": kernel, "pad": cut, "output_padding": more, **arguments}
    check_both(formula(rank, pads, more, **arguments), "conv_transpose", attrs, noise(*shape))


@pytest.mark.parametrize(("shape", "kernel", "cut", "more", "arguments"), HARD)
def test_numbers(shape: tuple[int, ...], kernel: int, cut: Any, more: int, arguments: dict[str, Any]) -> None:
    check_hard(shape, kernel, cut, more, arguments)


@pytest.mark.parametrize("groups", [1, 2])
def test_open_sizes_without_a_bias(groups: int) -> None:
    attrs = {"filters": 2, "kernel": 3, "stride": 2, "pad": 1, "output_padding": 1, "bias": False, "groups": groups}
    case = check("conv_transpose", attrs, noise(2, 4, 3, 5), free={0: 1, 2: 1, 3: 1})
    assert case.output_shapes == ((2, 2, 6, 10),)


def lowered(target: Any, x: TensorType, **written: Any) -> Any:
    return op().lower[target](resolve(op(), {"filters": 64, **written}, x), x)


def test_it_reads_as_a_person_writes() -> None:
    x = floats(N, 128, H, H)
    torch_weights = {"weight": Weight("weight"), "bias": Weight("bias")}
    keras_weights = {"kernel": Weight("weight", (2, 3, 1, 0)), "bias": Weight("bias")}
    assert lowered("pytorch", x, kernel=2, stride=2) == Apply(
        "nn.ConvTranspose2d", (128, 64, 2), {"stride": 2}, weights=torch_weights
    )
    assert lowered("tensorflow", x, kernel=2, stride=2) == Apply(
        "layers.Conv2DTranspose", (64, 2), {"strides": 2}, weights=keras_weights
    )
    assert lowered("tensorflow", x, kernel=4, stride=2, pad=1) == Apply(
        "layers.Conv2DTranspose", (64, 4), {"strides": 2, "padding": "same"}, weights=keras_weights
    )
    asymmetric = lowered("pytorch", x, kernel=3, pad=[[1, 0], [2, 1]])
    layer = Apply("nn.ConvTranspose2d", (128, 64, 3), {"padding": (0, 1)}, weights=torch_weights)
    assert asymmetric == Call("F.pad", (layer, (-1, 0, -1, 0)))


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(2, 2, 1), (3, 2, 1), (4, 2, 1), (2, 4, 1), (3, 1, 3), (1, 3, 2)])
def test_same_gives_size_times_stride(kernel: int, stride: int, dilation: int) -> None:
    x = floats(N, 4, H, 5)
    a = resolve(op(), {"filters": 4, "kernel": kernel, "stride": stride, "dilation": dilation, "pad": "same"}, x)
    assert op().infer(a, x) == floats(N, 4, H * stride, 5 * stride)


def test_same_is_what_keras_means_by_it() -> None:
    x = floats(N, 4, H, 5)
    for kernel, stride in ((3, 2), (4, 2), (5, 2), (3, 1), (5, 3)):
        layer = lowered("tensorflow", x, kernel=kernel, stride=stride, pad="same")
        assert (layer.fn, layer.kwargs["padding"]) == ("layers.Conv2DTranspose", "same")


def test_parameters_and_cost() -> None:
    x = floats(2, 6, 5, 5)
    a = resolve(op(), {"filters": 4, "kernel": 3, "stride": 2, "groups": 2}, x)
    params, cost = op().params, op().cost
    assert params is not None
    assert cost is not None
    found = params(a, x)
    assert {role: spec.shape for role, spec in found.items()} == {"weight": (6, 2, 3, 3), "bias": (4,)}
    assert (found["weight"].init.fan_in, found["weight"].init.fan_out) == (3 * 2 * 2, 2 * 9)
    assert (cost(a, x).macs, cost(a, x).flops) == (2 * 6 * 25 * 2 * 9, 2 * 4 * 11 * 11)


def mistake(x: TensorType, **written: Any) -> Any:
    with pytest.raises((AttrError, ShapeError)) as caught:
        op().infer(resolve(op(), {"filters": 4, "kernel": 3, **written}, x), x)
    return caught.value


def test_mistakes() -> None:
    x = floats(N, 4, 3, 3)
    found = mistake(x, output_padding=2, stride=2)
    assert (found.code, found.attribute) == ("CNN045", "output_padding")
    assert found.message == "`output_padding` must be below the stride or the dilation (2 and 1), not 2"
    found = mistake(floats(N, 4, 1, 1), pad=[[1, 2], [0, 0]])
    assert (found.code, found.inputs) == ("CNN035", {0: "height 1"})
    assert found.message == "`conv_transpose` would cut off the whole height 3: `pad` takes 1 + 2 cells"
    found = mistake(floats(N, 4, H), pad=2)
    assert (found.code, found.message) == (
        "CNN035",
        "`conv_transpose` may cut off the whole length H + 2: `pad` takes 2 + 2 cells",
    )
    assert found.hint == "declare the input so that the length H is always large enough"
    assert mistake(x, groups=3).message == "4 input channels cannot be split into 3 groups"
    assert mistake(x, pad="full").message == (
        '`pad` takes an integer, a list per axis, or a list of [before, after] per axis, or the word same; not "full"'
    )
    found = mistake(x, pad="same", stride=2, output_padding=1)
    assert (found.code, found.attribute) == ("CNN045", "output_padding")
    assert mistake(floats(N, 4)).code == "CNN030"
