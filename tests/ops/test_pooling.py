"""`maxpool`, `avgpool` and the global pools on every target: ties, padding, divisors, `ceil`; what they read like; mistakes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import product
from typing import Any, cast

import numpy as np
import pytest

from convspec.ir.dims import symbol
from convspec.ir.lowering import Apply, Arg, Call
from convspec.ir.opdef import AttrError, OpDef, ShapeError
from convspec.ir.types import Array, TensorType
from convspec.ops import find
from tests.ops.cases import resolve
from tests.ops.harness import assert_close, check, reference
from tests.ops.oracle import check_both, functional, noise, pad, ties

N, H, h = symbol("N"), symbol("H"), symbol("h")
OPEN = {0: 1, 2: 1, 3: 1, 4: 1}


def op(name: str) -> OpDef:
    found = find(name)
    assert found is not None
    return found


def floats(*shape: Any) -> TensorType:
    return TensorType("float32", shape)


def formula(
    name: str, rank: int, kernel: Any, pads: list[tuple[int, int]] | None = None, **arguments: Any
) -> Callable[..., Any]:
    """Torch's pooling; with `pads`, of an input that was padded before so that padding never wins."""

    def run(x: Any) -> Any:
        padded = x if pads is None else pad(x, pads, float("-inf") if name == "max_pool" else 0.0)
        return functional(name, rank)(padded, kernel, **arguments)

    return run


# ── maxpool ──────────────────────────────────────────────────────────────────────────────────────────────────

MAX: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # attributes as the author writes them, and the same for torch
    ({"kernel": 2}, {}),
    ({"kernel": 3, "stride": 1}, {"stride": 1}),
    ({"kernel": 3, "stride": 2, "pad": 1}, {"stride": 2, "padding": 1}),
    ({"kernel": 3, "stride": 2, "pad": 1, "ceil": True}, {"stride": 2, "padding": 1, "ceil_mode": True}),
    ({"kernel": 2, "stride": 3, "ceil": True}, {"stride": 3, "ceil_mode": True}),
    ({"kernel": 3, "stride": 1, "pad": "same"}, {"stride": 1, "padding": 1}),
    ({"kernel": 3, "dilation": 2, "stride": 1, "pad": 1}, {"dilation": 2, "stride": 1, "padding": 1}),
    (
        {"kernel": 3, "dilation": 2, "stride": 3, "pad": 1, "ceil": True},
        {"dilation": 2, "stride": 3, "padding": 1, "ceil_mode": True},
    ),
]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("attrs", "arguments"), MAX)
def test_maxpool_gives_the_first_of_equal_cells_the_gradient(
    rank: int, attrs: dict[str, Any], arguments: dict[str, Any]
) -> None:
    given = {name: value for name, value in arguments.items() if name != "kernel"}
    check_both(formula("max_pool", rank, attrs["kernel"], **given), "maxpool", attrs, ties(1, 2, *(7, 6, 5)[:rank]))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("attrs", [{}, {"stride": 1, "pad": 1}, {"dilation": 2, "stride": 2}])
def test_maxpool_of_open_sizes(rank: int, attrs: dict[str, Any]) -> None:
    check(
        "maxpool", {"kernel": 2, **attrs}, ties(2, 3, *(6, 7, 5)[:rank]), free=OPEN if rank == 3 else {0: 1, 2: 1, 1 + rank: 1}
    )


@pytest.mark.parametrize("stride", [1, 2])
def test_maxpool_of_zeros_behind_a_relu(stride: int) -> None:
    x = np.maximum(noise(1, 1, 4, 4, 4), 0)
    x[0, 0, :3, 1:, 1:] = 0
    check_both(formula("max_pool", 3, 2, stride=stride), "maxpool", {"kernel": 2, "stride": stride}, x)


@pytest.mark.parametrize(
    ("attrs", "pads"),
    [
        ({"kernel": 3, "stride": 2, "pad": [[0, 1], [1, 0]]}, [(0, 1), (1, 0)]),
        ({"kernel": 3, "stride": 2, "pad": [[1, 0], [0, 1]], "ceil": True}, [(1, 1), (0, 1)]),
        ({"kernel": 2, "stride": 2, "pad": "same"}, [(0, 1), (0, 0)]),
        ({"kernel": (2, 3), "stride": 2, "dilation": 3, "pad": [[2, 1], [3, 3]]}, [(2, 1), (3, 3)]),
    ],
)
def test_maxpool_with_sides_that_differ(attrs: dict[str, Any], pads: list[tuple[int, int]]) -> None:
    arguments = {"stride": attrs["stride"], "dilation": attrs.get("dilation", 1)}
    check_both(formula("max_pool", 2, attrs["kernel"], pads, **arguments), "maxpool", attrs, ties(2, 2, 7, 8))


