"""What to print for a constant that may differ between moments: the source's own expression if its values agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from convspec.syntax import ast
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.merge import Hole
from convspec.targets.source.tracked import Operation, Origin, Ref, TrackedFloat, TrackedInt, origin_of
from convspec.targets.tensorflow.readable.body import Body
from convspec.targets.tensorflow.readable.values import UNKNOWN, Unsayable, Val, Varied, frozen, same


@dataclass(slots=True)
class Sources:
    """Where the numbers of a lowering can come from: the expressions of attributes, and the inputs."""

    body: Body
    attrs: Mapping[str, ast.Expr]
    inputs: Sequence[Val]
    _codes: dict[int, Code | None] = field(default_factory=dict)

    def expression(self, expr: ast.Expr | None) -> Code | None:
        """A source expression as Python, or None where there is none or it cannot be said."""
        from convspec.targets.tensorflow.readable.expressions import value

        if expr is None:
            return None
        if id(expr) not in self._codes:
            try:
                with self.body.writing() as written:
                    found: Code | None = value(self.body, expr).code
                self._codes[id(expr)] = None if written else found
            except Unsayable:
                self._codes[id(expr)] = None
        return self._codes[id(expr)]

    def attribute(self, name: str) -> Code | None:
        """The expression written for an attribute."""
        return self.expression(self.attrs.get(name))


def hole_code(sources: Sources, hole: Hole) -> Code:
    """The expression for a hole. Varied if there is none for all moments."""
    values = [plain(item) for item in hole.values]
    literal = constant(values)
    for candidate in _candidates(sources, hole):
        if (literal is None or candidate.reads) and _agrees(sources.body, candidate, values, hole.squash):
            return candidate
    if literal is not None:
        return literal
    for name in sources.attrs:
        loose = sources.attribute(name)
        if loose is not None and _agrees(sources.body, loose, values, hole.squash):
            return loose
    if all(isinstance(v, tuple | list) and len(v) == len(values[0]) for v in values):
        columns = zip(*hole.values, strict=True)
        items = [hole_code(sources, Hole(tuple(column), False)) for column in columns]
        return code.sequence(items, "()" if isinstance(values[0], tuple) else "[]")
    raise Varied("a number", sources.body.moments, [frozen(v) for v in values])


def constant(values: Sequence[Any]) -> Code | None:
    """The literal that is the same at every moment, if it can be written."""
    if not all(same(value, values[0]) for value in values):
        return None
    try:
        return code.value(values[0])
    except TypeError:
        return None


def _candidates(sources: Sources, hole: Hole) -> list[Code]:
    """The expressions that the numbers remember, if they all remember the same."""
    found: list[Code | None] = []
    names = {_whole(item) for item in hole.values} if hole.squash else set()
    if len(names) == 1 and (name := names.pop()) is not None:
        found.append(sources.attribute(name))
    origins = {origin_of(item) for item in hole.values if isinstance(item, TrackedInt | TrackedFloat)}
    if len(origins) == 1 and (origin := origins.pop()) is not None:
        found.append(_said(sources, origin))
    return [candidate for candidate in found if candidate is not None]


def _whole(item: Any) -> str | None:
    """The attribute of which a per-axis number, or each number of a tuple, is a part."""
    parts = item if isinstance(item, tuple) else (item,)
    origins = [part.origin for part in parts if isinstance(part, TrackedInt | TrackedFloat)]
    names = {origin.what for origin in origins if isinstance(origin, Ref)}
    if len(origins) != len(parts) or len(names) != 1:
        return None
    kind, name = names.pop()
    return str(name) if kind == "attr" else None


def _said(sources: Sources, origin: Origin) -> Code | None:
    match origin:
        case int():
            return code.value(origin)
        case Operation(operator=operator, left=left, right=right):
            first, second = _said(sources, left), _said(sources, right)
            return code.binary(operator, first, second) if first and second else None
        case Ref(what=("channels", index)) if sources.inputs[index].code.text.isidentifier():
            return code.index(code.attribute(sources.inputs[index].code, "shape"), code.value(-1))
        case Ref(what=("attr", name), path=path):
            return _part(sources, sources.attrs.get(str(name)), path)
    return None


def _part(sources: Sources, expr: ast.Expr | None, path: tuple[int, ...]) -> Code | None:
    """The expression for one number of an attribute: itself, an item of a list that is written out, or of a variable."""
    for position, index in enumerate(path):
        if isinstance(expr, ast.Binary) and isinstance(expr.left, ast.ListLit) and index < len(expr.left.items):
            expr = expr.left  # `[1, x.channels] + rest`
        if isinstance(expr, ast.ListLit) and index < len(expr.items):
            expr = expr.items[index]
        elif isinstance(expr, ast.SizeLit):
            return code.value(expr.values[index])
        else:
            return _indexed(sources, expr, path[position:])
    return sources.expression(expr)


def _indexed(sources: Sources, expr: ast.Expr | None, path: tuple[int, ...]) -> Code | None:
    """`expr` where it is one number for all axes, `expr[axis]` where it is a list."""
    found = sources.expression(expr)
    for index in path:
        if found is None:
            return None
        if all(isinstance(item, list | tuple) for item in sources.body.values(found)):
            found = code.index(found, code.value(index))
    return found


def _agrees(body: Body, expression: Code, values: list[Any], squash: bool) -> bool:
    for found, wanted in zip(body.values(expression), values, strict=True):
        if found is UNKNOWN or not same(squashed(found) if squash else found, squashed(wanted) if squash else wanted):
            return False
    return True


def squashed(item: Any) -> Any:
    """One number for a tuple of equal ones. A list of one stays: where there is one axis, Keras wants the number itself."""
    if isinstance(item, tuple | list) and len(item) > 1 and all(same(part, item[0]) for part in item):
        return squashed(item[0])
    return item


def plain(item: Any) -> Any:
    """A constant without its origin."""
    if isinstance(item, tuple | list):
        return tuple(plain(part) for part in item) if isinstance(item, tuple) else [plain(part) for part in item]
    if isinstance(item, TrackedInt):
        return int(item)
    return float(item) if isinstance(item, TrackedFloat) else item
