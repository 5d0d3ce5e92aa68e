"""What a file is made of: bytes, line ends, marks, and what is no text."""

from __future__ import annotations

from pathlib import Path

import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import load
from convspec.limits import Limits
from tests.syntax.helpers import errors, file, messages, short

SPEC = "model M {\n    input x: float32[N, 3]\n    output x -> linear(2)\n}\n"


@pytest.mark.parametrize(
    "data",
    [
        SPEC.encode(),
        b"\xef\xbb\xbf" + SPEC.encode(),
        SPEC.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + SPEC.replace("\n", "\r\n").encode(),
        SPEC.replace("\n", "\r").encode(),
        SPEC.replace("    ", "\t").encode(),
        ("# 日本語 – é\n" + SPEC).encode(),
        SPEC.replace("\n", " ").encode(),
        SPEC.encode() + b"# no line end",
    ],
    ids=["plain", "mark", "crlf", "mark and crlf", "cr", "tabs", "comment", "one line", "no line end"],
)
def test_files_that_are_read(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.cnn"
    path.write_bytes(data)
    assert [node.op.name for node in load(path).graph.nodes] == ["linear"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"model M { \xff }", "net.cnn is not UTF-8 text: byte 0xff at offset 10"),
        (SPEC.encode("utf-16"), "net.cnn is not UTF-8 text: byte 0xff at offset 0"),
        (b"model M { \x00 }", "the file has a NUL byte: it is not text"),
        (b"\x89PNG\r\n\x1a\n", "net.cnn is not UTF-8 text: byte 0x89 at offset 0"),
        (SPEC.encode() * 1000, "net.cnn has more than 10,000 bytes"),
    ],
    ids=["latin-1", "utf-16", "nul", "png", "large"],
)
def test_files_that_are_no_text(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "net.cnn"
    path.write_bytes(data)
    with pytest.raises(Failure) as caught:
        load(path, limits=Limits(file_bytes=10_000))
    assert [(d.code, d.message) for d in caught.value.diagnostics] == [("CNN006", message)]


def test_text_that_never_was_a_file_is_limited_too() -> None:
    assert [e.code for e in errors("# é\n" * 10, Limits(file_bytes=49))] == ["CNN006"]
    assert [e.code for e in errors("# é\n" * 10 + "let A = 1", Limits(file_bytes=60))] == []


def test_half_a_character_is_no_text() -> None:
    assert messages("let A = \ud800") == ["1:9 the file has half a character (U+D800): it is not text"]


def test_a_comment_ends_at_any_line_end() -> None:
    """With old line ends the first comment must not swallow the rest of the file."""
    assert [short(item) for item in file("# a\rlet A = 1\r## b\rlet B = 2").items] == ["let A = 1", "let B = 2"]


@pytest.mark.parametrize("text", ["", " \n\t\r\n", "# nothing\n", "## nothing\n", "\ufeff"])
def test_nothing_at_all(text: str) -> None:
    assert messages(text) == ["- net.cnn is empty"]


@pytest.mark.parametrize("char", ["\u00a0", "\u2003", "\u200b", "\u2028", "\x0b", "\x0c", "\x85", "\u202e", "\x07", "\ufeff"])
def test_characters_that_cannot_be_seen_are_named(char: str) -> None:
    (error,) = errors(f"let A ={char} 3")
    assert error.message.startswith(f"U+{ord(char):04X}")


@pytest.mark.parametrize(
    ("char", "hint"),
    [("→", "write `->`"), ("≥", "write `>=`"), ("−", "write `-`"), ("×", "a size is written with the letter x: 3x3"),
     ("&&", "write `and`"), ("||", "write `or`"), ("^", "write `**`"), ("…", "write `..`"), ("@", None), ("日", None)],
)  # fmt: skip
def test_characters_that_mean_something_elsewhere(char: str, hint: str | None) -> None:
    (error,) = errors(f"let A = 1 {char} 2")
    assert error.code == "CNN002" or char == "日"
    assert char == "日" or error.hint == hint
