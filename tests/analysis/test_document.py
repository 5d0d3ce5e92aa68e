"""docs/analysis.md shows what the commands print, and names every key of their JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.helpers import convspec
from tests.tour.script import ROOT, difference, play

DOCUMENT = ROOT / "docs" / "analysis.md"
PICTURE = ROOT / "docs" / "pictures" / "sweep.svg"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


def test_its_outputs_are_real() -> None:
    """`python -m tests.analysis.test_document` writes them anew."""
    shown = DOCUMENT.read_text()
    played = play(shown)
    assert not difference(shown, played)
    assert Path("sweep.svg").read_text() == PICTURE.read_text()


def test_every_key_of_the_json_is_explained() -> None:
    text = DOCUMENT.read_text()
    spec = re.search(r"```cnn net.cnn\n(.*?)```", text, re.DOTALL)
    assert spec is not None
    Path("net.cnn").write_text(spec[1])
    known = set(re.findall(r"`([a-z_]+)`", text[text.index("## JSON") :]))
    for args in (
        ("summary", "net.cnn:Net", "--memory", "1GB"),
        ("summary", "net.cnn:Net", "--by", "block", "--sizes", "N=1"),
        ("summary", "net.cnn:Net", "net.cnn:Wide", "--memory", "1GB"),
        ("diff", "net.cnn:Net", "net.cnn:Wide"),
        ("sweep", "net.cnn:Net", "--set", "width=8,400"),
    ):
        done = convspec(*args, "--format", "json")
        unknown = set(_keys(json.loads(done.out))) - known - {"N", "image", "width", "model"}
        assert not unknown, args


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def write() -> None:
    """The document and its picture, made anew in the current folder."""
    DOCUMENT.write_text(play(DOCUMENT.read_text()))
    PICTURE.write_text(Path("sweep.svg").read_text())


if __name__ == "__main__":
    import os
    import tempfile

    os.environ["COLUMNS"] = "100"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write()