# ── avgpool ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("count_pad", [False, True])
def test_avgpool(rank: int, ceil: bool, count_pad: bool) -> None:
    arguments: dict[str, Any] = {"ceil_mode": ceil, "count_include_pad": count_pad}
    attrs = {"kernel": 3, "stride": 2, "ceil": ceil, "count_pad": count_pad}
    x = noise(2, 2, *(6, 7, 8)[:rank])
    check_both(formula("avg_pool", rank, 3, stride=2, **arguments), "avgpool", attrs, x)
    check_both(formula("avg_pool", rank, 3, stride=2, padding=1, **arguments), "avgpool", {**attrs, "pad": 1}, x)


def test_avgpool_by_hand() -> None:
    """1 … 16 in a square; a 3x3 window at a corner of the padding holds 4 real cells."""
    x = np.arange(1.0, 17.0).reshape(1, 1, 4, 4)
    for count_pad, last in ((True, (16 * 1) / 4), (False, 16.0)):
        attrs = {"kernel": 3, "stride": 2, "pad": 1, "ceil": True, "count_pad": count_pad}
        found = reference(check("avgpool", attrs, x))[0]
        corner = (1 + 2 + 5 + 6) / (9 if count_pad else 4)
        assert found.shape == (1, 1, 3, 3)
        assert (found[0, 0, 0, 0], found[0, 0, 2, 2]) == pytest.approx((corner, last))


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("count_pad", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "pads", "sizes"),
    [
        ((1, 4, 3), (4, 1, 2), ((0, 0), (2, 2), (1, 1)), (4, 3, 4)),
        ((3, 2), (2, 3), ((0, 1), (1, 0)), (6, 7)),
        ((3,), (2,), ((2, 1),), (5,)),
    ],
)
def test_avgpool_against_its_definition(kernel: Any, stride: Any, pads: Any, sizes: Any, ceil: bool, count_pad: bool) -> None:
    attrs = {"kernel": kernel, "stride": stride, "pad": pads, "ceil": ceil, "count_pad": count_pad}
    x = noise(1, 2, *sizes)
    assert_close(
        reference(check("avgpool", attrs, x))[0], averages(x, kernel, stride, pads, ceil, count_pad), 1e-6, "by definition"
    )


def averages(x: Array, kernel: Any, stride: Any, pads: Any, ceil: bool, count_pad: bool) -> Array:
    """Window by window and cell by cell. Padding that was asked for counts if `count_pad`; cells beyond it never do."""
    starts = []
    for n, k, s, (lo, hi) in zip(x.shape[2:], kernel, stride, pads, strict=True):
        last = n + hi - k if not ceil else max(n - 1, n + hi - k)  # where a window may start at the latest
        reach = n + hi + (s - 1 if ceil else 0)  # and where it may end
        starts.append([i for i in range(-lo, last + 1, s) if i + k <= reach])
    y = np.empty((*x.shape[:2], *map(len, starts)))
    for place in product(*(range(len(axis)) for axis in starts)):
        total, count = np.zeros(x.shape[:2]), 0
        for cell in product(*map(range, kernel)):
            at = [axis[i] + j for axis, i, j in zip(starts, place, cell, strict=True)]
            real = all(0 <= i < n for i, n in zip(at, x.shape[2:], strict=True))
            asked = all(i < n + hi for i, n, (_, hi) in zip(at, x.shape[2:], pads, strict=True))
            total = total + x[cast(Any, (..., *at))] if real else total
            count += real or (count_pad and asked)
        y[cast(Any, (..., *place))] = total / count
    return y


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("attrs", [{"kernel": 2}, {"kernel": 3, "stride": 1, "pad": "same", "count_pad": False}])
def test_avgpool_of_open_sizes(rank: int, attrs: dict[str, Any]) -> None:
    check("avgpool", attrs, noise(2, 3, *(6, 7, 5)[:rank]), free=OPEN if rank == 3 else {0: 1, 2: 1, 1 + rank: 1})


def test_avgpool_of_windows_in_the_padding_alone() -> None:
    check_both(formula("avg_pool", 1, 2, [(3, 3)], stride=1), "avgpool", {"kernel": 2, "stride": 1, "pad": 3}, noise(1, 2, 4))


# ── global pools ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_global_pools(rank: int) -> None:
    axes = tuple(range(2, 2 + rank))
    shape = (2, 3, *(5, 4, 3)[:rank])
    check_both(lambda x: x.sum(axes, keepdim=True) / np.prod(shape[2:]), "global_avgpool", {}, noise(*shape))
    case = check_both(shared_maximum, "global_maxpool", {}, ties(*shape), free=OPEN if rank == 3 else {0: 1, 1 + rank: 1})
    assert case.output_shapes == ((2, 3, *[1] * rank),)


def shared_maximum(x: Any) -> Any:
    """The mean of the cells that are the largest: equal cells share the gradient."""
    flat = x.flatten(2)
    largest = (flat == flat.max(2, keepdim=True).values).double()
    return ((flat * largest).sum(2) / largest.sum(2)).reshape(*x.shape[:2], *[1] * (x.ndim - 2))


