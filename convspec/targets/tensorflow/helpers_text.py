"""The definitions in helpers.py as text, taken out one by one without importing Keras."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from importlib import resources

from convspec.targets.tensorflow.expressions import HELPERS


@cache
def _definitions() -> dict[str, tuple[str, ast.stmt]]:
    """Every class and function of helpers.py by name: its text and its syntax tree, in the order of the file."""
    text = resources.files("convspec.targets.tensorflow").joinpath("helpers.py").read_text(encoding="utf-8")
    found: dict[str, tuple[str, ast.stmt]] = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            decorators = [decorator.lineno for decorator in statement.decorator_list]
            start = min([statement.lineno, *decorators])
            found[statement.name] = ("\n".join(text.splitlines()[start - 1 : statement.end_lineno]), statement)
    return found


def helper_names() -> list[str]:
    """Every helper there is."""
    return list(_definitions())


def helper_texts(names: Iterable[str]) -> list[str]:
    """The definitions that the helpers `names` need, themselves included, in the order of the file."""
    wanted = _closure(names)
    return [text for name, (text, _) in _definitions().items() if name in wanted]


def functions_in_helpers(functions: Iterable[str]) -> list[str]:
    """What the helper functions among `functions` (`helpers.max_pool`) call in turn: `ops.pad`, `layers.Layer`, operators.

    What the methods of a helper layer call is no operation of the model's own, so classes are left out.
    """
    names = [fn.partition(".")[2] for fn in functions if fn.startswith(f"{HELPERS}.")]
    wanted = _closure(names)
    statements = [tree for name, (_, tree) in _definitions().items() if name in wanted and isinstance(tree, ast.FunctionDef)]
    return [fn for statement in statements for node in ast.walk(statement) for fn in _functions(node)]


def _functions(node: ast.AST) -> tuple[str, ...]:
    """What Keras may record where this syntax stands, if its operands are tensors."""
    match node:
        case ast.Attribute(value=ast.Name(id=package), attr=name):
            return (f"{package}.{name}",)
        case ast.BinOp(op=operator) | ast.UnaryOp(op=operator):
            return _OPERATORS.get(type(operator), ())
        case ast.Compare(ops=operators):
            return tuple(fn for operator in operators for fn in _OPERATORS.get(type(operator), ()))
        case ast.Subscript():
            return ("ops.get_item",)
    return ()


_OPERATORS: dict[type[ast.AST], tuple[str, ...]] = {
    **{ast.Add: ("+",), ast.Sub: ("-",), ast.Mult: ("*",), ast.Div: ("/",), ast.USub: ("neg",)},
    **{ast.FloorDiv: ("ops.floor_divide",), ast.Mod: ("ops.mod",), ast.Pow: ("ops.power",)},
    **{ast.Gt: ("ops.greater",), ast.GtE: ("ops.greater_equal",), ast.Lt: ("ops.less",), ast.LtE: ("ops.less_equal",)},
}


def _closure(names: Iterable[str]) -> set[str]:
    wanted, pending = set(), list(names)
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            uses = {node.id for node in ast.walk(_definitions()[name][1]) if isinstance(node, ast.Name)}
            pending.extend(uses & set(_definitions()))
    return wanted


__all__ = ["functions_in_helpers", "helper_names", "helper_texts"]
