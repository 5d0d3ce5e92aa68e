"""The interface of a compiled `.onnx` file: its inputs and outputs, their symbolic sizes, and how pictures are prepared."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convspec.diagnostics import Diagnostic, error, fail
from convspec.ir.dims import DimError, Size, symbol
from convspec.ir.types import TensorType
from convspec.runtime.signature import Signature, TensorSpec, indices_from_json, picture_from_json

_DTYPES = {
    "float": "float32", "double": "float64", "float16": "float16", "bfloat16": "bfloat16",
    "int32": "int32", "int64": "int64", "uint8": "uint8", "bool": "bool",
}  # fmt: skip


def check_readable(path: Path) -> None:
    """Failure CNN306 unless `path` is a file that can be opened."""
    try:
        with path.open("rb"):
            return
    except OSError as problem:
        raise fail(_unreadable(path, (problem.strerror or str(problem)).lower())) from None


def signature_of_session(session: Any, path: Path) -> Signature:
    """The interface of a model that ONNX Runtime has loaded. Failure CNN306 where it is not one of tensors.

    convspec's own models name sizes by expressions (`32*h`), and carry lower bounds in `convspec.bounds`, picture(...) in
    `convspec.picture` and ranges of indices in `convspec.indices`, all JSON. In other models a size that is no plain expression
    stands for itself, as any number.
    """
    meta = session.get_modelmeta()
    try:
        pictures = json.loads(meta.custom_metadata_map.get("convspec.picture", "{}"))
        bounds = json.loads(meta.custom_metadata_map.get("convspec.bounds", "{}"))
        indices = json.loads(meta.custom_metadata_map.get("convspec.indices", "{}"))
        inputs = tuple(_spec(argument, path, bounds, pictures, indices) for argument in session.get_inputs())
        outputs = tuple(_spec(argument, path, bounds, {}, {}) for argument in session.get_outputs())
    except (ValueError, TypeError, AttributeError, KeyError) as problem:
        raise fail(_unreadable(path, f"its convspec metadata is damaged ({problem})")) from None
    return Signature(meta.graph_name or path.stem, inputs, outputs)


def _spec(
    argument: Any, path: Path, bounds: Mapping[str, int], pictures: Mapping[str, Any], indices: Mapping[str, Any]
) -> TensorSpec:
    found = re.fullmatch(r"tensor\((\w+)\)", argument.type)
    if found is None or found[1] not in _DTYPES:
        raise fail(_unreadable(path, f"`{argument.name}` is {argument.type}, which convspec does not have"))
    shape = tuple(size_of(size, f"{argument.name}.{i}", bounds) for i, size in enumerate(argument.shape))
    picture = pictures.get(argument.name)
    return TensorSpec(
        argument.name,
        TensorType(_DTYPES[found[1]], shape),
        picture_from_json(picture) if picture else None,
        indices=indices_from_json(indices.get(argument.name, []), len(shape)),
    )


def size_of(size: int | str | None, place: str, bounds: Mapping[str, int]) -> Size:
    """A declared size; None, which is any number, becomes a name of its own."""
    if isinstance(size, int):
        return size
    if size is None:
        return symbol(f"?{place}")
    try:
        return _expression(ast.parse(size, mode="eval").body, bounds)
    except (SyntaxError, ValueError, DimError, RecursionError, MemoryError):
        return symbol(size)


def _expression(tree: ast.expr, bounds: Mapping[str, int]) -> Size:
    """The sizes that `str(Dim)` writes: integers, names, `+ - * // **`. ValueError for anything else."""
    match tree:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id=name):
            return symbol(name, int(bounds.get(name, 1)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_expression(operand, bounds)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as power)) if 1 <= power <= 8:
            base = _expression(left, bounds)
            product: Size = base
            for _ in range(power - 1):
                product = product * base
            return product
        case ast.BinOp(left=left, op=operator, right=right):
            return _binary(operator, _expression(left, bounds), _expression(right, bounds))
    raise ValueError(f"{ast.unparse(tree)} is no size")


def _binary(operator: ast.operator, left: Size, right: Size) -> Size:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.FloorDiv() if isinstance(right, int) and right > 0:
            return left // right
    raise ValueError("no operator of sizes")


def _unreadable(path: Path, reason: str) -> Diagnostic:
    return error("CNN306", f"cannot read the model {path}: {reason}")


__all__ = ["check_readable", "signature_of_session", "size_of"]
