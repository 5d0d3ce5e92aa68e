"""What changed between two networks, by structure: comments, layout and documentation are no change.

Each change has what it does to parameters, MACs and the bytes kept for the backward pass; with what follows from changes
elsewhere (a layer that is as it was, on more channels) they add up to the difference of the totals. A block that is added or
removed as a whole, or that another block stands for, is one change; equal changes in several places are one, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from convspec.analysis.alignment import Pair, matched
from convspec.analysis.changes import Carried, Change, Cost, Difference, Kind, carried_over, folded
from convspec.analysis.label_tree import Branch, Item, Leaf, label_tree
from convspec.analysis.receptive_field import show
from convspec.analysis.summary import Summary, attribute_texts, summarise
from convspec.elaborate.module import Module
from convspec.ir.dims import Size, evaluate
from convspec.ir.graph import Graph, Node, Picture, Value

_NEAR = 40
"""Layers that are looked at upstream for where a wire came from."""
_COMMUTATIVE = ("add", "mul", "maximum", "minimum")


def difference(
    old: Module, new: Module, old_sizes: Mapping[str, int], new_sizes: Mapping[str, int], **counting: Any
) -> Difference:
    """What changed; both networks at sizes that are all given. `counting`: precision and optimizer of memory."""
    found = Difference(summarise(old, old_sizes, **counting), summarise(new, new_sizes, **counting))
    comparer = _Comparer(found)
    comparer.branches(label_tree(old, found.old), label_tree(new, found.new))
    comparer.wiring()
    found.changes = [*_interface(old.graph, new.graph, comparer), *folded(comparer.changes)]
    found.follows = comparer.follows
    found.carried = carried_over(old.graph, new.graph, comparer.nodes)
    return found


def cost_of(item: Item) -> Cost:
    """What the layers of an item come to."""
    total = Cost()
    for leaf in item.leaves():
        row = leaf.row
        total = total + Cost(row.parameters.learnable, _number(row.cost.macs), _number(row.kept))
    return total


def _number(size: Size) -> int:
    return evaluate(size, {})


class _Comparer:
    """Walks both trees together."""

    def __init__(self, found: Difference) -> None:
        self.found = found
        self.changes: list[Change] = []
        self.follows: list[Change] = []
        self.nodes: dict[Node, Node] = {}
        """New layer → the old one that it stands for."""
        self.stands: dict[Node, Node] = {}
        """The other way round, once all are known."""
        self.leaves: dict[Node, Leaf] = {}
        self.moved: set[Node] = set()
        self.made = _makers(found.old), _makers(found.new)
        """The layer that makes each tensor, and which of its outputs that is."""

    def branches(self, old: Branch, new: Branch) -> None:
        for pair in matched(old, new):
            self._pair(pair)

    def _pair(self, pair: Pair) -> None:
        old, new = pair.old, pair.new
        if old is None or new is None:
            self._alone(old, new)
            return
        if pair.moved:
            self.moved.update(leaf.node for leaf in new.leaves())
            self._note("moved", old, new, _said(new), Cost())
        elif old.name != new.name and not _another_op(old, new):
            self._note("renamed", old, new, _said(new), Cost())
        if isinstance(old, Leaf) and isinstance(new, Leaf):
            self._leaf(old, new)
        elif isinstance(old, Branch) and isinstance(new, Branch):
            if _title(old) != _title(new):
                self._note("replaced", old, new, f"{_said(old)} → {_said(new)}", cost_of(new) - cost_of(old))
            else:
                self.branches(old, new)
        else:
            self._note("replaced", old, new, f"{_said(old)} → {_said(new)}", cost_of(new) - cost_of(old))

    def _alone(self, old: Item | None, new: Item | None) -> None:
        if new is not None:
            self.changes.append(Change("added", "", new.path, _said(new), cost_of(new), ("", _field(new)), _count(new)))
        elif old is not None:
            gone = Cost() - cost_of(old)
            self.changes.append(Change("removed", old.path, "", _said(old), gone, (_field(old), ""), _count(old)))

    def _note(self, kind: Kind, old: Item, new: Item, text: str, cost: Cost) -> None:
        self.changes.append(Change(kind, old.path, new.path, text, cost, layers=max(_count(old), _count(new))))

    def _leaf(self, old: Leaf, new: Leaf) -> None:
        """Two layers that stand for each other."""
        self.nodes[new.node] = old.node
        self.leaves[new.node] = new
        cost = cost_of(new) - cost_of(old)
        seen = show(old.row.field), show(new.row.field)
        fields = seen if seen[0] != seen[1] else ("", "")
        text = layer_change(old.node, new.node)
        if old.row.shared != new.row.shared:
            shared = f"weights shared with a layer above → {'yes' if new.row.shared else 'no'}"
            text = f"{text}, {shared}" if text else shared
        if text:
            said = text if old.node.op is not new.node.op else f"{new.node.op.name}: {text}"
            self.changes.append(Change("changed", old.path, new.path, said, cost, fields))
        elif cost != Cost() or old.row.outputs != new.row.outputs or fields != ("", ""):
            self.follows.append(Change("follows", old.path, new.path, new.text, cost, fields))

    def wiring(self) -> None:
        """Layers that read from elsewhere than they did, where that does not follow from another change."""
        made = {**self.made[0], **self.made[1]}
        self.stands = {old: new for new, old in self.nodes.items()}
        for new, old in self.nodes.items():
            if new in self.moved or len(old.inputs) != len(new.inputs):
                if len(old.inputs) != len(new.inputs) and new not in self.moved:
                    self._rewired(old, new, made)
                continue
            pairs = list(zip(old.inputs, new.inputs, strict=True))
            if old.op.name in _COMMUTATIVE and any(self.is_rewired(a, b) for a, b in pairs):
                pairs = list(zip(old.inputs, reversed(new.inputs), strict=True))  # a + b is b + a
            if any(self.is_rewired(a, b) for a, b in pairs):
                self._rewired(old, new, made)

    def is_rewired(self, old: Value, new: Value) -> bool:
        """Whether two tensors do not stand for each other, though the layers that make them both have a counterpart."""
        a, b, stands = self.made[0].get(old), self.made[1].get(new), self.stands
        if a is None and b is None:
            return old.name != new.name
        if a is None or b is None:
            there = stands.get(a[0]) if a is not None else b[0] if b is not None and b[0] in self.nodes else None
            return there is not None and there not in self.moved
        if stands.get(a[0]) is b[0]:
            return bool(a[1] != b[1])
        known = a[0] in stands and b[0] in self.nodes
        if not known or b[0] in self.moved or stands[a[0]] in self.moved:
            return False
        return not (
            _passes(new, stands[a[0]], self.made[1], self.nodes) or _passes(old, self.nodes[b[0]], self.made[0], stands)
        )

    def _rewired(self, old: Node, new: Node, made: Mapping[Value, tuple[Node, int]]) -> None:
        def names(node: Node) -> str:
            return ", ".join(made[value][0].path if value in made else value.name for value in node.inputs)

        text = f"{new.op.name} reads {names(old)} → {names(new)}"
        self.changes.append(Change("rewired", old.path, new.path, text))


def _passes(value: Value, target: Node, made: Mapping[Value, tuple[Node, int]], known: Mapping[Node, Node]) -> bool:
    """Whether a tensor comes from a layer by way of one that has no counterpart: what was put between, or taken out."""
    pending, seen = [(value, False)], set[Value]()
    while pending and len(seen) < _NEAR:
        value, strange = pending.pop(0)
        maker = made.get(value)
        if maker is None or value in seen:
            continue
        seen.add(value)
        if maker[0] is target:
            return strange
        pending += [(each, strange or maker[0] not in known) for each in maker[0].inputs]
    return False


def _another_op(old: Item, new: Item) -> bool:
    """Whether two layers named by their ordinals are of different ops, which says what there is to say of their names."""
    both = isinstance(old, Leaf) and isinstance(new, Leaf) and old.node.op.name != new.node.op.name
    return both and old.automatic and new.automatic


def _makers(summary: Summary) -> dict[Value, tuple[Node, int]]:
    nodes = [node for row in summary.rows for node in row.nodes]
    return {value: (node, place) for node in nodes for place, value in enumerate(node.outputs)}


def _count(item: Item) -> int:
    return sum(1 for _ in item.leaves())


def _said(item: Item) -> str:
    return item.text


def _field(item: Item) -> str:
    """The receptive field at the end of an item."""
    *_, last = item.leaves()
    return show(last.row.field)


def _title(item: Branch) -> str:
    """The block without its arguments."""
    return (item.block or "").partition("(")[0]


def layer_change(old: Node, new: Node) -> str:
    """`kernel 3x3 → 5x5, stride 1 → 2`; the op itself where that is another; "" where nothing changed."""
    if old.op.name != new.op.name:
        return f"{old.op.name} → {new.op.name}"
    before, after = attribute_texts(old), attribute_texts(new)
    changed = [(name, text, after[name]) for name, text in before.items() if after.get(name, text) != text]
    return ", ".join(f"{name} {' → '.join(_shorter(text, other))}" for name, text, other in changed)


def _shorter(old: str, new: str) -> tuple[str, str]:
    """Long fractions with as many digits as tell them apart."""
    try:
        short = f"{float(old):.4g}", f"{float(new):.4g}"
    except ValueError:
        return old, new
    return short if short[0] != short[1] and max(len(old), len(new)) > 8 else (old, new)


# ── inputs and outputs ───────────────────────────────────────────────────────────────────────────────────────


def _interface(old: Graph, new: Graph, comparer: _Comparer) -> Iterator[Change]:
    """Changes of the network's inputs and outputs: which there are, in which order, of which types."""
    before = {each.value.name: str(each.value.type) for each in old.inputs}
    after = {each.value.name: str(each.value.type) for each in new.inputs}
    yield from _names("input", before, after)
    pictures = {each.value.name: each.picture for each in old.inputs}
    for each in new.inputs:
        text = _picture_change(pictures.get(each.value.name), each.picture) if each.value.name in pictures else ""
        if text:
            yield Change("interface", each.value.name, each.value.name, f"input {each.value.name}: {text}", layers=0)
    yield from _outputs(old, new, comparer)


