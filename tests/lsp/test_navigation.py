"""Definition, references, rename and highlights, in a file and across `use`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from convspec.lsp import navigation
from convspec.lsp.document import Document
from tests.lsp.helpers import Session, ask, at, run

LIBRARY = """\
block Mine(x: tensor, width: int = 8, act: stage = relu) {
    return x -> conv(width, 1) -> act
}
let BASE = 16
"""
NET = """\
use Mine, BASE from "lib.cnn"

model Net {
    input image: float32[N, 3, 8, 8]
    y = image -> Mine(width = BASE) -> stem: Mine(BASE, act = gelu)
    y = y -> conv(len([i for i in 0..4]), 1)
    output logits = y
}
"""


def edited(text: str, edits: list[Any]) -> str:
    """A text after the edits of the protocol, all of ASCII lines."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda each: (each.range.start.line, each.range.start.character), reverse=True):
        start, end = edit.range.start, edit.range.end
        lines[start.line] = lines[start.line][: start.character] + edit.new_text + lines[start.line][end.character :]
    return "\n".join(lines)


def places(found: list[types.Location] | None) -> list[str]:
    return sorted(f"{Path(each.uri).name}:{each.range.start.line}:{each.range.start.character}" for each in found or [])


def across(folder: Path, work: Any) -> None:
    """Run `work(session, net)` with the library on the disk and the network open."""
    (folder / "lib.cnn").write_text(LIBRARY)
    (folder / "net.cnn").write_text(NET)

    async def inside(session: Session) -> None:
        await work(session, await session.open(NET, (folder / "net.cnn").as_uri()))

    run(inside, folder)


def test_definition_and_references(tmp_path: Path) -> None:
    async def work(session: Session, net: Document) -> None:
        def where(word: str, shift: int = 1) -> types.Position:
            return net.lines.position(NET.index(word) + shift)

        assert places(navigation.definition(session.project, net, where("Mine(width"))) == ["lib.cnn:0:6"]
        assert places(navigation.definition(session.project, net, where("width = BASE"))) == ["lib.cnn:0:22"]
        assert places(navigation.definition(session.project, net, where('"lib.cnn'))) == ["lib.cnn:0:0"]
        assert places(navigation.definition(session.project, net, where("y -> conv"))) == ["net.cnn:4:4"]
        assert navigation.definition(session.project, net, where("conv(")) is None
        assert places(navigation.references(session.project, net, where("Mine(width"))) == [
            "lib.cnn:0:6", "net.cnn:0:4", "net.cnn:4:17", "net.cnn:4:45",
        ]  # fmt: skip
        assert places(navigation.references(session.project, net, where("BASE from"), declaration=False)) == [
            "net.cnn:0:10", "net.cnn:4:30", "net.cnn:4:50",
        ]  # fmt: skip
        lit = navigation.highlights(session.project, net, where("y = image", 0))
        assert [(each.range.start.line, each.kind) for each in lit or []] == [
            (4, types.DocumentHighlightKind.Write), (5, types.DocumentHighlightKind.Write),
            (5, types.DocumentHighlightKind.Read), (6, types.DocumentHighlightKind.Read),
        ]  # fmt: skip

    across(tmp_path, work)


@pytest.mark.parametrize(
    ("word", "name", "library", "net"),
    [
        ("Mine(width", "Yours", LIBRARY.replace("Mine", "Yours"), NET.replace("Mine", "Yours")),
        ("width = BASE", "wide", LIBRARY.replace("width", "wide"), NET.replace("width", "wide")),
        ("BASE from", "FIRST", LIBRARY.replace("BASE", "FIRST"), NET.replace("BASE", "FIRST")),
        ("image ->", "picture", LIBRARY, NET.replace("image", "picture")),
    ],
)
def test_rename(word: str, name: str, library: str, net: str, tmp_path: Path) -> None:
    async def work(session: Session, document: Document) -> None:
        position = document.lines.position(NET.index(word))
        changes = navigation.rename(session.project, document, position, name).changes or {}
        by_name = {Path(uri).name: list(edits) for uri, edits in changes.items()}
        assert edited(LIBRARY, by_name.get("lib.cnn", [])) == library
        assert edited(NET, by_name.get("net.cnn", [])) == net

    across(tmp_path, work)


@pytest.mark.parametrize(
    ("word", "name", "reason"),
    [
        ("Mine(width", "BASE", "means something else"),
        ("Mine(width", "gelu", "means something else"),
        ("Mine(width", "maxpool", "layer or function"),
        ("Mine(width", "params", "layer or function"),
        ("Mine(width", "for", "word of the language"),
        ("Mine(width", "1x", "is not a name"),
        ("Mine(width", "größe", "is not a name"),
        ("Mine(width", "", "is not a name"),
        ("y = image", "image", "means something else"),
        ("y = image", "BASE", "means something else"),
        ("conv(len", "z", "belongs to the language"),
        ("stem: Mine", "z", "weights"),
        ("logits", "z", "output"),
    ],
)
def test_a_rename_is_refused_with_the_reason(word: str, name: str, reason: str, tmp_path: Path) -> None:
    async def work(session: Session, document: Document) -> None:
        position = document.lines.position(NET.index(word))
        with pytest.raises(navigation.Refused, match=reason):
            navigation.rename(session.project, document, position, name)

    across(tmp_path, work)


def test_what_is_shipped_is_not_renamed() -> None:
    text = 'use Squeeze|Excite from "std:attention"\n'
    with pytest.raises(navigation.Refused, match="shipped with convspec"):
        ask(text, navigation.prepare_rename)


def test_names_of_one_body_are_not_those_of_another() -> None:
    text = "block A(x: tensor) { y = x -> relu  return |y }\nblock B(y: tensor) { return y }\n"
    clean, offset = at(text)

    async def work(session: Session) -> None:
        document = await session.open(clean)
        changes = navigation.rename(session.project, document, document.lines.position(offset), "zz").changes or {}
        (edits,) = changes.values()
        assert (
            edited(clean, list(edits)) == "block A(x: tensor) { zz = x -> relu  return zz }\nblock B(y: tensor) { return y }\n"
        )

    run(work)


def test_a_layer_and_a_value_of_one_name() -> None:
    text = "model M(pad: int = 1) {\n input x: float32[1, 3, 8, 8]\n output x -> pad(|pad) -> conv(4, 3, pad = pad)\n}\n"
    clean, offset = at(text)

    async def work(session: Session) -> None:
        document = await session.open(clean)
        changes = navigation.rename(session.project, document, document.lines.position(offset), "wide").changes or {}
        (edits,) = changes.values()
        expected = clean.replace("M(pad", "M(wide").replace("pad(pad)", "pad(wide)").replace("pad = pad)", "pad = wide)")
        assert edited(clean, list(edits)) == expected

    run(work)


def test_a_file_with_syntax_errors_is_not_renamed_in() -> None:
    with pytest.raises(navigation.Refused, match="syntax errors"):
        ask("block A|b(x: tensor) { return x }\nblock C(x: tensor) { return x -> Ab( }\n", navigation.prepare_rename)
