"""Diagnostics: those of an edited text are those of the text opened afresh, and those that `check` finds."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from lsprotocol import types

from convspec.cli.check import _check_all
from convspec.diagnostics import Failure
from convspec.limits import DEFAULT
from tests.lsp.helpers import Session, run
from tests.syntax.test_incremental import edited

ROOT = Path(__file__).resolve().parents[2]
TWO = """\
let WIDTH = 8
default conv(bias = false)

block Twice(x: tensor, width: int) {
    return x -> conv(width, 3x3, pad = 1) -> relu
}

## Not used.
block Other(x: tensor) { return x -> gelu -> Twice(4) }

model One {
    input x: float32[N, 3, 8, 8]
    output x -> Twice(WIDTH)
}

model Two(width: int) {
    input x: float32[N, 3, 8, 8]
    output x -> conv(width, 1) -> add(x)
}

model Three = Two(3)
model Four = Two(width = 4)
"""


def told(found: list[types.Diagnostic]) -> list[tuple[object, ...]]:
    return sorted(
        (
            each.range.start.line,
            each.range.start.character,
            each.range.end.line,
            each.range.end.character,
            each.code,
            each.message,
        )
        for each in found
        if each.severity == types.DiagnosticSeverity.Error
    )


@pytest.mark.parametrize("seed", range(3))
def test_random_edits(seed: int) -> None:
    async def work(session: Session) -> None:
        chance = random.Random(seed)
        text = TWO
        await session.open(text)
        for number in range(15):
            before, text = text, edited(text, chance)
            await session.type(text)
            await session.open(text, f"untitled:fresh{number}")
            name = f"untitled:fresh{number}"
            fresh = [(*each[:5], str(each[5]).replace(name, "untitled:Untitled-1")) for each in told(session.said[name])]
            assert told(session.said["untitled:Untitled-1"]) == fresh
            session.project.close(f"untitled:fresh{number}")
            if chance.random() < 0.6:
                text = before
                await session.type(text)

    run(work)


def test_quick_typing() -> None:
    """Edits come while the text before them is still being analysed, and move what that looks at."""
    text = TWO
    for number in range(8):
        text += f"\nmodel More{number} {{\n    input x: float32[N, 3, 8, 8]\n"
        text += "    for i in 0..40 { x = x -> conv(3, 3x3, pad = 1) -> relu }\n    output x -> Twice(4)\n}\n"

    async def work(session: Session) -> None:
        chance = random.Random(7)
        current = text
        session.project.open("untitled:Untitled-1", 0, text)
        for number in range(60):
            current = edited(current, chance) if number % 4 else edited(text, chance)
            change = types.TextDocumentContentChangeWholeDocument(current)
            session.project.change("untitled:Untitled-1", number + 1, [change])
            await asyncio.sleep(chance.choice([0, 0, 0.01, 0.03]))
            if number % 12 == 11:
                await session.settled()
                await session.open(current, "untitled:fresh")
                found, fresh = told(session.said["untitled:Untitled-1"]), told(session.said["untitled:fresh"])
                assert [each[:5] for each in found] == [each[:5] for each in fresh]
                session.project.close("untitled:fresh")

    run(work)


def by_check(path: Path) -> list[tuple[int, int, str]]:
    try:
        _, found = _check_all([path], None, {}, None, DEFAULT)
    except Failure as failure:
        found = failure.diagnostics
    errors = [each for each in found if each.severity == "error" and each.primary is not None]
    places = [(*each.primary.span.file.line_column(each.primary.span.start), each.code) for each in errors if each.primary]
    return sorted((line - 1, column - 1, code) for line, column, code in places)


@pytest.mark.parametrize("seed", range(2))
def test_what_check_says(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "two.cnn"

    async def work(session: Session) -> None:
        chance = random.Random(f"check{seed}")
        session.project.open(path.as_uri(), 1, TWO)
        for _ in range(12):
            text = edited(TWO, chance)
            if chance.random() < 0.5:
                word = chance.choice(["WIDTH", "Twice", "width", "relu", "8", "x"])
                text = text.replace(word, chance.choice(["q", "9", "conv"]), 1)
            if "\r" in text or "\ufeff" in text:
                continue  # a file on the disk is read without them
            path.write_text(text, "utf-8")
            await session.type(text, path.as_uri())
            found = [(line, column, code) for line, column, _, _, code, _ in told(session.said[path.as_uri()])]
            assert found == by_check(path), text

    run(work, tmp_path)


def test_a_model_that_does_not_use_what_was_edited_is_kept() -> None:
    async def work(session: Session) -> None:
        document = await session.open(TWO)
        before = {name: known.module for name, known in document.modules.items()}
        assert set(before) == {"One", "Three", "Four"}  # of Four, up to its mistake
        document = await session.type(TWO.replace("output x -> conv(width, 1)", "y = x\n    output y -> conv(width, 1)"))
        after = {name: known.module for name, known in document.modules.items()}
        assert after["One"] is before["One"] and after["Three"] is not before["Three"]
        document = await session.type(TWO.replace("WIDTH = 8", "WIDTH = 4"))
        assert document.modules["One"].module is not after["One"]
        assert document.modules["One"].module.graph.outputs[0].value.type.shape[1] == 4
        document = await session.type(TWO.replace("bias = false", "bias = true"))
        assert len(document.modules["One"].module.graph.parameters()) == 2

    run(work)


def test_syntax_errors_are_told_before_shapes() -> None:
    async def work(session: Session) -> None:
        await session.open(TWO)
        session.project.change("untitled:Untitled-1", 2, [types.TextDocumentContentChangeWholeDocument(TWO + "\nblock {")])
        assert session.codes() == ["CNN001"] and session.versions["untitled:Untitled-1"] == 2

    run(work)


def test_an_edit_makes_an_analysis_stale() -> None:
    endless = "model M {\n input x: float32[1, 1, 8, 8]\n for i in 0..90000 { x = x -> relu }\n output x\n}\n"

    async def work(session: Session) -> None:
        session.project.open("untitled:Untitled-1", 1, endless)
        await asyncio.sleep(0.3)
        assert not session.project.documents["untitled:Untitled-1"].settled.is_set()
        await session.type(TWO.replace("Twice(WIDTH)", "Thrice(WIDTH)"))
        assert session.codes() == ["CNN021", "CNN031"]

    run(work)


def test_limits() -> None:
    huge = (
        "model M {\n input x: float32[1, 1, 8, 8]\n for i in 0..100000 { for j in 0..100000 { x = x -> relu } }\n output x\n}\n"
    )

    async def work(session: Session) -> None:
        await session.open(huge)
        assert session.codes() in (["CNN060"], ["CNN063"])
        await session.type("# " + "x" * 300_000)
        assert session.codes() == ["CNN006"]
        await session.type("model M { input x: float32[1, 1, 8, 8] output x -> relu }")
        assert session.codes() == []

    run(work)


def test_warnings_come_and_go() -> None:
    model = "model M {\n input x: float32[1, 1, 8, 8]\n output x -> relu\n}\n"
    unused = "\nblock Unused(x: tensor) { return x -> gelu }\n"

    async def work(session: Session) -> None:
        await session.open(model + unused)
        for _ in range(200):
            if session.codes():
                break
            await asyncio.sleep(0.05)
        (found,) = session.said["untitled:Untitled-1"]
        assert found.severity == types.DiagnosticSeverity.Warning and found.range.start.line == 5
        await session.type(model.replace(" -> relu", "\n -> relu") + unused)
        assert [each.range.start.line for each in session.said["untitled:Untitled-1"]] == [6], "it follows the text"
        await session.type(model + unused.replace("gelu", "relu"))
        assert session.codes() == []
        await session.type(model)
        await asyncio.sleep(1)
        assert session.codes() == []

    run(work)