def test_global_mean_in_half_precision() -> None:
    """90,000 ones add up to more than float16 holds."""
    keras: Any = import_module("keras")
    tree = op("global_avgpool").lower["tensorflow"](op("global_avgpool").attrs(), TensorType("float16", (1, 1, 300, 300)))
    assert isinstance(tree, Apply)
    layer = keras.layers.GlobalAveragePooling2D(**tree.kwargs, dtype="float16")
    assert layer(np.ones((1, 300, 300, 1), "float16")).numpy() == 1


# ── what they read like ──────────────────────────────────────────────────────────────────────────────────────


def lowered(name: str, target: Any, x: TensorType, **written: Any) -> Any:
    return op(name).lower[target](resolve(op(name), written, x), x)


RESNET = floats(N, 64, 16 * h, 16 * h)


def test_pools_read_as_a_person_writes() -> None:
    assert lowered("maxpool", "pytorch", RESNET, kernel=3, stride=2, pad=1) == Call(
        "F.max_pool2d", (Arg(0), 3), {"stride": 2, "padding": 1}
    )
    assert lowered("maxpool", "pytorch", RESNET, kernel=2) == Call("F.max_pool2d", (Arg(0), 2))
    assert lowered("maxpool", "pytorch", RESNET, kernel=3, stride=2, ceil=True) == Call(
        "F.max_pool2d", (Arg(0), 3), {"stride": 2, "ceil_mode": True}
    )
    assert lowered("maxpool", "tensorflow", RESNET, kernel=2) == Apply("layers.MaxPooling2D", (2,))
    assert lowered("maxpool", "tensorflow", RESNET, kernel=3, stride=2, pad="same") == Apply(
        "layers.MaxPooling2D", (3,), {"strides": 2, "padding": "same"}
    )
    assert lowered("maxpool", "tensorflow", floats(N, 8, 2 * H, 2 * H, 2 * H), kernel=2) == Call(
        "helpers.max_pool", (Arg(0), 2, 2)
    )
    assert lowered("avgpool", "pytorch", RESNET, kernel=3, stride=1, pad=1, count_pad=False) == Call(
        "F.avg_pool2d", (Arg(0), 3), {"stride": 1, "padding": 1, "count_include_pad": False}
    )
    assert lowered("avgpool", "tensorflow", RESNET, kernel=3, stride=1, pad=1, count_pad=False) == Apply(
        "layers.AveragePooling2D", (3,), {"strides": 1, "padding": "same"}
    )
    assert lowered("global_avgpool", "pytorch", RESNET) == Call(".mean", (Arg(0), (2, 3)), {"keepdim": True})


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────


def mistake(name: str, x: TensorType, **written: Any) -> Any:
    with pytest.raises((AttrError, ShapeError)) as caught:
        op(name).infer(resolve(op(name), written, x), x)
    return caught.value


def test_ceil_that_depends_on_a_size() -> None:
    found = mistake("maxpool", floats(N, 3, symbol("K", 3), 8), kernel=3, stride=2, ceil=True)
    assert (found.code, found.inputs) == ("CNN033", {0: "height K"})
    assert found.message == "`ceil = true` at stride 2 pads differently for different values of the height K"
    known = op("maxpool").infer(resolve(op("maxpool"), {"kernel": 3, "stride": 2, "ceil": True}, RESNET), RESNET)
    assert str(known) == "float32[N, 64, 8*h, 8*h]"


def test_windows_without_cells() -> None:
    found = mistake("maxpool", floats(N, 3, 8), kernel=2, pad=2)
    assert (found.code, found.attribute) == ("CNN045", "pad")
    assert found.message == "a window of `maxpool` would lie wholly in the padding (2 + 2 cells beside 8)"
    assert mistake("avgpool", floats(N, 3, 8), kernel=2, pad=2, count_pad=False).code == "CNN045"
    found = mistake("maxpool", floats(N, 3, 1, 1), kernel=2, stride=1, dilation=2, pad=1)
    assert found.code == "CNN045"
    found = mistake("maxpool", floats(N, 3, H), kernel=2, stride=1, dilation=2, pad=1)
    assert found.hint == "declare the input so that the length H is always at least 2"


def test_windows_that_do_not_fit() -> None:
    assert mistake("maxpool", floats(N, 3, 2, 2), kernel=3).message == "kernel 3x3 does not fit into 2x2"
    assert mistake("avgpool", floats(N, 3, 2, 2), kernel=5, pad=1, ceil=True, stride=1).code == "CNN032"
    assert op("maxpool").infer(
        resolve(op("maxpool"), {"kernel": 3, "stride": 2, "ceil": True}, floats(1, 3, 2)), floats(1, 3, 2)
    )
    for name in ("maxpool", "avgpool"):
        assert mistake(name, floats(N, 3), kernel=2).code == "CNN030"
    for name in ("global_avgpool", "global_maxpool"):
        assert mistake(name, floats(N, 3)).code == "CNN030"
