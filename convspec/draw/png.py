"""An SVG picture as PNG, by resvg, with the font that is shipped; two pixels for one, so that it is sharp in print."""

from __future__ import annotations

import re
from importlib.util import find_spec

from convspec.diagnostics import error, fail
from convspec.draw.look import Theme
from convspec.draw.measure import BOLD, REGULAR, covered
from convspec.draw.palette import inlined

SCALE = 2.0
_MOST_PIXELS = 60_000_000
"""An image of more is made smaller: it takes 240 MB while it is drawn, and viewers refuse larger ones."""


def png(picture: str, theme: Theme) -> bytes:
    """An SVG picture of this package as PNG, light where its theme is left to the reader. Failure CNN303 without resvg."""
    if find_spec("resvg_py") is None:
        hint = "pip install 'convspec[draw]', or write .svg"
        raise fail(error("CNN303", "resvg-py, which turns the picture into PNG, is not installed", hint=hint))
    import resvg_py

    wide, high = size(picture)
    shown = "".join(re.findall(r"<text[^>]*>([^<]*)", picture))
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=inlined(picture, theme),
            zoom=min(SCALE, (_MOST_PIXELS / (wide * high)) ** 0.5),
            # Where the font that is shipped lacks a character, the machine's are looked through.
            skip_system_fonts=covered(shown.replace("\n", "")),
            font_files=[str(REGULAR), str(BOLD)],
            font_family="Arimo",
            sans_serif_family="Arimo",
        )
    )


def size(picture: str) -> tuple[float, float]:
    """Width and height of a picture of this package, in pixels."""
    found = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', picture)
    assert found is not None
    return float(found[1]), float(found[2])
