"""What a difference is made of, equal changes told once, and which weights fit both networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any, Literal, TypeAlias

from convspec.analysis.summary import Summary
from convspec.ir.graph import Graph, Node
from convspec.records import dataclass

Kind: TypeAlias = Literal["added", "removed", "replaced", "changed", "renamed", "moved", "rewired", "follows", "interface"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a change adds, or what a network comes to, in plain numbers."""

    parameters: int = 0
    macs: int = 0
    kept: int = 0

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.parameters - other.parameters, self.macs - other.macs, self.kept - other.kept)

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.macs + other.macs, self.kept + other.kept)


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `old` and `new` are label paths; "" where it has none."""

    kind: Kind
    old: str
    new: str
    text: str
    """What it is: `conv(64, 3x3)`, `kernel 3x3 → 5x5`."""
    cost: Cost = Cost()
    field: tuple[str, str] = ("", "")
    """The receptive field before and after, where that changed; "" where there was or is none."""
    layers: int = 1
    places: tuple[str, ...] = ()
    """Where else the same change was made."""

    @property
    def path(self) -> str:
        return self.new or self.old


@dataclass(slots=True)
class Difference:
    """Both networks, and the changes that lead from `old` to `new`."""

    old: Summary
    new: Summary
    changes: list[Change] = field(default_factory=list)
    follows: list[Change] = field(default_factory=list)
    """Layers that are as they were, and cost something else."""
    carried: Carried | None = None

    @property
    def same(self) -> bool:
        return not self.changes and not self.follows


@dataclass(frozen=True, slots=True)
class Carried:
    """Which stored tensors of the new network the weights of the old one have: by name, under another name, or not."""

    by_name: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    reshaped: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    elements: int
    """Elements of those carried over, renamed ones too."""


# ── equal changes are told once ──────────────────────────────────────────────────────────────────────────────


def folded(changes: Iterable[Change]) -> list[Change]:
    """Changes of one kind and text whose names end alike are one, with the places of all."""
    found: dict[tuple[Any, ...], Change] = {}
    for change in changes:
        key = _key(change)
        first = found.get(key)
        if first is None:
            found[key] = change
            continue
        fields = first.field if first.field == change.field else ("", "")
        found[key] = replace(
            first,
            cost=first.cost + change.cost,
            field=fields,
            layers=first.layers + change.layers,
            places=(*first.places, change.path),
        )
    return list(found.values())


def _key(change: Change) -> tuple[str, ...]:
    """What is equal for changes that are told as one."""
    old, new = change.old.rpartition(".")[2], change.new.rpartition(".")[2]
    if change.kind == "renamed":
        return ("renumbered",) if _renumbered(change) else (change.kind, change.text, old, new)
    if (new or old).isdigit():
        levels = [level for level in change.path.split(".") if not level.isdigit()] or [""]
        return change.kind, change.text, "" if change.kind in ("added", "removed", "replaced") else levels[-1]
    text = change.text.partition(" ")[0] if change.kind == "rewired" else change.text
    return change.kind, text, new or old


def _renumbered(change: Change) -> bool:
    """Whether only ordinals behind equal names differ."""
    old, new = change.old.rpartition(".")[2], change.new.rpartition(".")[2]
    return old.rstrip("0123456789.") == new.rstrip("0123456789.")


# ── weights ──────────────────────────────────────────────────────────────────────────────────────────────────


def carried_over(old: Graph, new: Graph, nodes: Mapping[Node, Node]) -> Carried:
    """By the layers that stand for each other first; what has no such layer, by its name."""
    before, after = old.parameters(), new.parameters()
    source = {
        each.name: nodes[node].params[role].name
        for node in nodes
        for role, each in node.params.items()
        if role in nodes[node].params and nodes[node].params[role].shape == each.shape
    }
    found = {name: source.get(name, name) for name in after}
    fits = {name: was for name, was in found.items() if was in before and before[was].shape == after[name].shape}
    reshaped = tuple(name for name in after if name not in fits and name in before)
    return Carried(
        tuple(name for name, was in fits.items() if name == was),
        tuple((was, name) for name, was in fits.items() if name != was),
        reshaped,
        tuple(name for name in after if name not in fits and name not in before),
        tuple(name for name in before if name not in {*fits.values(), *reshaped}),
        sum(after[name].size for name in fits),
    )


__all__ = ["Carried", "Change", "Cost", "Difference", "Kind", "carried_over", "folded"]
