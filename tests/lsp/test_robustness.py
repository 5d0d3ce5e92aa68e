"""Every feature at random places of texts that are whole, broken or odd: something or nothing, never an exception."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest
from lsprotocol import types

from convspec.lsp import actions, colours, completion, hover, inlay, navigation, outline, signature
from convspec.lsp.colours import TYPES
from convspec.lsp.document import Document
from tests.lsp.helpers import Session, run
from tests.syntax.test_incremental import edited

ROOT = Path(__file__).resolve().parents[2]
AT_PLACES = (hover.hover, completion.completion, signature.signature_help, navigation.definition, navigation.highlights)
ODD = [
    *(
        "",
        "\ufeff",
        "\n\n",
        "#",
        '"',
        "model",
        "model {",
        "use",
        'use A from "',
        "block B(",
        "{" * 300,
        "\x00",
        "default",
        "let f(",
    ),
    *("model M { input x: float32[", "model M {\n input x: float32[1]\n output x ->", 'model M { output "a{', "x" * 5_000),
    "model M { " * 50,
]


def ask_all(session: Session, document: Document, chance: random.Random, places: int) -> None:
    project, text = session.project, document.text
    whole = document.lines.range(0, len(text))
    outline.symbols(document)
    outline.folding(project, document)
    inlay.inlay_hints(project, document, whole)
    actions.code_actions(project, document, whole)
    data = colours.semantic_tokens(project, document).data
    assert all(0 <= kind < len(TYPES) for kind in data[3::5]) and all(length > 0 for length in data[2::5])
    assert all(line > 0 or ahead > 0 for line, ahead in zip(data[5::5], data[6::5], strict=True))
    for _ in range(places):
        position = document.lines.position(chance.randrange(len(text) + 1))
        for feature in AT_PLACES:
            feature(project, document, position)
        with suppress(navigation.Refused):
            navigation.rename(project, document, position, "other")


@pytest.mark.parametrize("name", ["examples/unet.cnn", "examples/resnet.cnn", "convspec/std/attention.cnn"])
def test_edits(name: str) -> None:
    whole = (ROOT / name).read_text("utf-8")

    async def work(session: Session) -> None:
        chance = random.Random(name)
        document = await session.open(whole, (ROOT / name).as_uri())
        ask_all(session, document, chance, 30)
        text = whole
        for number in range(12):
            text = edited(text, chance)
            change = types.TextDocumentContentChangeWholeDocument(text)
            session.project.change(document.uri, number + 2, [change])
            ask_all(session, document, chance, 4)  # before it is known what the edit means
            if number % 3 == 0:
                await session.settled(document.uri)
                ask_all(session, document, chance, 4)
            text = whole if number % 4 == 3 else text

    run(work)


def test_odd_texts() -> None:
    async def work(session: Session) -> None:
        chance = random.Random(0)
        await session.open("")
        for text in ODD:
            document = await session.type(text)
            ask_all(session, document, chance, 6)
            assert actions.formatting(document) is None or not document.syntax.failure

    run(work)
