"""What to print for a constant that may differ between moments: the source's own expression if its values agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convspec.ir.dims import Dim
from convspec.ir.graph import Node
from convspec.syntax import ast
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import both, value
from convspec.targets.pytorch.readable.values import UNKNOWN, Scope, Unsayable, Val, Varied, frozen, same
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.merge import Hole
from convspec.targets.source.tracked import Operation, Origin, Ref, TrackedFloat, TrackedInt, origin_of


@dataclass(slots=True)
class Sources:
    """Where the numbers of a lowering can come from: the expressions of attributes, and the inputs."""

    body: Body
    attrs: Mapping[str, ast.Expr]
    inputs: Sequence[Val]
    nodes: Sequence[Node] = ()
    _vals: dict[str, Val] | None = None

    def attribute(self, name: str) -> Val | None:
        """The expression written for an attribute, if it can be said."""
        if self._vals is None:
            self._vals = {}
        if name not in self._vals and name in self.attrs:
            try:
                self._vals[name] = value(self.body, self.attrs[name])
            except Unsayable:
                self._vals[name] = Val(None, None)
        return self._vals.get(name)


def hole_code(sources: Sources, hole: Hole, scope: Scope) -> Code:
    """The expression for a hole in one of the methods. Varied if there is none for all moments."""
    body = sources.body
    values = [plain(item) for item in hole.values]
    for candidate in _candidates(sources, hole):
        found = _in(candidate, scope)
        if found is not None and _fits(body, candidate, values, hole):
            return found
    literal = body.constant(values)
    if literal is not None:
        return literal
    for name in sources.attrs:
        said = sources.attribute(name)
        found = _in(said, scope) if said is not None and _certain(body, said, values, hole) else None
        if found is not None:
            return found
    return _spread(sources, hole, scope, values)


def _in(val: Val, scope: Scope) -> Code | None:
    return val.init if scope == "init" else val.fwd


def _certain(body: Body, val: Val, values: list[Any], hole: Hole) -> bool:
    """Whether an expression is known to have the values of a hole."""
    return val.init is not None and _agrees(body, val.init, values, hole) is True


def _spread(sources: Sources, hole: Hole, scope: Scope, values: list[Any]) -> Code:
    """A tuple item by item; `kernel // 2` for pads; else there is no expression."""
    body = sources.body
    if all(isinstance(v, tuple | list) and len(v) == len(values[0]) for v in values):
        columns = zip(*hole.values, strict=True)
        items = [hole_code(sources, Hole(tuple(column), False), scope) for column in columns]
        return code.sequence(items, "()" if isinstance(values[0], tuple) else "[]")
    for val in _pads(sources):
        found = _in(val, scope)
        if found is not None and _certain(body, val, values, hole):
            return found
    if hole.squash and not any(isinstance(v, str) for v in values) and _is_same(sources):
        return code.value("same")
    if any(isinstance(v, Dim) for v in values):
        raise Unsayable("a symbolic size in a lowering")
    raise Varied("a number", body.moments, [frozen(v) for v in values])


def _is_same(sources: Sources) -> bool:
    """Whether the pads are those of `same` at stride 1, which PyTorch knows by that word."""
    written = sources.attribute("pad")
    if written is None or written.init is None:
        return False
    if sources.body.evaluates(written.init, ["same"] * len(sources.body.moments)) is not True:
        return False
    for node in sources.nodes:
        a = node.attrs
        reaches = [d * (k - 1) for d, k in zip(a.dilation, a.kernel, strict=True)]
        if (
            set(a.stride) != {1}
            or [tuple(pair) for pair in a.pad] != [(r // 2, r // 2) for r in reaches]
            or node.op.name != "conv"
        ):
            return False
    return bool(sources.nodes)


def _pads(sources: Sources) -> list[Val]:
    """What pads of `same` come to at stride 1: half the kernel, spread by the dilation."""
    kernel, dilation = sources.attribute("kernel"), sources.attribute("dilation")
    if kernel is None:
        return []
    two, one = Val(code.value(2), code.value(2)), Val(code.value(1), code.value(1))
    simple = both(lambda k, t: code.binary("//", k, t), kernel, two)
    if dilation is None:
        return [simple]
    reach = both(lambda k, o, d: code.binary("*", code.binary("-", k, o), d), kernel, one, dilation)
    return [simple, both(lambda r, t: code.binary("//", r, t), reach, two)]


def _candidates(sources: Sources, hole: Hole) -> list[Val]:
    """The expression that the numbers remember, if they all remember the same."""
    found: list[Val] = []
    if hole.squash:
        names = {_whole(item) for item in hole.values if _is_tracked(item)}
        if len(names) == 1 and (name := names.pop()) is not None:
            found += _whole_attribute(sources, name)
    origins = {origin_of(item) for item in hole.values if _is_tracked(item)}
    if len(origins) == 1 and not any(isinstance(item, tuple) for item in hole.values):
        origin = origins.pop()
        val = _said(sources, origin) if origin is not None else None
        found += [val] if val is not None else []
    return found


def _whole_attribute(sources: Sources, name: str) -> list[Val]:
    """`kernel` for a parameter that holds a number or a size; not for a size that is written out, nor for pairs of pads."""
    if isinstance(sources.attrs.get(name), ast.ListLit | ast.SizeLit):
        return []
    whole = sources.attribute(name)
    if whole is None or whole.init is None:
        return []
    found = [sources.body.evaluate(whole.init, moment) for moment in sources.body.moments]
    flat = all(isinstance(v, int) or (isinstance(v, list | tuple) and all(isinstance(i, int) for i in v)) for v in found)
    return [whole] if flat else []


def _is_tracked(item: Any) -> bool:
    if isinstance(item, tuple):
        return any(_is_tracked(part) for part in item)
    return isinstance(item, TrackedInt | TrackedFloat)


def _whole(item: Any) -> str | None:
    """The attribute of which a per-axis number, or each number of a tuple, is a part."""
    parts = item if isinstance(item, tuple) else (item,)
    names = {part.origin.what for part in parts if _is_tracked(part) and isinstance(part.origin, Ref)}
    if len(names) != 1 or not all(_is_tracked(part) and isinstance(part.origin, Ref) for part in parts):
        return None
    kind, name = names.pop()
    return str(name) if kind == "attr" else None


def _said(sources: Sources, origin: Origin) -> Val | None:
    match origin:
        case int():
            return Val(code.value(origin), code.value(origin))
        case Operation(operator=operator, left=left, right=right):
            parts = _said(sources, left), _said(sources, right)
            if parts[0] is None or parts[1] is None:
                return None
            return both(lambda a, b: code.binary(operator, a, b), parts[0], parts[1])
        case Ref(what=("channels", index)):
            return _channels(sources.inputs[index])
        case Ref(what=("attr", name), path=path):
            return _part(sources, str(name), path)
    return None


def _channels(val: Val) -> Val:
    return Val(val.init, code.index(code.attribute(val.fwd, "shape"), code.value(1)) if val.fwd is not None else None)


def _part(sources: Sources, name: str, path: tuple[int, ...]) -> Val | None:
    """The expression for one number of an attribute: an item of a list that is written out, or of one with a name."""
    expr: ast.Expr | None = sources.attrs.get(name)
    for position, index in enumerate(path):
        if isinstance(expr, ast.ListLit) and index < len(expr.items):
            expr = expr.items[index]
        elif isinstance(expr, ast.SizeLit):
            number = code.value(expr.values[index])
            return Val(number, number)
        else:
            return _indexed(sources, expr, path[position:])
    if expr is None:
        return None
    try:
        return value(sources.body, expr)
    except Unsayable:
        return None


def _indexed(sources: Sources, expr: ast.Expr | None, path: tuple[int, ...]) -> Val | None:
    """`expr` where it is one number for all axes, `expr[axis]` where it is a list."""
    if expr is None:
        return None
    try:
        val = value(sources.body, expr)
    except Unsayable:
        return None
    for index in path:
        found = [sources.body.evaluate(val.init, moment) if val.init else UNKNOWN for moment in sources.body.moments]
        if all(isinstance(item, list | tuple) for item in found):
            val = both(code.index, val, Val(code.value(index), code.value(index)))
    return val


def _fits(body: Body, candidate: Val, values: list[Any], hole: Hole) -> bool:
    """Whether an expression that numbers remember has their values; where that cannot be told it is taken at its word."""
    if candidate.init is None:
        return True
    return _agrees(body, candidate.init, values, hole) is not False


def _agrees(body: Body, expression: Code, values: list[Any], hole: Hole) -> bool | None:
    known = True
    for moment, wanted in zip(body.moments, values, strict=True):
        found = body.evaluate(expression, moment)
        if found is UNKNOWN:
            known = False
        elif not same(squashed(found) if hole.squash else found, squashed(wanted) if hole.squash else wanted):
            return False
    return True if known else None


def squashed(item: Any) -> Any:
    """One number for a tuple of equal ones."""
    if isinstance(item, tuple | list) and item and all(part == item[0] for part in item):
        return squashed(item[0])
    return item


def plain(item: Any) -> Any:
    """A constant without its origin."""
    if isinstance(item, tuple | list):
        return type(item)(plain(part) for part in item) if type(item) in (tuple, list) else tuple(plain(p) for p in item)
    if isinstance(item, TrackedInt):
        return int(item)
    return float(item) if isinstance(item, TrackedFloat) else item
