"""Binding arguments to the parameters of a block, model or function, with their types and defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from convspec.diagnostics import Diagnostic, Failure, Label, error
from convspec.elaborate.evaluation import evaluate, wanted_by
from convspec.elaborate.frame import Frame
from convspec.elaborate.nearest import did_you_mean
from convspec.elaborate.use import Use
from convspec.elaborate.values import LayerValue, StageValue, describe
from convspec.ir.attrs import Extent
from convspec.ir.dims import Dim
from convspec.ir.graph import Value
from convspec.source import Span
from convspec.syntax import ast


def _is_int(value: Any) -> bool:
    return isinstance(value, int | Dim) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "tensor": lambda value: isinstance(value, Value),
    "stage": lambda value: isinstance(value, StageValue | LayerValue),
    "int": _is_int,
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "size": lambda value: isinstance(value, Extent | list) or _is_int(value),
}
TYPE_NAMES = tuple(_TYPES)


def bind_parameters(
    use: Use,
    frame: Frame,
    owner: str,
    params: Sequence[ast.Param],
    preset: Mapping[str, Any],
    piped: Sequence[Any],
) -> dict[str, ast.Expr]:
    """Bind every parameter in `frame.names` and return the expressions that were written for them.

    The piped value goes to the first parameter that takes it, positional arguments to the others in order. `preset` holds
    values that a configuration fixed; an argument may still replace one.
    """
    written = _match(use, owner, params, piped)
    for param in params:
        name = param.name.text
        if name in written and isinstance(written[name], Piped):
            value, span = written[name].value, use.span
        elif name in written:
            expr = written[name]
            value, span = evaluate(use.env, expr, wanted_by(param)), expr.span
        elif name in preset:
            value, span = preset[name], use.span
        elif param.default is not None:
            value, span = evaluate(frame, param.default, wanted_by(param)), param.default.span
        else:
            raise _missing(use, owner, params, param)
        frame.names[name] = convert(frame if name not in written else use.env, param, value, span)
    return {name: expr for name, expr in written.items() if not isinstance(expr, Piped)}


class Piped:
    """Marks a parameter that took the value on the left of `->`."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _match(use: Use, owner: str, params: Sequence[ast.Param], piped: Sequence[Any]) -> dict[str, Any]:
    names = [param.name.text for param in params]
    written: dict[str, Any] = {}
    for value in piped:
        written[_piped_parameter(use, owner, params, value)] = Piped(value)
    free = [name for name in names if name not in written]
    positional = [arg for arg in use.args if arg.name is None]
    if len(positional) > len(free):
        message = f"`{owner}` takes at most {_count(len(free), 'argument')} here, and {len(positional)} are given"
        raise use.env.fail("CNN042", message, positional[len(free)].span, hint=signature(owner, params))
    for name, arg in zip(free, positional, strict=False):
        written[name] = arg.value
    for arg in use.args:
        if arg.name is None:
            continue
        name = arg.name.text
        if name not in names:
            hint = did_you_mean(name, names, signature(owner, params))
            raise use.env.fail("CNN022", f"`{owner}` has no parameter `{name}`", arg.name.span, hint=hint)
        if name in written:
            raise use.env.fail("CNN042", f"`{name}` is given twice", arg.name.span)
        written[name] = arg.value
    return written


def _piped_parameter(use: Use, owner: str, params: Sequence[ast.Param], value: Any) -> str:
    """A tensor goes to the first parameter of type tensor, a list to the first list; an untyped parameter takes either."""
    kind = "tensor" if isinstance(value, Value) else "list" if isinstance(value, list) else None
    for wanted in (kind, None):
        for param in params:
            if (param.type.text if param.type else None) == wanted:
                return param.name.text
    message = f"`{owner}` takes no {kind or 'such value'} on the left of `->`"
    raise use.env.fail("CNN048", message, use.span, hint=signature(owner, params))


def convert(frame: Frame, param: ast.Param, value: Any, span: Span) -> Any:
    """The value as the parameter's type takes it, or CNN040."""
    if param.type is None:
        return value
    if param.type.text not in _TYPES:
        raise frame.failed(unknown_type(param.type))
    if not fits(param, value):
        raise frame.failed(misfit(param, value, span))
    return float(value) if param.type.text == "float" else value


def fits(param: ast.Param, value: Any) -> bool:
    """Whether a value is of the parameter's type, which must be a known one or none."""
    return param.type is None or _TYPES[param.type.text](value)


def unknown_type(written: ast.Name) -> Diagnostic:
    """The error for a type that parameters do not have."""
    hint = did_you_mean(written.text, TYPE_NAMES, f"known: {', '.join(TYPE_NAMES)}")
    return error("CNN040", f"`{written.text}` is not a type of parameter", written.span, hint=hint)


def misfit(param: ast.Param, value: Any, span: Span) -> Diagnostic:
    """The error for a value at `span` that is not of the parameter's type."""
    kind = param.type.text if param.type is not None else ""
    message = f"`{param.name.text}` takes {_article(kind)}, not {describe(value)}"
    related = [Label(param.span, "declared here")] if span != param.span else []
    hint = "tensors come before other values: x -> Fuse(y, 64)" if kind == "tensor" else None
    return error("CNN040", message, span, related=related, hint=hint)


def _missing(use: Use, owner: str, params: Sequence[ast.Param], param: ast.Param) -> Failure:
    kind = f": {param.type.text}" if param.type else ""
    message = f"`{owner}` needs its parameter `{param.name.text}{kind}`"
    return use.env.fail("CNN041", message, use.span, hint=signature(owner, params))


def signature(owner: str, params: Sequence[ast.Param]) -> str:
    """`it takes Bottleneck(x: tensor, width: int, stride: int = 1)`, for hints."""
    return f"it takes {owner}({', '.join(param.span.text for param in params)})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
