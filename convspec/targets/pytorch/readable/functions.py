"""Functions on compile-time values: the language's own as Python's, those of `let` as Python functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from convspec.elaborate.values import FunctionValue
from convspec.syntax import ast
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.values import UNKNOWN, Unsayable, Val
from convspec.targets.source import code
from convspec.targets.source.code import Code


def _named(name: str) -> Callable[..., Code]:
    return lambda *args: code.call(name, args)


def _zip(*args: Code) -> Code:
    """Iterators will do inside `zip`."""
    return code.call("list", [code.call("zip", [_unlisted(arg) for arg in args])])


def _unlisted(arg: Code) -> Code:
    inner = arg.text.removeprefix("list(")[:-1]
    return Code(inner, code.ATOM, arg.reads) if arg.text.startswith("list(reversed(") else arg


def _listed(name: str) -> Callable[..., Code]:
    return lambda *args: code.call("list", [code.call(name, args)])


BUILTINS: dict[str, Callable[..., Code]] = {
    **{name: _named(name) for name in ("abs", "int", "len", "max", "min", "round", "sum")},
    **{name: _named(f"math.{name}") for name in ("ceil", "floor", "log2", "sqrt")},
    "reversed": _listed("reversed"),
    "zip": _zip,
}
_LISTS = ("reversed", "zip")


def call(body: Body, name: str, piped: Sequence[Val], args: Sequence[ast.Arg]) -> Val:
    """`name(args)` where it is a function."""
    from convspec.targets.pytorch.readable.expressions import both, value

    vals = [*piped, *(value(body, arg.value) for arg in args if arg.name is None)]
    named = {arg.name.text: value(body, arg.value) for arg in args if arg.name is not None}
    local = body.moments[0].names.get(name)
    if isinstance(local, FunctionValue):
        return _inlined(body, local.let, vals, named)
    function = body.program.function(body.applications[0].scope, name, lambda let: _samples(body, let, vals, named))
    if function is not None:
        keys = list(named)
        count = len(vals)
        return both(
            lambda *codes: code.call(function, codes[:count], dict(zip(keys, codes[count:], strict=True))),
            *vals,
            *named.values(),
        )
    if name not in BUILTINS:
        raise Unsayable(f"the function `{name}`")
    return both(BUILTINS[name], *vals, many=name in _LISTS)


def _samples(body: Body, let: ast.Let, vals: Sequence[Val], named: Mapping[str, Val]) -> list[dict[str, Any]]:
    """What the parameters of a function are at each moment, as far as that is known."""
    names = [param.name.text for param in let.params or ()]
    given = dict(zip(names, vals, strict=False)) | dict(named)
    found = []
    for moment in body.moments:
        row = {name: body.evaluate(val.init, moment) for name, val in given.items() if val.init is not None}
        for param in let.params or ():
            if param.name.text not in row and isinstance(param.default, ast.IntLit | ast.FloatLit):
                row[param.name.text] = param.default.value
        found.append({name: item for name, item in row.items() if item is not UNKNOWN})
    return found


def _inlined(body: Body, let: ast.Let, vals: Sequence[Val], named: dict[str, Val]) -> Val:
    """The expression of a `let` function within a body, its arguments put in."""
    from convspec.targets.pytorch.readable.expressions import value

    saved = dict(body.env)
    vals = [body.step(val) if val.depth else val for val in vals]
    named = {name: body.step(val) if val.depth else val for name, val in named.items()}
    bound = dict(zip((param.name.text for param in let.params or ()), vals, strict=False)) | named
    for param in let.params or ():
        if param.name.text not in bound and param.default is not None:
            bound[param.name.text] = value(body, param.default)
    body.env = {**saved, **bound}
    try:
        return value(body, let.value)
    finally:
        body.env = saved
