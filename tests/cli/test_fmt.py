"""`convspec fmt`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from convspec.cli.app import app
from tests.cli.helpers import convspec

UGLY = "model A{input x:float32[N,3,8,8]\noutput x->conv(4,3x3)}"
NEAT = "model A {\n    input x: float32[N, 3, 8, 8]\n    output x -> conv(4, 3x3)\n}\n"


def piped(data: bytes, *options: str) -> tuple[int, bytes]:
    done = CliRunner().invoke(app, ["fmt", *options, "-"], input=data)
    return done.exit_code, done.stdout_bytes


def test_a_file_is_rewritten_once() -> None:
    path = Path("ugly.cnn")
    path.write_text(UGLY)
    path.chmod(0o640)
    done = convspec("fmt", path)
    assert (done.code, done.out, done.err) == (0, "formatted ugly.cnn\n", "1 file formatted\n")
    assert path.read_text() == NEAT and path.stat().st_mode & 0o777 == 0o640
    before = path.stat().st_mtime_ns
    assert convspec("fmt", path).err == "1 file already formatted\n"
    assert path.stat().st_mtime_ns == before


def test_check_writes_nothing() -> None:
    Path("ugly.cnn").write_text(UGLY)
    Path("neat.cnn").write_text(NEAT)
    done = convspec("fmt", "--check", "ugly.cnn", "neat.cnn")
    assert (done.code, done.out, done.err) == (1, "would change ugly.cnn\n", "1 file would change, 1 file already formatted\n")
    assert convspec("fmt", "--check", "neat.cnn").code == 0
    assert Path("ugly.cnn").read_text() == UGLY


def test_diff_shows_the_lines() -> None:
    Path("ugly.cnn").write_text(UGLY)
    done = convspec("fmt", "--diff", "ugly.cnn")
    lines = done.out.splitlines()
    assert done.code == 1 and lines[:2] == ["--- ugly.cnn", "+++ ugly.cnn (formatted)"]
    assert [line[1:] for line in lines[2:] if line.startswith("+")] == NEAT.splitlines()
    assert Path("ugly.cnn").read_text() == UGLY


def test_standard_input() -> None:
    assert piped(UGLY.encode()) == (0, NEAT.encode())
    assert piped(UGLY.encode(), "--check") == (1, b"would change <stdin>\n")
    assert piped(NEAT.encode(), "--check") == (0, b"")
    code, out = piped(b"model \xff")
    assert (code, out) == (1, b"")


def test_other_line_ends_become_plain_ones() -> None:
    path = Path("windows.cnn")
    path.write_bytes(b"\xef\xbb\xbf" + NEAT.replace("\n", "\r\n").encode())
    assert convspec("fmt", "--check", path).code == 1
    convspec("fmt", path)
    assert path.read_bytes() == NEAT.encode()


def test_folders_and_files_that_do_not_parse() -> None:
    Path("specs/deep").mkdir(parents=True)
    for name in ("specs/a.cnn", "specs/deep/b.cnn", "specs/notes.txt"):
        Path(name).write_text(UGLY)
    Path("specs/broken.cnn").write_text("model A {")
    done = convspec("fmt", "specs", "specs/a.cnn")
    assert done.code == 1 and "CNN001" in done.err and "specs/broken.cnn:1" in done.err
    assert done.out == "formatted specs/a.cnn\nformatted specs/deep/b.cnn\n"
    assert Path("specs/notes.txt").read_text() == UGLY and Path("specs/broken.cnn").read_text() == "model A {"


@pytest.mark.parametrize("name", ["absent.cnn", "empty"])
def test_what_is_not_there(name: str) -> None:
    Path("empty").mkdir()
    done = convspec("fmt", name)
    assert done.code == 1 and "CNN010" in done.err


def test_a_link_stays_a_link() -> None:
    Path("real.cnn").write_text(UGLY)
    os.symlink("real.cnn", "link.cnn")
    convspec("fmt", "link.cnn")
    assert Path("link.cnn").is_symlink() and Path("real.cnn").read_text() == NEAT
