"""Ops as Keras layers and functions: one lowering for all moments, its constants as expressions, its name from the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from convspec.elaborate.module import OpEvent
from convspec.ir.graph import Node
from convspec.ir.lowering import Apply, Arg, Call
from convspec.syntax import ast
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.merge import Differ, Hole, merge
from convspec.targets.source.statements import Branch, assign
from convspec.targets.tensorflow.equivalents import RULES
from convspec.targets.tensorflow.expressions import layer_of
from convspec.targets.tensorflow.readable.body import Body
from convspec.targets.tensorflow.readable.holes import Sources, hole_code
from convspec.targets.tensorflow.readable.values import Unsayable, Val, Varied

OPERATORS = ("+", "-", "*", "/", "neg", "**", "@", ">", ">=", "<", "<=")


def apply_op(
    body: Body, events: Sequence[Any], inputs: Sequence[Val], attrs: Mapping[str, ast.Expr], layer: Code | None = None
) -> Val:
    """What the op is on these inputs. `attrs` are the expressions written for its attributes; `layer` is a shared layer."""
    if not all(isinstance(event, OpEvent) for event in events):
        raise Varied("what is applied", body.moments, [type(event).__name__ for event in events])
    if any(len(event.nodes) != 1 for event in events) or (inputs[0].many and not events[0].nodes[0].op.variadic):
        return _chain(body, events, inputs)
    nodes = [event.nodes[0] for event in events]
    inputs = _named_once(body, body.program.tree(nodes[0]), inputs)
    printer = _Printer(body, nodes, Sources(body, {**events[0].args, **attrs}, inputs), layer)
    trees: list[Any] = [body.program.tree(node) for node in nodes]
    padded = [_padding(tree) for tree in trees]
    if any(padded) and not all(padded):
        inputs = [printer.padded_at_times(padded)]
        trees = [replace(tree, inputs=(Arg(0),)) if pad else tree for tree, pad in zip(trees, padded, strict=True)]
    return printer.tree(_merged(body, trees), inputs)


def _named_once(body: Body, tree: Any, inputs: Sequence[Val]) -> list[Val]:
    """The inputs, those in variables that the tree reads more than once, so that nothing is computed twice."""
    reads, found = _reads(tree), []
    for index, val in enumerate(inputs):
        with body.aiming(None):
            found.append(body.keep(val) if reads.count(index) > 1 and not val.code.text.isidentifier() else val)
    return found


def _reads(tree: Any) -> list[int]:
    match tree:
        case Arg(index=index):
            return [index]
        case Apply(inputs=inner) | Call(args=inner) | (tuple(inner) | list(inner)):
            return [index for part in inner for index in _reads(part)]
    return []


def _merged(body: Body, trees: Sequence[Any]) -> Any:
    try:
        return merge(trees, RULES)
    except Differ as problem:
        raise Varied("a lowering", body.moments, problem.keys) from None


def _padding(tree: Any) -> Apply | None:
    """The layer that pads the input of a convolution, if it is there."""
    if isinstance(tree, Apply) and tree.weights and len(tree.inputs) == 1 and isinstance(tree.inputs[0], Apply):
        inner = tree.inputs[0]
        return inner if inner.inputs == (Arg(0),) and "ZeroPadding" in inner.fn else None
    return None


def _chain(body: Body, events: Sequence[OpEvent], inputs: Sequence[Val]) -> Val:
    """`sum(xs)`: additions from the left."""
    (xs,) = inputs
    counts = [len(event.nodes) for event in events]
    if not xs.many:
        raise Unsayable("a sum of something that is no list")
    if any(node.op.name != "add" for event in events for node in event.nodes):
        raise Unsayable("several nodes at one place")
    if set(counts) == {0}:
        return Val(code.index(xs.code, code.value(0)), tensors=True)
    if xs.items is not None:
        return Val(reduce(lambda total, item: code.binary("+", total, item), xs.items), tensors=True)
    found = code.call("functools.reduce", [Code("operator.add"), xs.code])
    return Val(found, tensors=True, depth=1)


class _Printer:
    """A merged lowering, printed inside out: each layer or function in it that is not the last gets a statement."""

    def __init__(self, body: Body, nodes: Sequence[Node], sources: Sources, layer: Code | None) -> None:
        self.body, self.nodes, self.sources, self.layer = body, nodes, sources, layer

    def tree(self, tree: Any, inputs: Sequence[Val]) -> Val:
        match tree:
            case Arg(index=index):
                return inputs[index]
            case Call(args=args):
                return self._finished(Call(tree.fn, self._flat(args, inputs), tree.kwargs), inputs)
            case Apply(inputs=inner):
                return self._finished(Apply(tree.fn, tree.args, tree.kwargs, self._flat(inner, inputs), tree.weights), inputs)
        raise Unsayable(f"a lowering {tree!r}")

    def padded_at_times(self, pads: Sequence[Apply | None]) -> Val:
        """The input, padded by an `if` at those moments at which it is."""
        body, wanted = self.body, [pad is not None for pad in pads]
        amount = self.sources.attribute("pad")
        condition = code.binary(">", amount, code.value(0)) if amount else None
        if condition is None or not body.agrees(condition, wanted):
            raise Varied("whether there is padding", body.moments, wanted)
        (source,) = self.sources.inputs
        name = body.target or body.spare()
        body.target = name
        if source.code.text != name:
            body.block.append(assign(name, source.code))
        moments = [moment for moment, pad in zip(body.moments, wanted, strict=True) if pad]
        with body.only(moments), body.writing() as written:
            merged = _merged(body, [pad for pad in pads if pad is not None])
            written.append(assign(name, self.tree(merged, [source.named(code.name(name))]).code))
        body.block.append(Branch(condition, written))
        return source.named(code.name(name))

    def _flat(self, parts: Sequence[Any], inputs: Sequence[Val]) -> tuple[Any, ...]:
        """The inputs of a call with every call among them put into a variable, one that nothing else here reads."""
        reads = _reads(tuple(parts))
        found: list[Any] = []
        for part in parts:
            with self.body.aiming(self.body.target if len(reads) == 1 else None):
                found.append(_Made(self._kept(part, inputs)) if isinstance(part, Call | Apply) else part)
        return tuple(found)

    def _kept(self, part: Any, inputs: Sequence[Val]) -> Val:
        found = self.tree(part, inputs)
        return self.body.keep(found) if found.depth else found

    def _finished(self, tree: Call | Apply, inputs: Sequence[Val]) -> Val:
        expressions = self.body.program.expressions
        made = [part.val for part in (tree.args if isinstance(tree, Call) else tree.inputs) if isinstance(part, _Made)]
        every = [*inputs, *made]
        numbered = _numbered(tree, len(inputs))
        found = expressions.of(numbered, [val.code for val in every], self._layer, self._constant, _as_list(inputs))
        depth = max((val.depth for val in every), default=0) + (getattr(tree, "fn", "") not in OPERATORS)
        single = self.nodes[0].op.is_single(self.nodes[0].attrs)
        return Val(found, tensors=True, many=not single, depth=depth)

    def _constant(self, part: Any) -> Code:
        return hole_code(self.sources, part) if isinstance(part, Hole) else code.value(part)

    def _layer(self, apply: Apply) -> Code:
        if self.layer is not None:
            return self.layer
        return constructor(self.body, apply, self.nodes, self._constant)


def constructor(body: Body, apply: Apply, nodes: Sequence[Node], constant: Any) -> Code:
    """The layer that holds the nodes' weights, with its name."""
    name = label_code(body, [node.path for node in nodes])
    return body.shared(body.program.expressions.constructor(apply, constant, name=name))


