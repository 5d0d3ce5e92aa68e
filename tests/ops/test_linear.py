"""`linear` and `flatten`, apart and one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from convspec.ir.dims import symbol
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import OpDef, ShapeError
from convspec.ir.types import TensorType
from convspec.ops import find
from convspec.ops.flatten import Flatten
from convspec.ops.linear import Linear
from tests.ops.arrays import open_axes, smooth
from tests.ops.harness import check, convert, prepare, reference

N, H, W = symbol("N"), symbol("H"), symbol("W")


def op(name: str) -> OpDef:
    found = find(name)
    assert found is not None
    return found


def floats(*shape: Any) -> TensorType:
    return TensorType("float32", shape)


# ── linear ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_linear_has_values_known_by_hand() -> None:
    params = {"weight": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "bias": [0.5, 0.0, -1.0]}
    case = prepare("linear", {"features": 3}, [[[1.0, 10.0]]], params)
    np.testing.assert_array_equal(reference(case)[0], [[21.5, 43.0, 64.0]])


@pytest.mark.parametrize("bias", [True, False])
def test_linear(bias: bool) -> None:
    check("linear", {"features": 4, "bias": bias}, smooth(2))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_linear_over_channels_takes_each_position_by_itself(rank: int, bias: bool) -> None:
    case = check("linear", {"features": 4, "bias": bias, "axis": "channels"}, smooth(rank), free=open_axes(rank))
    moved = np.moveaxis(case.arrays[0], 1, -1) @ case.params["weight"].T + (case.params["bias"] if bias else 0)
    np.testing.assert_allclose(reference(case)[0], np.moveaxis(moved, -1, 1), rtol=1e-12, atol=1e-12)


def test_linear_wants_rank_2() -> None:
    with pytest.raises(ShapeError) as caught:
        op("linear").infer(Linear(features=10), floats(N, 64, 7, 7))
    assert (caught.value.code, caught.value.message) == ("CNN030", "`linear` takes a tensor of rank 2, not 4")
    assert caught.value.inputs == {0: "float32[N, 64, 7, 7]"}
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("flatten first: `-> flatten -> linear(10)`")


def test_linear_wants_a_known_number_of_features() -> None:
    with pytest.raises(ShapeError) as caught:
        op("linear").infer(Linear(features=10), floats(N, 64 * H))
    assert caught.value.code == "CNN033"
    assert caught.value.message.endswith("must be known, but it is 64*H")
    assert caught.value.hint == "for pictures of any size: `-> global_avgpool -> flatten -> linear(10)`"


def test_parameters_of_linear() -> None:
    params = op("linear").params
    assert params is not None
    specs = params(Linear(features=10), floats(N, 64))
    assert list(specs) == ["weight", "bias"]
    assert (specs["weight"].shape, specs["bias"].shape) == ((10, 64), (10,))
    assert specs["weight"].init == Init("kaiming_uniform", fan_in=64, fan_out=10, gain=1.0)
    assert (specs["bias"].init.name, specs["bias"].init.value) == ("uniform", 0.125)
    chosen = params(convert(op("linear"), {"features": 10, "bias": False, "init": "xavier_normal"}), floats(N, 64))
    assert list(chosen) == ["weight"]
    assert chosen["weight"].init == Init("xavier_normal", fan_in=64, fan_out=10, gain=1.0)


def test_cost_of_linear() -> None:
    cost = op("linear").cost
    assert cost is not None
    at_once = cost(Linear(features=10), floats(N, 64))
    assert (at_once.macs, at_once.flops) == (640 * N, 10 * N)
    everywhere = cost(Linear(features=10, bias=False, axis="channels"), floats(2, 64, 3, 5))
    assert (everywhere.macs, everywhere.flops) == (2 * 15 * 640, 0)


def test_linear_lowers_to_what_a_person_writes() -> None:
    both = {"weight": Weight("weight"), "bias": Weight("bias")}
    assert op("linear").lower["pytorch"](Linear(features=10), floats(N, 64)) == Apply("nn.Linear", (64, 10), weights=both)
    dense = op("linear").lower["tensorflow"](Linear(features=10, bias=False), floats(N, 64))
    assert dense == Apply("layers.Dense", (10,), {"use_bias": False}, weights={"kernel": Weight("weight", (1, 0))})
    gemm = op("linear").lower["onnx"](Linear(features=10, bias=False), floats(N, 64))
    assert gemm == Call("Gemm", (Arg(0), Weight("weight")), {"transB": 1})


# ── flatten ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
@pytest.mark.parametrize("symbolic", [False, True])
def test_flatten(rank: int, symbolic: bool) -> None:
    check("flatten", {}, smooth(rank), free=open_axes(rank) if symbolic else None)


def test_flatten_counts_channels_slowest() -> None:
    x = np.arange(12.0).reshape(1, 3, 2, 2)
    np.testing.assert_array_equal(reference(prepare("flatten", {}, [x]))[0], [np.arange(12.0)])


def test_flatten_of_integers_and_bools() -> None:
    check("flatten", {}, np.arange(12).reshape(1, 3, 2, 2))
    check("flatten", {}, np.arange(12).reshape(1, 3, 2, 2) % 3 == 0)


def test_flatten_multiplies_symbolic_sizes() -> None:
    assert str(op("flatten").infer(Flatten(), floats(N, 3, 2 * H, W))) == "float32[N, 6*H*W]"
    with pytest.raises(ShapeError, match="rank 2 or more, not 1"):
        op("flatten").infer(Flatten(), floats(N))


def test_keras_permutes_only_where_space_is_left() -> None:
    lower = op("flatten").lower["tensorflow"]
    assert lower(Flatten(), floats(N, 64)) == Apply("layers.Flatten")
    assert lower(Flatten(), floats(N, 64, 1, 1)) == Apply("layers.Flatten")
    permuted = Apply("layers.Permute", ((3, 1, 2),))
    assert lower(Flatten(), floats(N, 64, 7, 7)) == Apply("layers.Flatten", inputs=(permuted,))


# ── one after the other ──────────────────────────────────────────────────────────────────────────────────────


def flatten_linear() -> OpDef:
    """Flatten, then linear, as one op: the tree of one stands where the other has its input."""

    def flat(x: TensorType) -> TensorType:
        inferred = op("flatten").infer(Flatten(), x)
        assert isinstance(inferred, TensorType)
        return inferred

    def lowered(target: Any) -> Any:
        def lower(a: Linear, x: TensorType) -> Lowered:
            outer = op("linear").lower[target](a, flat(x))
            inner = op("flatten").lower[target](Flatten(), x)
            if isinstance(outer, Apply):
                return replace(outer, inputs=(inner,))
            assert isinstance(outer, Call)
            return replace(outer, args=(inner, *outer.args[1:]))

        return lower

    return replace(
        op("linear"),
        infer=lambda a, x: op("linear").infer(a, flat(x)),
        params=lambda a, x: op("linear").params(a, flat(x)),  # type: ignore[misc]
        evaluate=lambda a, p, x: op("linear").evaluate(a, p, x.reshape(len(x), -1)),
        lower={target: lowered(target) for target in ("pytorch", "tensorflow", "onnx")},
    )


@pytest.mark.parametrize("shape", [(2, 3, 2, 5), (3, 2, 5), (2, 2, 3, 2, 2), (2, 5, 1, 1), (2, 1, 3, 4)])
def test_flatten_then_linear(shape: tuple[int, ...]) -> None:
    check(flatten_linear(), {"features": 4}, np.random.default_rng(0).normal(size=shape))
