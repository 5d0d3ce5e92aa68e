"""Inputs of a model: symbolic sizes and their bounds, `picture(...)`, and matching tensors when a model is used as a block."""

from __future__ import annotations

from typing import Any

from convspec.diagnostics import Label
from convspec.elaborate.evaluation import evaluate, integer
from convspec.elaborate.foreign import hint_for_dtype
from convspec.elaborate.frame import Frame
from convspec.elaborate.lookup import MISSING, find
from convspec.elaborate.values import BlockValue, FunctionValue, describe
from convspec.elaborate.walk import descendants
from convspec.ir import dims
from convspec.ir.dims import Dim, Size
from convspec.ir.graph import GraphInput, Picture, Value
from convspec.ir.types import DTYPES, TensorType
from convspec.source import Span
from convspec.syntax import ast


def bind_symbols(frame: Frame, body: ast.Body) -> None:
    """Bind the free names in the dimensions of a model's inputs: to the numbers given for them, others to symbolic sizes
    with the bounds declared on them.
    """
    minimums: dict[str, int] = {}
    for statement in body.statements:
        if isinstance(statement, ast.Input):
            for dim in statement.dims:
                _collect(frame, dim, minimums)
    for name, minimum in minimums.items():
        if name in frame.context.sizes:
            frame.names[name] = frame.context.sizes[name]
            continue
        size = dims.symbol(name, minimum)
        frame.names[name] = size
        frame.context.symbols[name] = size


def _collect(frame: Frame, dim: ast.Expr, minimums: dict[str, int]) -> None:
    if isinstance(dim, ast.Binary) and dim.operator in (">=", ">"):
        name, minimum = _bound(frame, dim)
        minimums[name] = max(minimums.get(name, 1), minimum)
        return
    for node in descendants(dim):
        if isinstance(node, ast.NameRef) and find(frame, node.text) is MISSING:
            minimums.setdefault(node.text, 1)


def _bound(frame: Frame, dim: ast.Binary) -> tuple[str, int]:
    if not isinstance(dim.left, ast.NameRef):
        raise frame.fail("CNN056", "a bound is declared on a name", dim.span, hint="write H >= 32")
    return dim.left.text, integer(frame, dim.right, "a bound") + (dim.operator == ">")


def declared_type(frame: Frame, statement: ast.Input) -> TensorType:
    """The type that an input declares; its names are bound already."""
    if statement.dtype.text not in DTYPES:
        message = f"`{statement.dtype.text}` is not an element type"
        raise frame.fail("CNN056", message, statement.dtype.span, hint=hint_for_dtype(statement.dtype.text))
    return TensorType(statement.dtype.text, tuple(_dimension(frame, dim) for dim in statement.dims))


def _dimension(frame: Frame, dim: ast.Expr) -> Size:
    if isinstance(dim, ast.Binary) and dim.operator in (">=", ">"):
        dim = dim.left
    value = evaluate(frame, dim)
    if isinstance(value, bool) or not isinstance(value, int | Dim):
        taken = isinstance(value, BlockValue | FunctionValue)
        hint = "the name is taken: call the size something else" if taken else None
        raise frame.fail("CNN056", f"a dimension is an integer or a symbolic size, not {describe(value)}", dim.span, hint=hint)
    if dims.at_least(value, 1) is not True:
        if isinstance(value, int):
            raise frame.fail("CNN035", f"a dimension must be at least 1, not {value}", dim.span)
        name = min(dims.symbols(value))
        hint = f"declare a bound, such as {name} >= 8, where `{name}` first stands"
        raise frame.fail("CNN035", f"{value} is not at least 1 for all sizes", dim.span, hint=hint)
    return value


def declare_input(frame: Frame, statement: ast.Input) -> Value:
    """Add an input of the compiled model to the graph."""
    context, name = frame.context, statement.name.text
    first = next((each for each in context.graph.inputs if each.value.name == name), None)
    if first is not None:
        related = [Label(first.span, "the first one")]
        raise frame.fail("CNN023", f"two inputs are called `{name}`", statement.name.span, "the second one", related=related)
    value = Value(context.unique_value_name(name), declared_type(frame, statement))
    picture = _picture(frame, statement.picture, value.type) if statement.picture is not None else None
    context.graph.inputs.append(GraphInput(value, picture, statement.doc, statement.span))
    return value


def match_input(env: Frame, frame: Frame, statement: ast.Input, value: Value, span: Span) -> None:
    """Bind an input of a model used as a block: its dimensions must agree with the tensor's, its names take their sizes."""
    name, actual = statement.name.text, value.type
    if statement.dtype.text != actual.dtype:
        raise env.fail("CNN037", f"`{name}` is {statement.dtype.text}, and this tensor is {actual.dtype}", span)
    if len(statement.dims) != actual.rank:
        raise env.fail("CNN030", f"`{name}` has {len(statement.dims)} axes, and this tensor is {actual}", span)
    for dim, size in zip(statement.dims, actual.shape, strict=True):
        _match_dimension(env, frame, name, dim, size, span)
    frame.names[name] = value


