"""Several files: errors where they belong, texts that are not saved yet, files that come and go."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.lsp.helpers import Session, run

LIBRARY = "block Mine(x: tensor, width: int) {\n    return x -> conv(width, 3x3) -> relu\n}\n"
NET = 'use Mine from "lib.cnn"\n\nmodel Net {\n    input x: float32[N, 3, 8, 8]\n    output x -> Mine(4)\n}\n'


def files(folder: Path) -> tuple[str, str]:
    (folder / "lib.cnn").write_text(LIBRARY)
    (folder / "net.cnn").write_text(NET)
    return (folder / "lib.cnn").as_uri(), (folder / "net.cnn").as_uri()


def test_an_imported_text_that_is_not_saved_is_seen(tmp_path: Path) -> None:
    library, net = files(tmp_path)

    async def work(session: Session) -> None:
        await session.open(NET, net)
        assert session.codes(net) == []
        await session.open(LIBRARY, library)
        await session.type(LIBRARY.replace("Mine", "Yours"), library)
        await session.settled(net)
        assert session.codes(net) == ["CNN013"]
        await session.type(LIBRARY, library)
        await session.settled(net)
        assert session.codes(net) == []
        await session.type(LIBRARY.replace("Mine", "Yours"), library)
        session.project.close(library)  # without saving: the file on the disk holds again
        await asyncio.sleep(0.3)
        assert session.codes(net) == []

    run(work, tmp_path)


def test_errors_in_an_imported_file_stand_there(tmp_path: Path) -> None:
    library, net = files(tmp_path)
    (tmp_path / "lib.cnn").write_text(LIBRARY.replace("relu", "relu ->"))

    async def work(session: Session) -> None:
        await session.open(NET, net)
        assert session.codes(library) == ["CNN001"]
        (told,) = session.said[net]
        assert told.message == '"lib.cnn" has an error' and told.range.start.line == 0
        assert told.related_information and told.related_information[0].location.uri == library
        (tmp_path / "lib.cnn").write_text(LIBRARY.replace("3x3", "30x30"))
        session.project.files_changed()
        await session.settled(net)
        assert session.codes(library) == ["CNN032"] and session.said[library][0].range.start.line == 1
        (tmp_path / "lib.cnn").write_text(LIBRARY)
        session.project.files_changed()
        await session.settled(net)
        assert session.codes(library) == [] and session.codes(net) == []
        (tmp_path / "lib.cnn").write_text(LIBRARY.replace("relu", "rellu"))
        session.project.files_changed()
        await session.settled(net)
        assert session.codes(library) == ["CNN021"]
        session.project.close(net)
        assert session.codes(library) == []

    run(work, tmp_path)


def test_cyclic_imports(tmp_path: Path) -> None:
    library, net = files(tmp_path)

    async def work(session: Session) -> None:
        await session.open(NET, net)
        await session.open('use Net from "net.cnn"\n' + LIBRARY, library)
        await session.settled(net)
        assert "CNN012" in session.codes(library)
        await session.type(LIBRARY, library)
        await session.settled(net)
        assert session.codes(library) == session.codes(net) == []

    run(work, tmp_path)


def test_a_file_that_appears(tmp_path: Path) -> None:
    _, net = files(tmp_path)
    (tmp_path / "lib.cnn").unlink()

    async def work(session: Session) -> None:
        await session.open(NET, net)
        assert session.codes(net) == ["CNN010"]
        (tmp_path / "lib.cnn").write_text(LIBRARY)
        session.project.files_changed()
        await session.settled(net)
        assert session.codes(net) == []

    run(work, tmp_path)


def test_imports_stay_in_the_workspace_or_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "lib.cnn").write_text(LIBRARY)
    text = NET.replace("lib.cnn", "../lib.cnn")

    async def inside(session: Session) -> None:
        await session.open(text, (tmp_path / "a" / "b" / "net.cnn").as_uri())
        assert session.codes((tmp_path / "a" / "b" / "net.cnn").as_uri()) == []

    async def outside(session: Session) -> None:
        await session.open(text, (tmp_path / "a" / "b" / "net.cnn").as_uri())
        assert session.codes((tmp_path / "a" / "b" / "net.cnn").as_uri()) == ["CNN011"]

    run(inside, tmp_path)
    run(outside)


def test_a_new_text_imports_from_the_workspace_and_from_the_library(tmp_path: Path) -> None:
    files(tmp_path)

    async def work(session: Session) -> None:
        await session.open(NET)
        assert session.codes() == []

    async def alone(session: Session) -> None:
        await session.open(NET)
        assert session.codes() == ["CNN010"]
        await session.type(
            'use SqueezeExcite from "std:attention"\n' + NET.split("\n", 1)[1].replace("Mine(4)", "SqueezeExcite(2)")
        )
        assert session.codes() == []

    run(work, tmp_path)
    run(alone)


def test_a_block_shows_its_shapes_from_where_it_is_used(tmp_path: Path) -> None:
    from convspec.lsp.inlay import inlay_hints

    library, net = files(tmp_path)

    async def work(session: Session) -> None:
        document = await session.open(LIBRARY, library)
        assert inlay_hints(session.project, document, document.lines.range(0, 200)) == []
        await session.open(NET, net)
        found = inlay_hints(session.project, document, document.lines.range(0, 200))
        assert [hint.label for hint in found] == ["[N, 4, 6, 6]", "[N, 4, 6, 6]"]

    run(work, tmp_path)
