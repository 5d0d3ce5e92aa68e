"""The definitions in `helpers/` as text, and what Keras records of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from convspec.targets.source.material import Material
from convspec.targets.tensorflow.expressions import HELPERS

_MATERIAL = Material(Path(__file__).parent / "helpers")


def helper_names() -> list[str]:
    """Every helper there is."""
    return list(_MATERIAL.texts)


def helper_texts(names: Iterable[str]) -> list[str]:
    """The definitions that the helpers `names` need, themselves included, each after what it uses."""
    return _MATERIAL.text_of(names)


def functions_in_helpers(functions: Iterable[str]) -> list[str]:
    """What the helper functions among `functions` (`helpers.max_pool`) call in turn: `ops.pad`, `layers.Layer`, operators.

    What the methods of a helper layer call is no operation of the model's own, so classes are left out.
    """
    names = {fn.partition(".")[2] for fn in functions if fn.startswith(f"{HELPERS}.")}
    statements = [_MATERIAL.tree(name) for name in _MATERIAL.needed(names)]
    used = [statement for statement in statements if isinstance(statement, ast.FunctionDef)]
    return [fn for statement in used for node in ast.walk(statement) for fn in _functions(node)]


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
    **{ast.FloorDiv: ("ops.floor_divide",), ast.Mod: ("ops.mod",), ast.Pow: ("ops.power",), ast.MatMult: ("ops.matmul",)},
    **{ast.Gt: ("ops.greater",), ast.GtE: ("ops.greater_equal",), ast.Lt: ("ops.less",), ast.LtE: ("ops.less_equal",)},
    **{ast.Eq: ("ops.equal",), ast.NotEq: ("ops.not_equal",), ast.Invert: ("ops.logical_not",)},
}

__all__ = ["functions_in_helpers", "helper_names", "helper_texts"]