def _match_dimension(env: Frame, frame: Frame, name: str, dim: ast.Expr, size: Size, span: Span) -> None:
    minimum = 1
    if isinstance(dim, ast.Binary) and dim.operator in (">=", ">"):
        _, minimum = _bound(frame, dim)
        dim = dim.left
    unbound = [n for n in descendants(dim) if isinstance(n, ast.NameRef) and find(frame, n.text) is MISSING]
    if len(unbound) == 1:
        frame.names[unbound[0].text] = _solve(env, name, dim, unbound[0], size, span)
    if dims.at_least(size, minimum) is not True:
        raise env.fail("CNN045", f"`{name}` needs a size of at least {minimum} here, not {size}", span)
    expected = evaluate(frame, dim)
    if not dims.equal(expected, size):
        message = f"`{name}` has {dim.span.text} here, and this tensor has {size}"
        raise env.fail("CNN031", message, span, hint=dims.equal(expected, size).hint)


def _solve(env: Frame, name: str, dim: ast.Expr, unknown: ast.NameRef, size: Size, span: Span) -> Size:
    """The value of the one unknown name of a dimension such as `H` or `32*h`."""
    if dim is unknown:
        return size
    if isinstance(dim, ast.Binary) and dim.operator == "*":
        factor, other = (dim.left, dim.right) if dim.right is unknown else (dim.right, dim.left)
        if other is unknown and isinstance(factor, ast.IntLit):
            if size % factor.value == 0:
                return size // factor.value
            message = f"`{name}` has {dim.span.text} here, and {size} is not a multiple of {factor.value}"
            raise env.fail("CNN031", message, span)
    raise env.fail("CNN031", f"cannot tell what `{unknown.text}` is where {dim.span.text} meets {size}", span)


_PICTURE_KEYS = ("size", "mean", "std", "crop", "scale", "invert")


def _picture(frame: Frame, call: ast.Call, declared: TensorType) -> Picture:
    """How `as picture(...)` says that a picture file becomes the tensor."""
    if declared.rank != 4 or declared.channels not in (1, 3):
        message = f"a picture becomes [N, 1 or 3, height, width], not {declared}"
        raise frame.fail("CNN056", message, call.span)
    values: dict[str, Any] = {}
    for arg in call.args:
        if arg.name is None or arg.name.text not in _PICTURE_KEYS:
            hint = f"it takes picture({', '.join(_PICTURE_KEYS)})"
            if arg.name is None:
                raise frame.fail("CNN042", "the arguments of `picture` are named", arg.span, hint=hint)
            raise frame.fail("CNN022", f"`picture` has no parameter `{arg.name.text}`", arg.name.span, hint=hint)
        values[arg.name.text] = _picture_value(frame, arg.name.text, evaluate(frame, arg.value), declared, arg.value.span)
    _check_picture_size(frame, call, values.get("size"), declared)
    return Picture(**values)


def _check_picture_size(frame: Frame, call: ast.Call, size: Any, declared: TensorType) -> None:
    """The prepared picture must be what the input declares, as far as that is known."""
    for given, wanted in zip(size or (), declared.spatial, strict=False):
        if dims.equal(given, wanted).verdict == "never":
            message = f"a picture of {size[0]}x{size[1]} is not what {declared} declares"
            raise frame.fail("CNN056", message, call.span)


def _picture_value(frame: Frame, key: str, value: Any, declared: TensorType, span: Span) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if key == "size":
        sizes = [value, value] if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(sizes, list | tuple) and len(sizes) == 2 and all(type(s) is int and s > 0 for s in sizes):
            return tuple(sizes)
    elif key in ("mean", "std"):
        numbers = [value] * (declared.channels if isinstance(declared.channels, int) else 1) if number else value
        fits = isinstance(numbers, list) and len(numbers) == declared.channels
        if fits and all(isinstance(n, int | float) and (key == "mean" or n > 0) for n in numbers):
            return tuple(float(n) for n in numbers)
    elif key == "invert":
        if isinstance(value, bool):
            return value
    elif number and 0 < value <= (1 if key == "crop" else value):
        return float(value)
    wanted = {
        "size": "a positive integer or [height, width]",
        "mean": f"a number or {declared.channels} of them",
        "std": f"a number above 0 or {declared.channels} of them",
        "invert": "true or false",
        "crop": "a number above 0 and at most 1",
    }.get(key, "a number above 0")
    raise frame.fail("CNN040", f"`{key}` of a picture is {wanted}, not {describe(value)}", span)
