"""Light bulbs and formatting."""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types

from convspec.format import format_text
from convspec.lsp import actions
from convspec.lsp.document import Document
from tests.lsp.helpers import Session, run

NET = "model M {\n    input x: float32[1, 3, 8, 8]\n    output x -> conv(4, 3x3) -> relu\n}\n"


def applied(document: Document, edits: list[Any]) -> str:
    text, lines = document.text, document.lines
    for edit in sorted(edits, key=lambda each: (each.range.start.line, each.range.start.character), reverse=True):
        text = text[: lines.offset(edit.range.start)] + edit.new_text + text[lines.offset(edit.range.end) :]
    return text


def offered(text: str, only: list[str] | None = None, warnings: bool = False) -> dict[str, tuple[bool, str]]:
    """By title: whether it is preferred, and the text after it."""

    async def work(session: Session) -> dict[str, tuple[bool, str]]:
        document = await session.open(text)
        for _ in range(200 if warnings else 0):
            if document.warnings:
                break
            await asyncio.sleep(0.05)
        found = actions.code_actions(session.project, document, document.lines.range(0, len(text)), only)
        made = {}
        for each in found:
            assert each.edit is not None and each.edit.changes is not None
            (edits,) = each.edit.changes.values()
            made[each.title] = (bool(each.is_preferred), applied(document, list(edits)))
        return made

    return run(work)


def test_a_guess_is_offered_and_not_preferred() -> None:
    assert (False, NET) in offered(NET.replace("relu", "rellu")).values()


def test_what_has_one_right_answer_is_preferred() -> None:
    assert (True, NET) in offered(NET.replace("-> relu", "→ relu")).values()


def test_fix_all() -> None:
    twice = NET.replace("-> relu", "→ relu").replace("x -> conv", "x → conv")
    assert offered(twice)["Fix all that has one right answer"][1] == NET
    assert list(offered(twice, ["source.fixAll"])) == ["Fix all that has one right answer"]
    assert "Fix all that has one right answer" not in offered(twice, ["quickfix"])
    assert offered(NET) == {}


def test_a_warning_can_be_allowed() -> None:
    text = NET.replace("conv(4, 3x3)", "conv(4, 3x3) -> batchnorm")
    found = offered(text, warnings=True)
    title = next(title for title in found if title.startswith("Allow CNN"))
    after = found[title][1]
    assert f"    # allow: {title.split()[1]} " in after

    async def work(session: Session) -> None:
        await session.open(after.replace("reason", "as in the paper"))
        await asyncio.sleep(1.5)
        assert session.codes() == []

    run(work)


def formatted(text: str) -> str | None:
    async def work(session: Session) -> str | None:
        document = await session.open(text)
        edits = actions.formatting(document)
        return applied(document, edits) if edits is not None else None

    return run(work)


def test_formatting() -> None:
    ugly = "# é 😀\n" + NET.replace("    ", " ").replace(" -> ", "->")
    assert formatted(ugly) == format_text(ugly)
    assert formatted(ugly.replace("\n", "\r\n")) == format_text(ugly).replace("\n", "\r\n")
    assert formatted(format_text(NET)) == format_text(NET)
    assert formatted("# a\x0cb\u2028c\n" + NET.replace("    ", "  ")) == format_text("# a\x0cb\u2028c\n" + NET)
    assert formatted("model {") is None


def test_an_edit_of_one_line_leaves_the_others_alone() -> None:
    async def work(session: Session) -> None:
        document = await session.open(NET.replace("-> relu", "->relu"))
        (edit,) = actions.formatting(document) or []
        assert (edit.range.start.line, edit.range.end.line) == (2, 3)
        assert isinstance(edit, types.TextEdit)

    run(work)
