"""What comparisons share: two tensors, or a tensor and a plain number, give a tensor of bool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import TargetName
from convspec.ir.types import Array, TensorType
from convspec.ops._dtypes import onnx_cast
from convspec.ops._elementwise import Sides, both, broadcast

_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
_KERAS = {"==": "ops.equal", "!=": "ops.not_equal"}  # these operators compare Keras's symbolic tensors as objects
_ONNX = {">": "Greater", ">=": "GreaterOrEqual", "<": "Less", "<=": "LessOrEqual", "==": "Equal", "!=": "Equal"}


def truths(symbol: str) -> Callable[..., TensorType]:
    """Shape rule of `a symbol b`: that of arithmetic, with elements of bool."""
    infer = broadcast(symbol)

    def compared(a: Sides, *types: TensorType) -> TensorType:
        return TensorType("bool", infer(a, *types).shape)

    return compared


def comparing(symbol: str, compute: Callable[[Any, Any], Any]) -> Callable[..., Array]:
    """The reference of a comparison."""

    def evaluate(a: Sides, p: object, *arrays: Array) -> Array:
        result: Array = compute(*both(symbol, a, arrays[0].dtype.name, arrays))
        return result

    return evaluate


def comparison_lowerings(symbol: str) -> Mapping[TargetName, Callable[..., Lowered]]:
    """The Python operator where there is one, with the tensor on its left; the op type on ONNX."""

    def written(a: Sides, types: tuple[TensorType, ...]) -> tuple[str, tuple[Any, Any]]:
        left, right = both(symbol, a, types[0].dtype, tuple(Arg(i) for i in range(len(types))))
        return (symbol, (left, right)) if isinstance(left, Arg) else (_MIRRORED[symbol], (right, left))

    def to_torch(a: Sides, *types: TensorType) -> Lowered:
        return Call(*written(a, types))

    def to_keras(a: Sides, *types: TensorType) -> Lowered:
        fn, sides = written(a, types)
        return Call(_KERAS.get(fn, fn), sides)

    def to_onnx(a: Sides, *types: TensorType) -> Lowered:
        fn, sides = written(a, types)
        dtype = types[0].dtype
        wide = "int32" if dtype == "uint8" else dtype  # ONNX Runtime has no kernels for bytes
        tensors = [side if isinstance(side, Arg) else Const(side, wide) for side in sides]
        if wide != dtype:
            tensors = [onnx_cast(side, wide) if isinstance(side, Arg) else side for side in tensors]  # type: ignore[misc]
        found = Call(_ONNX[fn], tuple(tensors))
        return Call("Not", (found,)) if symbol == "!=" else found

    return {"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx}
