"""Parameters of generated classes: types, defaults, and an order that Python takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convspec.syntax import ast
from convspec.targets.pytorch.readable import factories
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.program import Parameter
from convspec.targets.pytorch.readable.values import UNKNOWN, Unsayable
from convspec.targets.source import quote
from convspec.targets.source.statements import Line

_ANNOTATIONS = {"int": "int", "float": "float", "bool": "bool", "string": "str", "size": "int | Sequence[int]"}


def parameter(body: Body, param: ast.Param) -> Parameter:
    """A parameter of the block. The model's own defaults are the values that it was compiled with."""
    name = param.name.text
    values = [application.bindings[name] for application in body.applications]
    found = Parameter(name, body.local(name), False, _annotation(param, values))
    if body.is_root:
        found.default, found.default_value = quote.literal(_tuples(values[0])), values[0]
    elif param.default is not None:
        _set_default(body, param, found)
    return found


def stage_parameter(body: Body, param: ast.Param) -> Parameter:
    """A stage that instances are given as a function from channels to a module."""
    name = param.name.text
    found = Parameter(name, body.local(name), False, factories.ANNOTATION, is_stage=True)
    said = factories.default(body, name) if param.default is not None else None
    if said is not None:
        found.default = said.text
    return found


def _set_default(body: Body, param: ast.Param, found: Parameter) -> None:
    assert param.default is not None
    try:
        said = value(body, param.default).init
    except Unsayable:
        said = None
    if said is None:
        return
    if said.reads - body.program.constants.keys():
        found.default, found.default_value = "None", UNKNOWN
        found.annotation += " | None"
        return
    worth = body.evaluate(said, body.moments[0])
    if worth is not UNKNOWN:
        found.default_value = worth
        found.default = quote.literal(_tuples(worth)) if isinstance(worth, list) else said.text


def default_lines(body: Body, found: Parameter) -> list[Line]:
    """What stands at the top of `__init__` for a default that depends on other parameters."""
    if found.default != "None" or found.default_value is not UNKNOWN:
        return []
    param = next(p for p in body.applications[0].block.params if p.name.text == found.source)
    assert param.default is not None
    said = value(body, param.default).init if param.default is not None else None
    if said is None:
        return []
    text = f"{found.python} = {said.at(2)} if {found.python} is None else {found.python}"
    return [Line(text, said.reads | {found.python}, frozenset((found.python,)))]


def _tuples(item: Any) -> Any:
    """Lists as tuples: a default must not be one that could be changed."""
    return tuple(_tuples(part) for part in item) if isinstance(item, list | tuple) else item


def _annotation(param: ast.Param, values: Sequence[Any]) -> str:
    kind = param.type.text if param.type is not None else ""
    if kind in _ANNOTATIONS:
        return _ANNOTATIONS[kind]
    if all(isinstance(item, list) for item in values):
        parts = {type(part).__name__ for item in values for part in item}
        return f"Sequence[{parts.pop()}]" if len(parts) == 1 and parts <= {"int", "float", "str", "bool"} else "Sequence"
    kinds = sorted({type(item).__name__ for item in values if isinstance(item, bool | int | float | str)})
    return " | ".join(kinds) if kinds and len(kinds) == len({type(item).__name__ for item in values}) else "object"


def check_order(parameters: Sequence[Parameter]) -> None:
    """Python takes no plain parameter after one with a default: from there on they are given by keyword."""
    defaulted = False
    for position, found in enumerate(parameters):
        if defaulted and found.default is None:
            first = next(i for i, other in enumerate(parameters) if other.default is not None)
            for other in parameters[first:]:
                other.keyword_only = True
            return
        defaulted = defaulted or found.default is not None
        del position


def signature(parameters: Sequence[Parameter]) -> str:
    """`self, in_channels: int, width: int, stride: int = 1`."""
    parts = ["self"]
    for found in parameters:
        if found.keyword_only and "*" not in parts:
            parts.append("*")
        default = f" = {found.default}" if found.default is not None else ""
        parts.append(f"{found.python}: {found.annotation}{default}")
    return ", ".join(parts)