def make_layer(body: Body, nodes: Sequence[Node], attrs: Mapping[str, ast.Expr]) -> Code | None:
    """A shared layer where it is declared; None if the op has no weights, so that there is nothing to share."""
    tree = _merged(body, [body.program.tree(node) for node in nodes])
    apply = layer_of(tree)
    if apply is None:
        return None
    sources = Sources(body, attrs, [])
    return constructor(
        body, apply, nodes, lambda part: hole_code(sources, part) if isinstance(part, Hole) else code.value(part)
    )


class _Made:
    """An input of a call that stands in a variable already."""

    def __init__(self, val: Val) -> None:
        self.val = val


def _numbered(tree: Call | Apply, count: int) -> Call | Apply:
    """The tree with its made inputs as further arguments behind the node's own."""
    index = count
    parts: list[Any] = []
    for part in tree.args if isinstance(tree, Call) else tree.inputs:
        if isinstance(part, _Made):
            parts.append(Arg(index))
            index += 1
        else:
            parts.append(part)
    return replace(tree, args=tuple(parts)) if isinstance(tree, Call) else replace(tree, inputs=tuple(parts))


def _as_list(inputs: Sequence[Val]) -> Code | None:
    """All inputs as one list, where some are lists already."""
    if not any(val.many for val in inputs):
        return None
    if len(inputs) == 1:
        return inputs[0].code
    items = [replace(val.code, text=f"*{val.code.at(code.OR)}") if val.many else val.code for val in inputs]
    return code.sequence(items)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────


