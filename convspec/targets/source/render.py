"""A lowering tree as a Python expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convspec.ir.lowering import Apply, Arg, Args, Call
from convspec.targets.source import code
from convspec.targets.source.code import Code

OPERATORS = ("+", "-", "*", "/", "**", "@", ">", ">=", "<", "<=", "==", "!=")

UNARY_OPERATORS = {"neg": "-", "not": "~"}

HELPERS = "helpers."
"""How the names of functions and layers begin that a file carries with it; it calls them by the rest."""


def render(
    tree: Any,
    inputs: Sequence[Code],
    layer: Callable[[Apply], Code],
    constant: Callable[[Any], Code] = code.value,
    inputs_as_list: Code | None = None,
) -> Code:
    """`tree` with `inputs` for its tensors, `layer(apply)` for its layer object and `constant` for every constant in it.

    `inputs_as_list` stands for `Args()`: an expression that is the list of all inputs already.
    """

    def visit(part: Any) -> Code:
        match part:
            case Arg(index=index):
                return inputs[index]
            case Args():
                return inputs_as_list or code.sequence(inputs)
            case Apply(kept=kept) if kept:
                return layer(part)
            case Apply():
                return code.call(layer(part), [visit(item) for item in part.inputs])
            case Call():
                return _call(part, visit)
            case tuple() | list() if _holds_tensors(part):
                return code.sequence([visit(item) for item in part], "()" if isinstance(part, tuple) else "[]")
        return constant(part)

    return visit(tree)


def _holds_tensors(part: Any) -> bool:
    if isinstance(part, tuple | list):
        return any(_holds_tensors(item) for item in part)
    return isinstance(part, Arg | Args | Call | Apply)


def _call(call: Call, visit: Callable[[Any], Code]) -> Code:
    args = [visit(arg) for arg in call.args]
    kwargs = {name: visit(arg) for name, arg in call.kwargs.items()}
    if call.fn in OPERATORS and len(args) == 2:
        return code.binary(call.fn, *args)
    if call.fn in UNARY_OPERATORS:
        return code.unary(UNARY_OPERATORS[call.fn], *args)
    if call.fn.startswith("."):
        return code.method(args[0], call.fn[1:], args[1:], kwargs)
    return code.call(call.fn.removeprefix(HELPERS), args, kwargs)


MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
"""How Python asks the right side of a comparison whose left side is a plain number."""


def find_apply(tree: Any) -> Apply | None:
    """The layer object in a lowering: the one that holds weights, else the only one."""
    found = [part for part in parts(tree) if isinstance(part, Apply)]
    return next((part for part in found if part.weights), found[0] if found else None)


def uses(tree: Any, index: int) -> int:
    """How often a lowering uses its input number `index`."""
    if isinstance(tree, Arg):
        return int(tree.index == index)
    if isinstance(tree, Call):
        return sum(uses(part, index) for part in (*tree.args, *tree.kwargs.values()))
    if isinstance(tree, Apply):
        return sum(uses(part, index) for part in tree.inputs)
    return sum(uses(part, index) for part in tree) if isinstance(tree, tuple | list) else 0


def parts(tree: Any) -> list[Any]:
    """Every Call and Apply in a lowering, outermost first."""
    match tree:
        case Call(args=args, kwargs=kwargs):
            return [tree, *(part for item in (*args, *kwargs.values()) for part in parts(item))]
        case Apply(inputs=inputs):
            return [tree, *(part for item in inputs for part in parts(item))]
        case tuple() | list():
            return [part for item in tree for part in parts(item)]
    return []
