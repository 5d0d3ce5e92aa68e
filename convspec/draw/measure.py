"""How wide text is, in the font that is shipped: Arimo, whose letters are as wide as those of Arial and Helvetica.

Pictures name that stack of fonts. Where a viewer has none of them, each text still takes the width measured here: it is
written with it (`textLength`). The widths stand in a table, `fonts/widths.json`, so that no font is read.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = FONTS / "Arimo-Regular.ttf", FONTS / "Arimo-Bold.ttf"
FAMILY = "Arimo, Arial, Helvetica, 'Liberation Sans', sans-serif"
_UNIT = 1000


def width(text: str, size: float, bold: bool = False) -> float:
    """The width of a line of text in pixels, at a font size in pixels."""
    return sum(_advance(char, bold) for char in text) * size / _UNIT


def covered(text: str) -> bool:
    """Whether the shipped font has every character."""
    return set(text) <= _widths(False).keys()


def fit(text: str, size: float, room: float, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it is wider than `room` pixels."""
    if width(text, size, bold) <= room + 0.01:  # sums of the same widths in another order may differ
        return text
    left = room - width("…", size, bold)
    kept = []
    for char in text:
        left -= _advance(char, bold) * size / _UNIT
        if left < 0:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"


@cache
def _widths(bold: bool) -> Mapping[str, int]:
    """The width of every character of the font in thousandths of its size; the file has the characters by their widths."""
    table = json.loads((FONTS / "widths.json").read_text("utf-8"))["bold" if bold else "regular"]
    return {char: int(wide) for wide, chars in table.items() for char in chars}


@cache
def _advance(char: str, bold: bool) -> float:
    """The width of one character; of one that the font has not, a guess on the wide side."""
    wide = _widths(bold).get(char)
    if wide is not None:
        return wide
    if unicodedata.category(char) in ("Cf", "Mn", "Me"):
        return 0
    return _UNIT if unicodedata.east_asian_width(char) in "WF" else 0.75 * _UNIT