def _outputs(old: Graph, new: Graph, comparer: _Comparer) -> Iterator[Change]:
    makers = old.producers(), new.producers()
    ends = {each.name: each.value for each in old.outputs}
    names = {each.name: each.value for each in new.outputs}
    called: dict[str, str] = {}
    for name, value in names.items():
        maker = makers[1].get(value)
        stood = comparer.nodes.get(maker) if maker is not None else None
        free = [each for each, end in ends.items() if each not in names and each not in called and stood is not None]
        was = next((each for each in free if makers[0].get(ends[each]) is stood), None)
        if name not in ends and was is not None:
            called[was] = name
            yield Change("interface", was, name, f"output {was} is called {name}", layers=0)
    before = {called.get(name, name): "" for name in ends}
    yield from _names("output", before, dict.fromkeys(names, ""))
    for name in (name for name in names if name in ends):
        yield from _end(name, ends[name], names[name], makers, comparer)


def _end(
    name: str, old: Value, new: Value, makers: tuple[Mapping[Value, Node], Mapping[Value, Node]], comparer: _Comparer
) -> Iterator[Change]:
    """An output that another layer makes than the one that stands for its maker, where that follows from no other change."""
    a, b = makers[0].get(old), makers[1].get(new)
    if comparer.is_rewired(old, new):
        was, now = a.path if a else old.name, b.path if b else new.name
        yield Change("interface", name, name, f"output {name} is {was} → {now}", layers=0)


def _picture_change(old: Picture | None, new: Picture | None) -> str:
    """What changed in how a picture becomes the input: `picture size (224, 224) → (240, 240)`."""
    if old is None or new is None:
        return "" if old is new else f"{'a' if new else 'no'} picture"
    pairs = [(each.name, getattr(old, each.name), getattr(new, each.name)) for each in fields(Picture)]
    changed = [f"{name} {before} → {after}" for name, before, after in pairs if before != after]
    return f"picture {', '.join(changed)}" if changed else ""


def _names(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name, text in before.items():
        if name not in after:
            yield Change("interface", name, "", f"{what} {name} removed", layers=0)
        elif after[name] != text:
            yield Change("interface", name, name, f"{what} {name}: {text} → {after[name]}", layers=0)
    for name in (name for name in after if name not in before):
        yield Change("interface", "", name, f"{what} {name} added", layers=0)
    if list(before) != list(after) and set(before) == set(after):
        yield Change("interface", "", "", f"{what}s in another order: {', '.join(before)} → {', '.join(after)}", layers=0)


__all__ = ["Carried", "Change", "Cost", "Difference", "cost_of", "difference", "layer_change"]
