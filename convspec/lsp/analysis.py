"""What elaboration finds out about a file that is being edited: modules, where they can be made, and what is wrong.

It runs beside the server, and ends early when a newer text makes it stale. Models that do not depend on what was edited are not
elaborated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from threading import Event
from typing import Any, cast

from convspec.diagnostics import Diagnostic, Failure
from convspec.elaborate import Module, Opened
from convspec.elaborate.cycles import check_cycles
from convspec.elaborate.files import FileScope
from convspec.elaborate.network import Unfinished
from convspec.elaborate.salvage import independent
from convspec.elaborate.untaken import check_item
from convspec.elaborate.walk import descendants
from convspec.limits import Limits
from convspec.lsp.facts import ModuleFacts
from convspec.lsp.files import ProjectLoader
from convspec.records import dataclass
from convspec.recursion import deep_recursion
from convspec.source import SourceFile
from convspec.syntax import ast


class Stale(BaseException):
    """Raised inside an elaboration that nobody waits for any more; no handler of errors may take it for one."""


class WatchedLimits:
    """Limits that are asked for at every step, and raise Stale once the work is stale."""

    def __init__(self, limits: Limits, stale: Event) -> None:
        self._limits, self._stale = limits, stale

    def rest(self) -> None:
        """The work is done: who asks later is not interrupted."""
        self._stale = Event()

    def __getattr__(self, name: str) -> Any:
        if self._stale.is_set():
            raise Stale
        return getattr(self._limits, name)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A model that was found right, and all that it depends on."""

    module: Module
    depends: tuple[object, ...]
    facts: ModuleFacts


@dataclass(slots=True, eq=False)
class Memory:
    """What may be used again by the next analysis of a file."""

    models: dict[str, Kept] = field(default_factory=dict)
    words: dict[ast.Item, frozenset[str]] = field(default_factory=dict)
    """The words that stand in an item."""
    uses: dict[str, frozenset[str]] = field(default_factory=dict)
    """The words of each item by its name, where no items use each other in a circle."""
    clean: set[ast.Item] = field(default_factory=set)
    """Items in which every name is known, as long as the file knows the names `known`."""
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A file to be analysed. `lost` are names that may be declared where there are syntax errors."""

    source: SourceFile
    tree: ast.File
    loader: ProjectLoader
    lost: frozenset[str]
    memory: Memory
    stale: Event


@dataclass(slots=True, eq=False)
class Outcome:
    """What an analysis found. `scope` is None where the imports or declarations of the file are wrong."""

    scope: FileScope | None = None
    modules: dict[str, ModuleFacts] = field(default_factory=dict)
    unfinished: dict[str, ModuleFacts] = field(default_factory=dict)
    """What is known of models with mistakes."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    sources: tuple[SourceFile, ...] = ()
    """Every file that took part."""
    wanted: set[Path] = field(default_factory=set)
    """Every file that is imported, also those that could not be read."""
    memory: Memory = field(default_factory=Memory)


def analyse(job: Job) -> Outcome:
    """Elaborate every model that needs no arguments. Raises Stale, or anything at all, where `job.stale` is set meanwhile."""
    outcome = Outcome(memory=Memory(words=_words(job)))
    found: dict[object, Diagnostic] = {}
    limits = WatchedLimits(job.loader.limits, job.stale)
    job.loader.limits = cast(Limits, limits)
    with deep_recursion():
        job.loader.known[job.source] = job.tree
        try:
            opened = Opened(job.source, job.loader, job.loader.main(job.source))
            outcome.scope = opened.scope
            _check_cycles(job, outcome)
            _models(job, opened, outcome, found)
            _names(job, opened.scope, outcome, found)
        except Failure as failure:
            _add(found, failure.diagnostics)
        lost = job.lost | job.loader.lost
    limits.rest()
    outcome.diagnostics = sorted(independent(found.values(), lost), key=_place)
    outcome.wanted = set(job.loader.read)
    outcome.sources = tuple(scope.tree.span.file for scope in job.loader.all_scopes)
    return outcome


def _words(job: Job) -> dict[ast.Item, frozenset[str]]:
    known = job.memory.words
    return {item: known[item] if item in known else frozenset(_words_of(item)) for item in job.tree.items}


def _words_of(item: ast.Item) -> Iterable[str]:
    own = getattr(item, "name", None)
    return (node.text for node in descendants(item) if isinstance(node, ast.NameRef | ast.Name) and node is not own)


