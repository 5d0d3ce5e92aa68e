"""The state of an elaboration: one Context for the whole, one Frame for each body that is being run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from typing import Any

from convspec.diagnostics import Diagnostic, Failure, error
from convspec.elaborate.counting import Counting
from convspec.elaborate.files import FileScope
from convspec.elaborate.labels import Registry, ordinals
from convspec.elaborate.meter import Meter
from convspec.elaborate.module import Application, BudgetAssert, Event, Site, Turns
from convspec.ir.graph import Graph, Parameter
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast


@dataclass(slots=True)
class Context:
    """What one elaboration shares: the graph being built, its stored tensors, the counts, the errors found so far."""

    graph: Graph
    meter: Meter
    parameters: dict[str, Parameter] = field(default_factory=dict)
    value_names: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, Span] = field(default_factory=dict)
    """The names of the graph's outputs, and where each stands."""
    asserts: list[BudgetAssert] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    seen: set[tuple[str, Span | str]] = field(default_factory=set)
    names_of: dict[object, dict[object, str]] = field(default_factory=dict)
    counting: Counting | None = None
    """Set while the network is counted and nothing is built."""
    symbols: dict[str, Any] = field(default_factory=dict)
    """Symbolic sizes by name, for hints and for `evaluate`."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Names in the dimensions of the inputs that are plain numbers this time."""

    def unique_value_name(self, name: str) -> str:
        """`name`, or `name@2` and so on where a shared layer makes it again."""
        count = self.value_names.get(name, 0) + 1
        self.value_names[name] = count
        return name if count == 1 else f"{name}@{count}"

    def report(self, failure: Failure) -> None:
        """Keep the diagnostics of a failure, one for each place: loops and instances repeat a mistake with other numbers."""
        for diagnostic in failure.diagnostics:
            key = (diagnostic.code, diagnostic.primary.span if diagnostic.primary else diagnostic.message)
            if key not in self.seen:
                self.seen.add(key)
                self.diagnostics.append(diagnostic)

    @property
    def full(self) -> bool:
        """Whether as many errors were found as are reported."""
        return len(self.diagnostics) >= self.meter.limits.errors

    def stage_names(self, body: ast.Body | ast.Expr) -> dict[object, str]:
        """The automatic names of the stages of a body or a function's expression, worked out once."""
        if body not in self.names_of:
            self.names_of[body] = ordinals(body)
        return self.names_of[body]


Defaults = Mapping[str, Mapping[str, tuple[ast.Expr, Any]]]
"""Op name → attribute name → the expression of the `default` and its value."""


@dataclass(slots=True)
class Frame:
    """One body being run. `names` is its one scope; `turns` are the loop turns around the current statement."""

    context: Context
    scope: FileScope
    application: Application
    names: dict[str, Any]
    defaults: Defaults
    stage_names: Mapping[object, str]
    registry: Registry
    chain: tuple[str, ...] = ()
    turns: Turns = ()
    name_turns: Turns = ()
    """The turns that follow an automatic name; a labelled `n * stage` counts in its label instead."""
    loop_names: tuple[str, ...] = ()
    shared: bool = False
    prefix: str = ""
    """The level below the application's path that labels are in: that of a call, while a `let` function is evaluated."""
    collected: list[Event] | None = None
    """Events of a `let` function go here, to be recorded as one StageEvent at its call."""

    def record(self, site: Site, event: Event) -> None:
        """Write down what happened at a site in the current turns."""
        if self.collected is not None:
            self.collected.append(event)
        elif self.context.counting is None:
            self.application.events[site, self.turns] = event

    def snapshot(self, span: Span) -> Frame:
        """This frame with the names as they are now, for what is evaluated later. Copying them is charged at `span`."""
        self.context.meter.add_steps(len(self.names) // 4, span)
        return replace(self, names=dict(self.names))

    @contextmanager
    def turn(self, index: int, named: bool = True) -> Iterator[None]:
        """Run one turn of a loop."""
        turns, name_turns = self.turns, self.name_turns
        self.turns = (*turns, index)
        self.name_turns = (*name_turns, index) if named else name_turns
        try:
            yield
        finally:
            self.turns, self.name_turns = turns, name_turns

    def fail(self, code: str, message: str, span: Span, label: str = "", **more: Any) -> Failure:
        """A Failure at `span`, with the chain of blocks and loop turns that led here."""
        return Failure([error(code, message, span, label, frames=self.frames(), **more)])

    def failed(self, diagnostic: Diagnostic) -> Failure:
        """A Failure with an error that knows nothing of how one got there."""
        return Failure([replace(diagnostic, frames=self.frames())])

    def frames(self) -> tuple[str, ...]:
        """The chain that led here, outermost first; the turns of this body's own loops stand last: `where i = 4`."""
        turns = self._turns_shown()
        return (*self.chain, f"where {turns}") if turns else self.chain

    def call_description(self, name: str, span: Span) -> str:
        """`in Bottleneck, called at resnet.cnn:31 with i = 2, j = 0`."""
        turns = self._turns_shown()
        return f"in {name}, called at {span.file.name}:{span.line}" + (f" with {turns}" if turns else "")

    def loop_counter(self) -> str | None:
        """The name of the innermost loop that is bound to an integer."""
        return next((loop for loop in reversed(self.loop_names) if isinstance(self.names.get(loop), int)), None)

    def _turns_shown(self) -> str:
        return ", ".join(f"{loop} = {self.names[loop]}" for loop in self.loop_names if isinstance(self.names.get(loop), int))
