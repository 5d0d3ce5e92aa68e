"""Linear branches side by side over one tensor that are added up become one convolution, whose kernel is their sum.

RepVGG's 3x3, 1x1 and identity, MobileOne's row of equal convolutions, ACNet's 3x3, 1x3 and 3x1. The addends are looked for in
the whole tree of additions, and some of them may merge where others cannot.

Branches are `conv`, `depthwise_conv`, `linear`, `batchnorm` and the tensor itself. Two merge where

- they read the same tensor, and have the same stride and the sum's shape: nothing is broadcast;
- nothing but the sum reads them, and they share no weights with another layer;
- their windows fit one grid: kernels are laid over each other as their pads say, into the window that holds them all;
- where both reach past the borders, they find the same there: the same pad mode and value;
- the one convolution has no more weights to multiply than both together: a 1x3 and a 3x1 stay two, and a grouped convolution
  is expanded only beside a denser one that holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from convspec.ir.graph import Node, Value
from convspec.ir.types import FLOATS
from convspec.ops.add import Add
from convspec.ops.conv import OP as CONV
from convspec.passes._branches import (
    Numbers,
    Window,
    attributes,
    convolution,
    numbers_of,
    point,
    spread,
    total,
    united,
    window_of,
)
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_MOST_KINDS = 8
"""How many merged convolutions one sum may get: looked through for each addend, so bounded."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One addend: the layer that makes it (None: the source itself), what it reads, and how often it is added."""

    node: Node | None
    source: Value
    window: Window
    times: int

    @property
    def value(self) -> Value:
        """What is added."""
        return self.source if self.node is None else self.node.outputs[0]


@dataclass(slots=True, eq=False)
class Merged:
    """Branches that go into one convolution of this window."""

    window: Window
    branches: list[Branch]


def run(draft: Draft) -> None:
    """Each sum is looked at once, from its last addition."""
    for node in draft.nodes():
        if _is_sum(node) and not _goes_on(draft, node):
            _merge(draft, node)


def _is_sum(node: Node) -> bool:
    """Whether a node adds two tensors of the sum's own shape."""
    y = node.outputs[0].type if node.outputs else None
    return node.op.name == "add" and len(node.inputs) == 2 and all(x.type == y and x.type.dtype in FLOATS for x in node.inputs)


def _goes_on(draft: Draft, node: Node) -> bool:
    """Whether a sum is an addend of another and nothing else."""
    reader = draft.only_user(node.outputs[0])
    return reader is not None and _is_sum(reader) and reader.inputs[0] is not reader.inputs[1]


def _merge(draft: Draft, root: Node) -> None:
    adds, addends = _tree(draft, root)
    merged = (one for group in _by_source(draft, addends).values() for one in _merged(group))
    groups = [one for one in merged if len(one.branches) > 1 and _makes(one, root.outputs[0])]
    if groups:
        _rewrite(draft, root, adds, addends, groups)


def _tree(draft: Draft, root: Node) -> tuple[list[Node], dict[Value, int]]:
    """The additions of a sum, and its addends in order with how often each is added."""
    adds, addends, ahead = [root], dict[Value, int](), list(reversed(root.inputs))
    while ahead:
        value = ahead.pop()
        maker = draft.made_by(value, "add")
        if maker is not None and _is_sum(maker) and _once(draft, value):
            adds.append(maker)
            ahead.extend(reversed(maker.inputs))
        else:
            addends[value] = addends.get(value, 0) + 1
    return adds, addends


def _once(draft: Draft, value: Value) -> bool:
    reader = draft.only_user(value)
    return reader is not None and reader.inputs.count(value) == 1


def _by_source(draft: Draft, addends: dict[Value, int]) -> dict[Value, list[Branch]]:
    """The addends by the tensor that they read. A tensor is its own branch where others read it."""
    found: dict[Value, list[Branch]] = {}
    for value, times in addends.items():
        node = draft.producer(value)
        window = window_of(node) if node is not None and draft.only_user(value) is not None else None
        if node is not None and window is not None and not draft.shares_weights(node):
            found.setdefault(node.inputs[0], []).append(Branch(node, node.inputs[0], window, times))
    for value, times in addends.items():
        if value in found and isinstance(value.type.channels, int):
            found[value].append(Branch(None, value, point(value.type), times))
    return found


def _merged(branches: list[Branch]) -> list[Merged]:
    """Branches of one tensor put together, the largest kernels first, wherever that costs nothing."""
    found: list[Merged] = []
    for branch in sorted(branches, key=lambda one: -one.window.weights):
        if not any(_join(group, branch) for group in found[-_MOST_KINDS:]) and branch.window.weights:
            found.append(Merged(branch.window, [branch]))
    return found


def _join(group: Merged, branch: Branch) -> bool:
    channels = branch.source.type.channels
    assert isinstance(channels, int)
    window = united(group.window, branch.window, channels)
    if window is None or window.weights > group.window.weights + branch.window.weights:
        return False
    group.window = window
    group.branches.append(branch)
    return True


def _rewrite(draft: Draft, root: Node, adds: list[Node], addends: dict[Value, int], groups: list[Merged]) -> None:
    """The addends that are left, and the merged ones, are added up from left to right."""
    mine = {branch.value: group for group in groups for branch in group.branches}
    firsts = {group.branches[0].value for group in groups}
    terms: list[Value | Merged] = []
    for value, times in addends.items():
        if value not in mine:
            terms.extend([value] * times)
        elif value in firsts:
            terms.append(mine[value])
    made = list(_nodes(draft, root, terms))
    gone = [branch.node for group in groups for branch in group.branches if branch.node is not None]
    note = ", ".join(f"{len(group.branches)} branches" for group in groups)
    draft.rewrite([*gone, *adds], made, at=root, note=note)


def _makes(group: Merged, value: Value) -> bool:
    """Whether the one convolution gives just the type that the sum has."""
    source = group.branches[0].source.type
    return source.rank == 2 or CONV.infer(attributes(group.window, False), source) == value.type


def _nodes(draft: Draft, root: Node, terms: list[Value | Merged]) -> Iterator[Node]:
    sums: Value | None = None
    for number, term in enumerate(terms):
        last = [root.outputs[0]] if number == len(terms) - 1 else None
        value = term
        if isinstance(value, Merged):
            made = _convolution(draft, value, last if len(terms) == 1 else None)
            yield made
            value = made.outputs[0]
        if sums is not None:
            added = draft.apply("add", Add(), [sums, value], root, outputs=last)
            yield added
            value = added.outputs[0]
        sums = value


def _convolution(draft: Draft, group: Merged, outputs: list[Value] | None) -> Node:
    first = group.branches[0]
    channels = first.source.type.channels
    assert isinstance(channels, int) and first.node is not None
    weights, biases = [], []
    for branch in group.branches:
        numbers = numbers_of(draft, branch.node, branch.window)
        weights.append(branch.times * spread(numbers, branch.window, group.window, channels))
        biases.append(None if numbers.bias is None else branch.times * numbers.bias)
    summed = Numbers(sum(weights[1:], weights[0]), total(biases))
    return convolution(draft, first.source, group.window, summed, first.node, outputs)


PASS = Pass("merge_branches", "linear branches over one tensor merged into one convolution", run)
