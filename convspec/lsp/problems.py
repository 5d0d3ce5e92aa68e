"""Diagnostics as the protocol has them, each at the file it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from lsprotocol import types

from convspec.diagnostics import Diagnostic
from convspec.lsp.positions import range_of
from convspec.source import SourceFile, Span
from convspec.syntax import ast

UriOf = Callable[[SourceFile], str | None]
_SEVERITY = {"error": types.DiagnosticSeverity.Error, "warning": types.DiagnosticSeverity.Warning}
_RELATED = 10
_UNUSED = ("is not used", "never used", "unused", "is used nowhere")


def published(
    found: Iterable[Diagnostic], main: SourceFile, uri_of: UriOf, encoding: types.PositionEncodingKind
) -> dict[str, list[types.Diagnostic]]:
    """The diagnostics by the URI that they belong to; those without a place stand at the top of the file they came up in."""
    by_uri: dict[str, list[types.Diagnostic]] = {}
    uri_of = cache(uri_of)
    for diagnostic in found:
        span = diagnostic.primary.span if diagnostic.primary is not None else Span(main, 0, 0)
        uri = uri_of(span.file)
        if uri is not None:
            by_uri.setdefault(uri, []).append(shown(diagnostic, span, uri_of, encoding))
    return by_uri


def shown(diagnostic: Diagnostic, span: Span, uri_of: UriOf, encoding: types.PositionEncodingKind) -> types.Diagnostic:
    """One diagnostic; places on its other sides are related information."""
    related = [
        types.DiagnosticRelatedInformation(types.Location(uri, range_of(label.span, encoding)), label.text or "see here")
        for label in diagnostic.related
        if (uri := uri_of(label.span.file)) is not None
    ]
    message = message_of(diagnostic)
    unused = diagnostic.severity == "warning" and any(word in diagnostic.message for word in _UNUSED)
    return types.Diagnostic(
        range=range_of(span, encoding),
        severity=_SEVERITY[diagnostic.severity],
        code=diagnostic.code,
        source="convspec",
        message=message,
        related_information=related or None,
        tags=[types.DiagnosticTag.Unnecessary] if unused else None,
    )


def elsewhere(use: ast.Use, uri: str, wrong: list[types.Diagnostic], encoding: types.PositionEncodingKind) -> types.Diagnostic:
    """What a `use` is told of the errors in the file that it names."""
    related = [types.DiagnosticRelatedInformation(types.Location(uri, each.range), each.message) for each in wrong[:_RELATED]]
    count = "an error" if len(wrong) == 1 else f"{len(wrong)} errors"
    message = f'"{use.path}" has {count}'
    error = types.DiagnosticSeverity.Error
    return types.Diagnostic(range_of(use.path_span, encoding), message, error, source="convspec", related_information=related)


def message_of(diagnostic: Diagnostic) -> str:
    """All that is said: the message, what stands under the carets, where it came to that, notes and hint."""
    label = diagnostic.primary.text if diagnostic.primary is not None else ""
    said = [f"{diagnostic.message}: {label}" if label else diagnostic.message]
    said += diagnostic.frames
    said += [f"note: {note}" for note in diagnostic.notes]
    said += [f"hint: {diagnostic.hint}"] if diagnostic.hint else []
    return "\n".join(said)
