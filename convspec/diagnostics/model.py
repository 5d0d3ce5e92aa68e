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


class Guess(str):
    """A hint, `did you mean …?`, that a machine can act on: `wrong`, as the author wrote it, may have been meant as `right`."""

    __slots__ = ("right", "wrong")
    wrong: str
    right: str

    def __new__(cls, wrong: str, right: str, text: str | None = None) -> Guess:
        made = super().__new__(cls, text or f"did you mean `{right}`?")
        made.wrong, made.right = wrong, right
        return made


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
    """What is certain: `check --fix` applies it."""
    suggestions: tuple[Fix, ...] = ()
    """What may have been meant, likeliest first: an editor offers it, `--fix` leaves it alone."""


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
    suggestions: Iterable[Fix] = (),
) -> Diagnostic:
    """An error at `span`, with `label` written under its carets. A Guess as `hint` makes a suggestion too."""
    return Diagnostic(
        code=code,
        message=message,
        primary=Label(span, label) if span is not None else None,
        related=tuple(related),
        frames=tuple(frames),
        notes=tuple(notes),
        hint=hint,
        fix=fix,
        suggestions=(*suggestions, *_guessed(hint, span)),
    )


def _guessed(hint: str | None, span: Span | None) -> tuple[Fix, ...]:
    """The guess as a replacement, where the place marked is the very word that is thought wrong, bare or in quotes."""
    if not isinstance(hint, Guess) or span is None or span.text.strip("\"'") != hint.wrong:
        return ()
    quote = span.text[0] if span.text[0] in "\"'" and not hint.right.isdigit() else ""
    return (Fix(span, f"{quote}{hint.right}{quote}", f"change `{hint.wrong}` to `{hint.right}`"),)


def fail(diagnostic: Diagnostic) -> Failure:
    """A Failure with one diagnostic, to be raised: `raise fail(error(...))`."""
    return Failure([diagnostic])
