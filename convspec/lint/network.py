"""The rules on the network: each layer is looked at, and a place warned of where every layer that it led to is suspicious."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field

from convspec.diagnostics import Diagnostic, error
from convspec.elaborate.module import Module
from convspec.ir.graph import Node
from convspec.lint import activations, biases, borders, channels, constants, dropouts, layouts, padding, windows
from convspec.lint.place import same_file, warning
from convspec.lint.survey import Finding, Survey
from convspec.records import dataclass
from convspec.source import SourceFile
from convspec.syntax import ast

Look = Callable[[Survey, Node], Finding | None]

RULES: tuple[tuple[str, frozenset[str], Look], ...] = (
    ("CNN110", biases.OPS, biases.look),
    ("CNN111", windows.OPS, padding.look),
    ("CNN112", channels.OPS, channels.look),
    ("CNN113", dropouts.OPS, dropouts.look),
    ("CNN114", activations.OPS, activations.look),
    ("CNN115", windows.OPS, borders.look),
    ("CNN116", constants.OPS, constants.look),
)
"""Code, the ops that the rule speaks of, and the rule: what is suspicious about a node of one of these, if anything is."""
_BY_OP = {op: [(code, look) for code, ops, look in RULES if op in ops] for _, all_ops, _ in RULES for op in all_ops}


@dataclass(slots=True)
class _Place:
    """One place in the text: how many layers it led to, and by code those found suspicious, while all of them are."""

    layers: int = 0
    found: dict[str, list[tuple[Node, Finding]]] = field(default_factory=dict)


_Places = dict[tuple[SourceFile, int, int], _Place]


def network_warnings(modules: Iterable[Module], trees: Iterable[ast.File]) -> Iterator[Diagnostic]:
    """One warning for each rule and place in the files of `trees` where all layers of all networks are suspicious."""
    files = _Files([tree.span.file for tree in trees])
    places: _Places = {}
    declared: dict[tuple[SourceFile, int], Diagnostic] = {}
    for module in modules:
        for each in layouts.find(module.graph):
            file = files.find(each.primary.span.file) if each.primary is not None else None
            if file is not None and each.primary is not None:
                declared.setdefault((file, each.primary.span.start), each)
        survey = Survey(module)
        for node in module.graph.nodes:
            file = files.find(node.span.file)
            if file is not None:
                _look(survey, node, places.setdefault((file, node.span.start, node.span.end), _Place()))
    yield from map(warning, declared.values())
    for place in places.values():
        for code, found in place.found.items():
            if len(found) == place.layers:
                yield warning(_told(code, found))


class _Files:
    """The files that are warned of; one that was read twice is found as the first of them."""

    def __init__(self, files: list[SourceFile]) -> None:
        self._files = files
        self._known: dict[SourceFile, SourceFile | None] = {}

    def find(self, file: SourceFile) -> SourceFile | None:
        if file not in self._known:
            self._known[file] = next((other for other in self._files if same_file(file, other)), None)
        return self._known[file]


def _look(survey: Survey, node: Node, place: _Place) -> None:
    place.layers += 1
    for code, rule in _BY_OP.get(node.op.name, ()):
        if place.layers > 1 and len(place.found.get(code, ())) + 1 < place.layers:
            continue  # one was right, and so the others need no look
        finding = rule(survey, node)
        if finding is not None:
            place.found.setdefault(code, []).append((node, finding))


def _told(code: str, found: list[tuple[Node, Finding]]) -> Diagnostic:
    """The finding for the first layer, with how many there are."""
    (node, finding), times = found[0], len(found)
    count = (f"so it is each of the {times} times that this is applied; the first is shown",) if times > 1 else ()
    return error(
        code,
        finding.message,
        node.span,
        finding.label,
        related=finding.related,
        frames=node.frames,
        notes=(*finding.notes, *count),
        hint=finding.hint,
        fix=finding.fix,
    )
