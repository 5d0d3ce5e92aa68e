"""The rules on the network: each layer is looked at, and a place warned of where every layer that it led to is suspicious."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field

from convspec.diagnostics import Diagnostic, error
from convspec.elaborate.module import Module
from convspec.ir.graph import Node
from convspec.lint import activations, biases, borders, channels, constants, dropouts, layouts, padding
from convspec.lint.place import same_file, warning
from convspec.lint.survey import Finding, Survey
from convspec.records import dataclass
from convspec.source import SourceFile
from convspec.syntax import ast

Rule = Callable[[Survey, Node], Finding | None]

RULES: dict[str, Rule] = {
    "CNN110": biases.look,
    "CNN111": padding.look,
    "CNN112": channels.look,
    "CNN113": dropouts.look,
    "CNN114": activations.look,
    "CNN115": borders.look,
    "CNN116": constants.look,
}


@dataclass(slots=True)
class _Place:
    """The layers that one place in the text led to, and those found suspicious."""

    looked_at: int = 0
    found: list[tuple[Node, Finding]] = field(default_factory=list)


def network_warnings(modules: Iterable[Module], trees: Iterable[ast.File]) -> Iterator[Diagnostic]:
    """One warning for each rule and place in the files of `trees` where all layers of all networks are suspicious."""
    files = [tree.span.file for tree in trees]
    places: dict[tuple[str, str, int, int], _Place] = {}
    declared: dict[tuple[str, int], Diagnostic] = {}
    for module in modules:
        for each in layouts.find(module.graph):
            if each.primary is not None and _among(each.primary.span.file, files):
                declared.setdefault((str(each.primary.span.file.path), each.primary.span.start), each)
        survey = Survey(module)
        for node in module.graph.nodes:
            if _among(node.span.file, files):
                _look(survey, node, places)
    yield from map(warning, declared.values())
    for (code, *_), place in places.items():
        if place.found and len(place.found) == place.looked_at:
            yield warning(_told(code, place))


def _among(file: SourceFile, files: list[SourceFile]) -> bool:
    return any(same_file(file, other) for other in files)


def _look(survey: Survey, node: Node, places: dict[tuple[str, str, int, int], _Place]) -> None:
    for code, rule in RULES.items():
        span = node.span
        place = places.setdefault((code, str(span.file.path or span.file.name), span.start, span.end), _Place())
        place.looked_at += 1
        if len(place.found) + 1 == place.looked_at:  # once a layer is right, the others need no look
            finding = rule(survey, node)
            if finding is not None:
                place.found.append((node, finding))


def _told(code: str, place: _Place) -> Diagnostic:
    """The finding for the first layer, with how many there are."""
    (node, finding), times = place.found[0], len(place.found)
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
