"""Light bulbs: what mends a mistake, what may have been meant, and comments that allow what is suspicious; and formatting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types

from convspec.diagnostics import Diagnostic, Failure, Fix
from convspec.diagnostics.fixes import apply_fixes
from convspec.lsp.document import Document
from convspec.lsp.positions import range_of
from convspec.lsp.problems import shown
from convspec.lsp.project import Project
from convspec.source import SourceFile
from convspec.syntax import parse

FIX_ALL = "source.fixAll.convspec"
_ROUNDS = 20


def code_actions(
    project: Project, document: Document, wanted: types.Range, only: Iterable[str] | None = None
) -> list[types.CodeAction]:
    """What can be done about what is wrong in a range."""
    start, end = document.lines.offset(wanted.start), document.lines.offset(wanted.end)
    kinds = list(only or [])
    found: list[types.CodeAction] = []
    if _asked(kinds, types.CodeActionKind.QuickFix.value):
        for diagnostic in [*document.errors, *document.warnings]:
            if diagnostic.primary is None or diagnostic.primary.span.file is not document.buffer:
                continue
            span = diagnostic.primary.span
            if span.start <= end and start <= span.end:
                found += _of(project, document, diagnostic)
    if _asked(kinds, FIX_ALL):
        mended, count = _all_mended(document)
        if count > (0 if kinds else 1):
            found.append(_fix_all(document, mended))
    return found


def _asked(kinds: list[str], kind: str) -> bool:
    """Whether an editor that wants some kinds wants this one."""
    return not kinds or any(kind == each or kind.startswith(f"{each}.") for each in kinds)


def _of(project: Project, document: Document, diagnostic: Diagnostic) -> Iterator[types.CodeAction]:
    assert diagnostic.primary is not None
    told = shown(diagnostic, diagnostic.primary.span, project.uri_of, document.encoding)
    fixes = [(fix, True) for fix in (diagnostic.fix,) if fix is not None] + [(fix, False) for fix in diagnostic.suggestions]
    for fix, certain in fixes:
        edit = _edit(project, document, [fix])
        if edit is not None:
            title = fix.title or f"write `{fix.replacement}`"
            title = title[:1].upper() + title[1:]
            yield types.CodeAction(title, types.CodeActionKind.QuickFix, [told], is_preferred=certain or None, edit=edit)
    if diagnostic.severity == "warning":
        yield _allow(document, diagnostic, told)


def _allow(document: Document, diagnostic: Diagnostic, told: types.Diagnostic) -> types.CodeAction:
    """A comment above the line that silences a warning; the author writes the reason."""
    assert diagnostic.primary is not None
    line = document.lines.position(diagnostic.primary.span.start).line
    start = document.lines.starts[line]
    text = document.text[start : diagnostic.primary.span.start]
    indent = text[: len(text) - len(text.lstrip())]
    ending = "\r\n" if "\r\n" in document.text else "\n"
    place = types.Position(line, 0)
    comment = f"{indent}# allow: {diagnostic.code} reason{ending}"
    edit = types.WorkspaceEdit(changes={document.uri: [types.TextEdit(types.Range(place, place), comment)]})
    return types.CodeAction(f"Allow {diagnostic.code} here", types.CodeActionKind.QuickFix, [told], edit=edit)


def _all_mended(document: Document) -> tuple[str, int]:
    """The text without the mistakes of this file that have one right answer, and how many they were.

    A mistake in the syntax may hide others: they are mended in their turn.
    """
    found = [*document.errors, *document.warnings]
    file: SourceFile = document.buffer
    text, total = document.text, 0
    for _ in range(_ROUNDS):
        text, count = apply_fixes(found).get(file, (text, 0))
        total += count
        if not count or document.syntax.failure is None:
            break
        file = SourceFile(document.buffer.name, text)
        found = _syntax_errors(file)
    return text, total


def _syntax_errors(file: SourceFile) -> list[Diagnostic]:
    try:
        parse(file)
    except Failure as failure:
        return failure.diagnostics
    return []


def _fix_all(document: Document, mended: str) -> types.CodeAction:
    """All that has one right answer, in this file."""
    whole = document.lines.range(0, len(document.text))
    edit = types.WorkspaceEdit(changes={document.uri: [types.TextEdit(whole, mended)]})
    return types.CodeAction("Fix all that has one right answer", FIX_ALL, edit=edit)


def _edit(project: Project, document: Document, fixes: list[Fix]) -> types.WorkspaceEdit | None:
    changes: dict[str, list[types.TextEdit]] = {}
    for fix in fixes:
        uri = project.uri_of(fix.span.file)
        if uri is None:
            return None
        edit = types.TextEdit(range_of(fix.span, document.encoding), fix.replacement)
        changes.setdefault(uri, []).append(edit)
    return types.WorkspaceEdit(changes=changes)


def formatting(document: Document) -> list[types.TextEdit] | None:
    """The edits that bring a text into the canonical style; None where it does not parse."""
    from convspec.format import format_text

    try:
        made = format_text(document.text, document.buffer.name)
    except Failure:
        return None
    if "\r\n" in document.text:
        made = made.replace("\n", "\r\n")
    return [] if made == document.text else _difference(document, made)


def _difference(document: Document, made: str) -> list[types.TextEdit]:
    """Edits of the lines that differ, so that the cursor stays where it is."""
    from difflib import SequenceMatcher

    old, new = document.text.splitlines(keepends=True), made.splitlines(keepends=True)
    if any(line.rstrip("\r\n") != "".join(line.rstrip("\r\n").splitlines()) for line in old):
        return [types.TextEdit(document.lines.range(0, len(document.text)), made)]
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    edits = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            edits.append(types.TextEdit(document.lines.range(starts[a], starts[b]), "".join(new[c:d])))
    return edits
