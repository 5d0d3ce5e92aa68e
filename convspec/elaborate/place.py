"""Where a stage stands: the level of labels it is in, and the name it gets there."""

from __future__ import annotations

from dataclasses import replace

from convspec.elaborate.evaluation import evaluate
from convspec.elaborate.frame import Frame
from convspec.elaborate.labels import Registry, check_label
from convspec.elaborate.module import Event, Site
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast


@dataclass(slots=True)
class Numbering:
    """Counts the stages of a labelled group, which are named by number."""

    next: int = 0

    def take(self) -> str:
        self.next += 1
        return str(self.next - 1)


@dataclass(frozen=True, slots=True)
class Spot:
    """The resolved place of one stage. `path` is complete, `label` relative to the application."""

    path: str
    label: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A level of labels inside a body: the body itself, a labelled group, or the turns of a labelled `n * stage`."""

    frame: Frame
    path: str
    prefix: str
    registry: Registry
    numbering: Numbering | None = None
    collected: list[Event] | None = None
    """Events of a stage value go here, to be recorded as one StageEvent where it is used."""
    shared: bool = False

    @classmethod
    def of(cls, frame: Frame) -> Place:
        """The outermost level of a body."""
        path = _join(frame.application.path, frame.prefix) if frame.prefix else frame.application.path
        return cls(frame, path, frame.prefix, frame.registry, shared=frame.shared)

    def record(self, site: Site, event: Event) -> None:
        if self.collected is None:
            self.frame.record(site, event)
        else:
            self.collected.append(event)

    def name(self, env: Frame, label: ast.StrLit | None, site: object, fallback: str) -> str:
        """The label of a stage here: the one written, its number in a labelled group, or its automatic name."""
        if self.frame.context.counting is not None:
            return fallback
        number = self.numbering.take() if self.numbering is not None else None
        if label is not None:
            return check_label(str(evaluate(env, label)), label.span)
        if number is not None:
            return number
        base = self.frame.stage_names.get(site, fallback)
        return ".".join([base, *map(str, self.frame.name_turns)])

    def claim(self, name: str, span: Span) -> Spot:
        """Take a name at this level."""
        if self.frame.context.counting is None:
            self.registry.claim(name, span, self.frame.loop_counter)
        return Spot(_join(self.path, name), _join(self.prefix, name), self.shared)

    def inside(self, spot: Spot, *, numbered: bool) -> Place:
        """The level below a labelled group or repeat."""
        numbering = Numbering() if numbered else None
        return replace(self, path=spot.path, prefix=spot.label, registry=Registry(), numbering=numbering)

    def level(self, written: Frame, body: ast.Expr, spot: Spot | None, name: str) -> Frame:
        """A frame for a function's expression: the names of where it was written, its layers named below this place."""
        frame = written.snapshot(body.span)
        frame.application, frame.chain, frame.turns, frame.name_turns = (
            self.frame.application,
            self.frame.chain,
            self.frame.turns,
            (),
        )
        frame.prefix = spot.label if spot is not None else _join(self.prefix, name)
        frame.registry, frame.collected, frame.shared = Registry(), [], self.shared
        frame.stage_names = self.frame.context.stage_names(body)
        return frame

    def collecting(self, shared: bool) -> Place:
        """This place, with events gathered for a StageEvent."""
        return replace(self, collected=[], shared=self.shared or shared)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


__all__ = ["Numbering", "Place", "Spot"]