def label_code(body: Body, paths: Sequence[str]) -> Code:
    """The label path of a stage at every moment: `f"{name}.conv1"`, `f"layer{i + 1}.{j}"`."""
    relative = [_relative(path, moment.application.path) for path, moment in zip(paths, body.moments, strict=True)]
    parts = _levels(body, relative)
    if body.prefix is not None:
        parts = [body.prefix, ".", *parts]
    return code.formatted(_joined(parts))


def _relative(path: str, outer: str) -> str:
    if outer and not path.startswith(f"{outer}."):
        raise Unsayable("a layer that belongs elsewhere")
    return path[len(outer) + 1 :] if outer else path


def _levels(body: Body, labels: Sequence[str]) -> list[str | Code]:
    rows = [label.split(".") for label in labels]
    if len({len(row) for row in rows}) > 1:
        raise Varied("a label", body.moments, list(labels))
    found: list[str | Code] = []
    for column in zip(*rows, strict=True):
        found += [".", *_level(body, column)]
    return found[1:]


def _level(body: Body, values: Sequence[str]) -> list[str | Code]:
    """One level of a label: plain text, the turn of a loop, or the text of a label in the source."""
    if len(set(values)) == 1 and not any(body.loops):
        return [values[0]]
    for candidate in _level_candidates(body):
        if _texts(body, candidate) == list(values) and any(isinstance(part, Code) and part.reads for part in candidate):
            return candidate
    for loop in reversed(body.loops):
        if loop is not None and [str(moment.turns[loop.depth]) for moment in body.moments] == list(values):
            return [body.turn(loop)]
    if len(set(values)) == 1:
        return [values[0]]
    shifted = _shifted_turn(body, values)
    if shifted is None:
        raise Varied("a label", body.moments, list(values))
    return [shifted]


def _shifted_turn(body: Body, values: Sequence[str]) -> Code | None:
    """The turn of a loop plus a number: stages of a labelled group are counted on through a repeated one."""
    for loop in reversed(body.loops):
        if loop is None or not all(value.isdecimal() for value in values):
            continue
        turns = [moment.turns[loop.depth] for moment in body.moments]
        shifts = {int(value) - turn for value, turn in zip(values, turns, strict=True)}
        if len(shifts) == 1 and (shift := shifts.pop()) > 0:
            return code.binary("+", body.turn(loop), code.value(shift))
    return None


def _level_candidates(body: Body) -> list[list[str | Code]]:
    """Levels of the labels around, innermost first."""
    from convspec.targets.tensorflow.readable.expressions import value

    found: list[list[str | Code]] = []
    for label in reversed(body.labels):
        levels: list[list[str | Code]] = [[]]
        for part in label.parts:
            if not isinstance(part, str):
                levels[-1].append(value(body, part).code)
                continue
            first, *rest = part.split(".")
            levels[-1].append(first)
            levels += [[text] for text in rest]
        found += [_joined(level) for level in levels]
    return found


def _texts(body: Body, parts: Sequence[str | Code]) -> list[str]:
    columns = [[part] * len(body.moments) if isinstance(part, str) else body.values(part) for part in parts]
    return ["".join(map(_shown, row)) for row in zip(*columns, strict=True)]


def _shown(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _joined(parts: Sequence[str | Code]) -> list[str | Code]:
    """Adjacent texts as one."""
    found: list[str | Code] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return found


__all__ = ["apply_op", "label_code", "make_layer"]