def _check_cycles(job: Job, outcome: Outcome) -> None:
    """Fail if items use each other in a circle. That is certain not to be where not even their words do."""
    assert outcome.scope is not None
    uses = {name: outcome.memory.words[item] for name, item in outcome.scope.items.items()}
    if uses != job.memory.uses:
        try:
            list(TopologicalSorter(uses).static_order())
        except CycleError:
            check_cycles(job.loader.all_scopes)
    outcome.memory.uses = uses


def _models(job: Job, opened: Opened, outcome: Outcome, found: dict[object, Diagnostic]) -> None:
    """Elaborate the models, or take them as they were."""
    from convspec.analysis.budgets import check_asserts

    trees = tuple(scope.tree for scope in job.loader.all_scopes)
    dependencies = _Dependencies(job, opened.scope, outcome.memory.words)
    for name, item in opened.models().items():
        if isinstance(item, ast.Block) and any(param.default is None for param in item.params):
            continue  # it is elaborated where a configuration gives the arguments
        depends = dependencies.of(item)
        kept = job.memory.models.get(name)
        if kept is not None and _same(kept.depends, depends):
            kept.module.files = trees
        else:
            try:
                module = opened.module(name, whole=False)
                check_asserts(module)
            except Failure as failure:
                _add(found, failure.diagnostics)
                if isinstance(failure, Unfinished):
                    outcome.unfinished[name] = ModuleFacts.of(failure.module)
                continue
            kept = Kept(module, depends, ModuleFacts.of(module))
        outcome.memory.models[name] = kept
        outcome.modules[name] = kept.facts


class _Dependencies:
    """What the models of a file depend on."""

    def __init__(self, job: Job, scope: FileScope, words: Mapping[ast.Item, frozenset[str]]) -> None:
        self.scope, self.words = scope, words
        self.place = {item: index for index, item in enumerate(scope.tree.items)}
        self.defaults = [item for item in scope.tree.items if isinstance(item, ast.Default)]
        self.imported = tuple(each.tree for each in job.loader.all_scopes[1:])

    def of(self, item: ast.Item) -> tuple[object, ...]:
        """Every item that a model may use, in the order of the file, with all defaults, and all files if it uses one."""
        wanted, pending = {item, *self.defaults}, [item]
        imports: set[str] = set()
        while pending:
            for word in self.words[pending.pop()]:
                used = self.scope.items.get(word)
                if used is not None and used not in wanted:
                    wanted.add(used)
                    pending.append(used)
                elif word in self.scope.imports:
                    imports.add(word)
        items = sorted(wanted, key=self.place.__getitem__)
        return (*items, *self.imported, *sorted(imports)) if imports else tuple(items)


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return len(one) == len(other) and all(a is b or (isinstance(a, str) and a == b) for a, b in zip(one, other, strict=True))


def _names(job: Job, scope: FileScope, outcome: Outcome, found: dict[object, Diagnostic]) -> None:
    """Add mistakes in names that no model came across. Items that stay clean are those none of whose words change meaning."""
    memory = outcome.memory
    memory.known = tuple(scope.names())
    changed = set(memory.known) ^ set(job.memory.known)
    reported = {diagnostic.primary.span for diagnostic in found.values() if diagnostic.primary is not None}
    for item in scope.tree.items:
        if item not in job.memory.clean or not changed.isdisjoint(memory.words[item]):
            problems = list(check_item(scope, item))
            _add(found, (each for each in problems if each.primary is None or each.primary.span not in reported))
            if problems:
                continue
        memory.clean.add(item)


def _add(found: dict[object, Diagnostic], diagnostics: Iterable[Diagnostic]) -> None:
    """Keep diagnostics, each once."""
    for diagnostic in diagnostics:
        place = str(diagnostic.primary.span) if diagnostic.primary else None
        found.setdefault((diagnostic.code, diagnostic.message, place), diagnostic)


def _place(diagnostic: Diagnostic) -> tuple[str, int]:
    return (diagnostic.primary.span.file.name, diagnostic.primary.span.start) if diagnostic.primary else ("", -1)


def warned(modules: Iterable[Module]) -> list[Diagnostic]:
    """What is suspicious in the files of some modules."""
    from convspec.lint import warnings

    found = list(modules)
    return warnings(*found) if found else []
