"""What a message to the user is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Literal

from convspec.records import dataclass
from convspec.source import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Label:
    """A place and what is to be said under it; an empty text draws bare carets."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """A replacement that a machine may apply: the text at `span` becomes `replacement`."""

    span: Span
    replacement: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One error or warning. `primary` is None only where no source file is involved (data, weights, options)."""

    code: str
    message: str
    severity: Severity = "error"
    primary: Label | None = None
    related: tuple[Label, ...] = ()
    frames: tuple[str, ...] = ()
    """The chain that led here, outermost first: `in Bottleneck, called at resnet.cnn:31 with i = 2, j = 0`."""
    notes: tuple[str, ...] = ()
    hint: str | None = None
    fix: Fix | None = None


@dataclass(eq=False)
class Failure(Exception):
    """Raised with one or more diagnostics when work cannot go on. The only exception that a user's mistake causes."""

    diagnostics: list[Diagnostic] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(f"{d.severity}[{d.code}]: {d.message}" for d in self.diagnostics)


def error(
    code: str,
    message: str,
    span: Span | None = None,
    label: str = "",
    *,
    related: Iterable[Label] = (),
    frames: Iterable[str] = (),
    notes: Iterable[str] = (),
    hint: str | None = None,
    fix: Fix | None = None,
) -> Diagnostic:
    """An error at `span`, with `label` written under its carets."""
    return Diagnostic(
        code=code,
        message=message,
        primary=Label(span, label) if span is not None else None,
        related=tuple(related),
        frames=tuple(frames),
        notes=tuple(notes),
        hint=hint,
        fix=fix,
    )


def fail(diagnostic: Diagnostic) -> Failure:
    """A Failure with one diagnostic, to be raised: `raise fail(error(...))`."""
    return Failure([diagnostic])
