"""Functions on compile-time values: the language's own as Python's; those of `let` are written in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from convspec.elaborate.values import FunctionValue
from convspec.syntax import ast
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.tensorflow.readable.body import Body
from convspec.targets.tensorflow.readable.values import Unsayable, Val


def _named(name: str) -> Callable[..., Code]:
    return lambda *args: code.call(name, args)


def _listed(name: str) -> Callable[..., Code]:
    return lambda *args: code.call("list", [code.call(name, args)])


BUILTINS: dict[str, Callable[..., Code]] = {
    **{name: _named(name) for name in ("abs", "int", "len", "max", "min", "round", "sum")},
    **{name: _named(f"math.{name}") for name in ("ceil", "floor", "log2", "sqrt")},
    "reversed": _listed("reversed"),
    "zip": _listed("zip"),
}
_LISTS = ("reversed", "zip")


def call(body: Body, name: str, piped: Sequence[Val], args: Sequence[ast.Arg]) -> Val:
    """`name(args)` where it is a function that applies no layer."""
    from convspec.targets.tensorflow.readable.expressions import separately

    vals = [*piped, *separately(body, [arg.value for arg in args if arg.name is None])]
    named = [arg for arg in args if arg.name is not None]
    written = dict(
        zip([arg.name.text for arg in named if arg.name], separately(body, [arg.value for arg in named]), strict=True)
    )
    let = _let(body, name)
    vals = [_kept(body, val) for val in vals]
    if let is not None:
        return _in_place(body, let, vals, written)
    if name not in BUILTINS or written:
        raise Unsayable(f"the function `{name}`")
    found = BUILTINS[name](*(val.code for val in vals))
    return Val(found, name in _LISTS and any(val.tensors for val in vals), name in _LISTS)


def iterable(body: Body, expr: ast.Expr) -> Code:
    """What a loop goes through. There `reversed` and `zip` need not be lists."""
    from convspec.targets.tensorflow.readable.expressions import value

    found = value(body, expr).code
    is_list = isinstance(expr, ast.Call) and expr.function.text in _LISTS and _let(body, expr.function.text) is None
    return Code(found.text[len("list(") : -1], reads=found.reads) if is_list else found


def _kept(body: Body, val: Val) -> Val:
    """The value in a variable of its own, if it takes computing: a function may read it twice."""
    with body.aiming(None):
        return body.keep(val) if val.depth else val


def _let(body: Body, name: str) -> ast.Let | None:
    local = body.moments[0].names.get(name)
    if isinstance(local, FunctionValue):
        return local.let
    return body.program.function(body.applications[0].scope, name)


def _in_place(body: Body, let: ast.Let, vals: Sequence[Val], named: dict[str, Val]) -> Val:
    """The function's expression with its arguments put in."""
    from convspec.targets.tensorflow.readable.expressions import value

    params = let.params or ()
    saved = dict(body.env)
    bound = dict(zip((param.name.text for param in params), vals, strict=False)) | named
    body.env = {**saved, **bound}
    try:
        for param in params:
            if param.name.text not in bound and param.default is not None:
                body.env[param.name.text] = value(body, param.default)
        return value(body, let.value)
    finally:
        body.env = saved
