"""The pictures in the documentation are what is drawn today."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from tests.draw.pictures import FOLDER, PICTURES, ROOT, made

PINNED = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_fresh(name: str) -> None:
    if version("pygraphviz") != PINNED["pygraphviz"]:
        pytest.skip("another Graphviz may find other places")
    assert (FOLDER / f"{name}.svg").read_text("utf-8") == made(name), "python -m tests.draw.pictures"


def test_every_picture_is_shown() -> None:
    text = (ROOT / "docs" / "drawing.md").read_text()
    assert set(re.findall(r"pictures/([\w-]+)\.svg", text)) == set(PICTURES)
