"""The harness passes what is right and fails what is wrong: each target's lowering is broken in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from convspec import ops
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Const, Lowered, Unsupported, Weight
from convspec.ir.opdef import OpDef, ParamSpec, TargetName
from convspec.ir.types import Array, TensorType
from tests.ops.harness import NotExpressible, check, check_training, scaled_error

KINKS = np.array([[-1.0, 0.0, 0.5], [2.0, 0.0, -3.0]])


def relu() -> OpDef:
    op = ops.find("relu")
    assert op is not None
    return op


def broken(target: TargetName, lowered: Lowered) -> OpDef:
    lower: Mapping[TargetName, Callable[..., Lowered]] = {**relu().lower, target: lambda a, x: lowered}
    return replace(relu(), lower=lower)


def test_a_right_op_passes() -> None:
    check("relu", {}, KINKS)


@pytest.mark.parametrize(
    ("target", "lowered", "message"),
    [
        ("pytorch", Call("torch.abs", (Arg(0),)), "PyTorch float64, output 0: scaled error"),
        ("tensorflow", Call("ops.absolute", (Arg(0),)), "Keras float64, output 0: scaled error"),
        ("tensorflow", Call("ops.maximum", (Arg(0), 0.0)), r"Keras float64, gradient of input 0: .* worst at \(1, 1\)"),
        ("onnx", Call("Abs", (Arg(0),)), "ONNX Runtime, output 0: scaled error"),
        ("onnx", Call("ReduceMax", (Arg(0), Const((1,), "int64"))), "ONNX infers"),
    ],
)
def test_a_wrong_lowering_fails(target: TargetName, lowered: Lowered, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(broken(target, lowered), {}, KINKS)


def test_a_wrong_reference_fails() -> None:
    with pytest.raises(AssertionError, match="PyTorch float64, output 0"):
        check(replace(relu(), evaluate=lambda a, p, x: np.abs(x)), {}, KINKS)


def test_a_wrong_shape_rule_fails() -> None:
    with pytest.raises(AssertionError, match=r"evaluate gives \(2, 3\), infer says float32\[n0_2, 4\]"):
        check(replace(relu(), infer=lambda a, x: x.with_shape((x.shape[0], 4))), {}, KINKS)


def test_a_layer_whose_weights_are_not_all_said_fails() -> None:
    forgetful = scale((1, 0))
    lower = {**forgetful.lower, "pytorch": lambda a, x: Apply("nn.Linear", (3, 3), weights={"weight": Weight("weight")})}
    with pytest.raises(AssertionError, match=r"does not say what its \['bias'\] hold"):
        check(replace(forgetful, lower=lower), {}, KINKS)


def test_wrong_running_statistics_fail() -> None:
    """Keras's own layer, whose running variance is the biased one, has the outputs and gradients but not the statistics."""
    batchnorm = ops.find("batchnorm")
    assert batchnorm is not None

    def biased(a: Any, x: TensorType) -> Lowered:
        ours = batchnorm.lower["tensorflow"](a, x)
        assert isinstance(ours, Apply)
        return replace(ours, fn="layers.BatchNormalization", kwargs={"momentum": 0.9, "epsilon": 1e-5})

    wrong = replace(batchnorm, lower={**batchnorm.lower, "tensorflow": biased})
    with pytest.raises(AssertionError, match="Keras, training step 1, running_var"):
        check_training(wrong, {}, KINKS, KINKS + 1)


def test_an_unsupported_lowering_is_raised_with_its_reason() -> None:
    with pytest.raises(NotExpressible, match="no such thing"):
        check(broken("onnx", Unsupported("no such thing")), {}, KINKS)


def scale(keras_layout: tuple[int, ...] | None) -> OpDef:
    """x · wᵀ, with the weight stored (out, in): a layer with a parameter, for the harness alone."""

    def evaluate(a: Any, p: Mapping[str, Array], x: Array) -> Array:
        product: Array = x @ p["weight"].T
        return product

    def dense(a: Any, x: TensorType) -> Lowered:
        return Apply("layers.Dense", (3,), {"use_bias": False}, weights={"kernel": Weight("weight", keras_layout)})

    return OpDef(
        name="scale",
        attrs=relu().attrs,
        summary="",
        infer=lambda a, x: x,
        params=lambda a, x: {"weight": ParamSpec((3, 3), Init("kaiming_uniform", 3))},
        evaluate=evaluate,
        lower={
            "pytorch": lambda a, x: Apply("nn.Linear", (3, 3), {"bias": False}, weights={"weight": Weight("weight")}),
            "tensorflow": dense,
            "onnx": lambda a, x: Call("MatMul", (Arg(0), Weight("weight", (1, 0)))),
        },
    )


def test_weights_are_put_into_the_layout_of_the_target() -> None:
    check(scale((1, 0)), {}, KINKS)
    with pytest.raises(AssertionError, match="Keras float64, output 0"):
        check(scale(None), {}, KINKS)


def test_scaled_error_sees_shapes_and_nan() -> None:
    nan = np.array([1.0, np.nan])
    assert scaled_error(nan, nan) == 0
    assert scaled_error(np.array([1.0, 2.0]), nan) == float("inf")
    assert scaled_error(np.array([1.0]), nan) == float("inf")
    assert scaled_error(np.array([0.0, 3.0]), np.array([0.0, 2.0])) == 0.5
    assert scaled_error(np.array([1e-3]), np.array([0.0])) == 1e-3
