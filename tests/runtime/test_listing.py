"""Which pictures a run is about, in which order, and under which names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from convspec.runtime.listing import find_pictures
from tests.runtime.helpers import told


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x" * len(name))


def names(*sources: str, recursive: bool = False) -> list[str]:
    return [file.name for file in find_pictures([Path(source) for source in sources], recursive).files]


def test_names_in_one_folder_are_relative_and_sorted_as_bytes() -> None:
    put("in/b.png", "in/B.PNG", "in/a.jpeg", "in/ä.jpg", "in/a b.png", "in/10.png", "in/9.png")
    assert names("in") == ["10.png", "9.png", "B.PNG", "a b.png", "a.jpeg", "b.png", "ä.jpg"]


def test_subfolders_only_where_asked_for() -> None:
    put("in/a.png", "in/a/z.png", "in/a-b.png", "in/sub/deep/x.jpg", "in/folder.png/y.png", "in/notes.txt", "in/sub/n.md")
    flat, deep = find_pictures([Path("in")]), find_pictures([Path("in")], recursive=True)
    assert [file.name for file in flat.files] == ["a-b.png", "a.png"]
    assert flat.notes == ["in: 4 entries that are no pictures were left out"]
    assert [file.name for file in deep.files] == ["a-b.png", "a.png", "a/z.png", "folder.png/y.png", "sub/deep/x.jpg"]
    assert deep.notes == ["in: 2 entries that are no pictures were left out"]
    assert [file.path for file in deep.files] == [f"in/{file.name}" for file in deep.files]


def test_links_to_folders_are_not_followed_and_those_to_pictures_are() -> None:
    put("in/a.png", "elsewhere/b.png")
    os.symlink("../elsewhere", "in/linked")
    os.symlink("..", "in/loop")
    os.symlink("../elsewhere/b.png", "in/c.png")
    found = find_pictures([Path("in")], recursive=True)
    assert [file.name for file in found.files] == ["a.png", "c.png"]
    assert found.notes == ["in: 2 links to folders were not followed"]


def test_a_broken_link_is_no_picture() -> None:
    put("in/a.png")
    os.symlink("nowhere", "in/b.png")
    found = find_pictures([Path("in")])
    assert ([file.name for file in found.files], len(found.notes)) == (["a.png"], 1)


def test_several_sources_keep_the_order_and_the_names_given() -> None:
    put("in/b.png", "in/a.png", "other/a.png", "z.png")
    assert names("z.png", "other", "in") == ["z.png", "other/a.png", "in/a.png", "in/b.png"]


def test_what_a_picture_was_is_remembered() -> None:
    put("in/abc.png")
    os.utime("in/abc.png", ns=(5, 123456789))
    (file,) = find_pictures([Path("in")]).files
    assert (file.size, file.modified) == (10, 123456789)


def test_a_name_that_is_not_utf_8() -> None:
    raw = os.fsdecode(b"\xff\xfe.png")
    put(f"in/{raw}", "in/z.png")
    assert names("in") == ["z.png", raw]


def test_what_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    put("in/sub/a.png", "notes.txt")
    assert told(lambda: names("notes.txt")) == (
        "error[CNN302]: notes.txt stands among pictures but is none\n  = give pictures, or one file of arrays"
    )
    assert told(lambda: names("in")) == (
        "error[CNN300]: cannot read in: there is no PNG or JPEG picture in this folder\n"
        "  = subfolders are entered with --recursive"
    )
    Path("empty/sub").mkdir(parents=True)
    assert told(lambda: names("empty", recursive=True)) == (
        "error[CNN300]: cannot read empty: there is no PNG or JPEG picture in this folder"
    )
    scan = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert told(lambda: names("in", recursive=True)) == "error[CNN300]: cannot read in/sub: permission denied"
