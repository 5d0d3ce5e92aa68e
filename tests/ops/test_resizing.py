"""`pad`, `upsample` and `lrn` on every target, in one, two and three dimensions."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from convspec.ir.dims import symbol
from convspec.ir.lowering import Apply, Arg, Call
from convspec.ir.opdef import AttrError, OpDef, ShapeError
from convspec.ir.types import TensorType
from convspec.ops import find
from tests.ops.cases import resolve
from tests.ops.harness import KerasNet, OnnxNet, TorchNet, check, prepare, reference
from tests.ops.oracle import check_both, noise, pad

N, H, W = symbol("N"), symbol("H"), symbol("W")
SIZES = (5, 4, 3)


def op(name: str) -> OpDef:
    found = find(name)
    assert found is not None
    return found


def floats(*shape: Any) -> TensorType:
    return TensorType("float32", shape)


def open_axes(rank: int) -> dict[int, int]:
    return {0: 1, **dict.fromkeys(range(2, 2 + rank), 1)}


def lowered(name: str, target: Any, x: TensorType, **written: Any) -> Any:
    return op(name).lower[target](resolve(op(name), written, x), x)


def mistake(name: str, x: TensorType, **written: Any) -> Any:
    with pytest.raises((AttrError, ShapeError)) as caught:
        op(name).infer(resolve(op(name), written, x), x)
    return caught.value


# ── pad ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("value", [0.0, -1.5])
def test_pad(rank: int, value: float) -> None:
    pairs = [(1, 2), (0, 1), (3, 0)][:rank]
    x = noise(2, 3, *SIZES[:rank])
    check_both(lambda t: pad(t, pairs, value), "pad", {"amount": pairs, "value": value}, x, free=open_axes(rank))
    check_both(lambda t: pad(t, [(1, 1)] * rank, value), "pad", {"amount": 1, "value": value}, x)


def test_pad_reads_as_a_person_writes() -> None:
    x = floats(N, 3, H, W)
    assert str(op("pad").infer(resolve(op("pad"), {"amount": [[1, 2], [0, 3]]}, x), x)) == "float32[N, 3, H + 3, W + 3]"
    assert lowered("pad", "pytorch", x, amount=2) == Call("F.pad", (Arg(0), (2, 2, 2, 2)))
    assert lowered("pad", "tensorflow", x, amount=2) == Apply("layers.ZeroPadding2D", (2,))
    assert lowered("pad", "pytorch", x, amount=0) == Arg(0)
    assert mistake("pad", floats(N, 3), amount=1).code == "CNN030"
    assert mistake("pad", x, amount=-1).code == "CNN045"


# ── upsample ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_nearest(rank: int, factor: int) -> None:
    def repeat(x: Any) -> Any:
        for axis in range(2, 2 + rank):
            x = x.repeat_interleave(factor, axis)
        return x

    check_both(repeat, "upsample", {"factor": factor}, noise(2, 3, *SIZES[:rank]), free=open_axes(rank))


@pytest.mark.parametrize("factor", [41, 47, 61, 64])
@pytest.mark.parametrize("n", [2, 41])
def test_nearest_of_factors_whose_float32_inverse_is_too_small(factor: int, n: int) -> None:
    """With torch's default mode, 41 times 2 cells are wrong."""
    case = prepare("upsample", {"factor": factor}, [np.arange(n, dtype=float).reshape(1, 1, n)])
    expected = np.arange(n).repeat(factor)
    runs = (TorchNet(case, "float32").run().outputs, KerasNet(case, "float32").run().outputs, OnnxNet(case).run())
    for outputs in (reference(case), *runs):
        np.testing.assert_array_equal(outputs[0].ravel(), expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("align_corners", [False, True])
def test_linear(rank: int, factor: int, align_corners: bool) -> None:
    interpolate = import_module("torch.nn.functional").interpolate
    mode = ("linear", "bilinear", "trilinear")[rank - 1]
    for sizes in (SIZES[:rank], (1, 2, 1)[:rank]):
        wanted = [n * factor for n in sizes]
        check_both(
            lambda x, wanted=wanted: interpolate(x, wanted, mode=mode, align_corners=align_corners),
            "upsample",
            {"factor": factor, "mode": "linear", "align_corners": align_corners},
            noise(2, 3, *sizes),
            free=open_axes(rank),
        )


def test_factors_that_differ_by_axis() -> None:
    for written in ({}, {"mode": "linear"}, {"mode": "linear", "align_corners": True}):
        case = check("upsample", {"factor": (1, 3), **written}, noise(2, 3, 4, 5))
        assert case.output_shapes == ((2, 3, 4, 15),)


def test_upsample_reads_as_a_person_writes() -> None:
    x = floats(N, 3, H, W)
    assert lowered("upsample", "pytorch", x, factor=2) == Call("F.interpolate", (Arg(0),), {"scale_factor": 2})
    assert lowered("upsample", "pytorch", x, factor=2, mode="linear") == Call(
        "F.interpolate", (Arg(0),), {"scale_factor": 2, "mode": "bilinear"}
    )
    assert lowered("upsample", "tensorflow", x, factor=2) == Apply("layers.UpSampling2D", (2,))
    assert lowered("upsample", "tensorflow", x, factor=2, mode="linear") == Call(
        "helpers.resize", (Arg(0),), {"factor": 2, "mode": "linear"}
    )
    assert mistake("upsample", x, factor=2, align_corners=True).attribute == "align_corners"
    assert mistake("upsample", floats(N, 3), factor=2).code == "CNN030"


# ── lrn ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_lrn(rank: int, size: int) -> None:
    torch_lrn = import_module("torch.nn.functional").local_response_norm
    x = 3 * noise(2, 8, *SIZES[:rank])
    attrs = {"size": size, "alpha": 0.5, "beta": 0.6, "k": 2.0}
    check_both(lambda t: torch_lrn(t, size, 0.5, 0.6, 2.0), "lrn", attrs, x, free=open_axes(rank))


def test_lrn_by_hand() -> None:
    """Of four channels an even window has two before and one after."""
    x = np.array([1.0, 2.0, 4.0, 8.0]).reshape(1, 4, 1)
    found = reference(prepare("lrn", {"size": 4, "alpha": 4.0, "beta": 1.0, "k": 1.0}, [x]))[0].ravel()
    assert found == pytest.approx([1 / (1 + 1 + 4), 2 / (1 + 1 + 4 + 16), 4 / (1 + 1 + 4 + 16 + 64), 8 / (1 + 4 + 16 + 64)])


def test_lrn_with_more_neighbours_than_channels() -> None:
    check("lrn", {"size": 7, "alpha": 1.0}, noise(1, 3, 4, 4))


def test_lrn_reads_as_a_person_writes() -> None:
    x = floats(N, 96, H, W)
    assert lowered("lrn", "pytorch", x) == Call("F.local_response_norm", (Arg(0), 5))
    assert lowered("lrn", "tensorflow", x, k=2.0) == Call("helpers.local_response_norm", (Arg(0), 5), {"k": 2.0})
    assert mistake("lrn", floats(N, 3)).code == "CNN030"
