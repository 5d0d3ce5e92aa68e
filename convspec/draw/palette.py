"""Colours of pictures, for light and dark paper, and the style sheet that sets them.

Cost has nine steps of one hue, from next to nothing to the dearest box; they differ in lightness too, so that they read in
grey. Every text has a contrast of at least 4.5 to what it stands on (WCAG 2 AA); a test holds that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from convspec.draw.look import Theme
from convspec.draw.measure import FAMILY
from convspec.records import dataclass

STEPS = 9


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme. `ramp`, `ink` and `faint` are by step of cost: the fill, the text on it, the muted text on it."""

    paper: str
    text: str
    muted: str
    wire: str
    border: str
    frame: str
    frame_border: str
    terminal: str
    terminal_text: str
    accent: str
    ramp: tuple[str, ...]
    ink: tuple[str, ...]
    faint: tuple[str, ...]


LIGHT = Palette(
    paper="#ffffff",
    text="#14202b",
    muted="#526070",
    wire="#66758a",
    border="#8796a8",
    frame="#f2f5f9",
    frame_border="#c3cedb",
    terminal="#e9edf2",
    terminal_text="#14202b",
    accent="#c2541b",
    ramp=("#ffffff", "#edf4fc", "#dae8f8", "#c3daf2", "#a6c9eb", "#84b4e0", "#5b98cf", "#2c70b0", "#174f8a"),
    ink=(*("#14202b",) * 7, "#ffffff", "#ffffff"),
    faint=(*("#46535f",) * 3, *("#384552",) * 2, "#26323e", "#101a24", "#f4f9ff", "#dbe8f7"),
)
DARK = Palette(
    paper="#0f141a",
    text="#e8eef5",
    muted="#9fadbd",
    wire="#8a99ab",
    border="#5a6878",
    frame="#161d26",
    frame_border="#36424f",
    terminal="#27313d",
    terminal_text="#e8eef5",
    accent="#ff9a5c",
    ramp=("#1a222c", "#1c2a39", "#1f3348", "#223e5a", "#264a6d", "#2b5882", "#326aa0", "#5fa3de", "#93c7f3"),
    ink=(*("#e8eef5",) * 6, "#ffffff", "#0a1017", "#0a1017"),
    faint=(*("#a9b7c6",) * 3, *("#b9c8d7",) * 2, "#cfdcea", "#edf4fb", "#0f1720", "#1b2733"),
)


def step(weight: float, most: float) -> int:
    """The step of a cost: 0 for none, else 1 to 8 in equal parts of the dearest."""
    if weight <= 0 or most <= 0:
        return 0
    return min(STEPS - 1, 1 + int(weight / most * (STEPS - 1)))


def style_sheet(theme: Theme) -> str:
    """CSS for a picture; everything in it stands below the class of the picture, so that a page may hold several."""
    base = f".cvn text{{font-family:{FAMILY};font-size:12px}}" + _css(_FIXED)
    if theme == "auto":
        return base + _css(_colours(LIGHT)) + "@media (prefers-color-scheme:dark){" + _css(_colours(DARK)) + "}"
    return base + _css(_colours(LIGHT if theme == "light" else DARK))


def inlined(picture: str, theme: Theme) -> str:
    """The picture with its styles put in where they hold: quicker to render, and for programs that know no style sheets.

    Quotes in texts are escaped, so that only what this package wrote reads as an attribute.
    """
    rules = _FIXED | _colours(DARK if theme == "dark" else LIGHT)
    font = f"font-family:{FAMILY};font-size:12px"

    def style(match: re.Match[str]) -> str:
        found = ";".join(rules[name] for name in match[2].split(" ") if name in rules)
        whole = f"{font};{found}" if match[1] == "<text" else found
        return f'{match[1]} style="{whole}"' if whole else match[1]

    bare = re.sub(r"<style>.*?</style>", "", picture, count=1, flags=re.DOTALL)
    return re.sub(r'(<[a-z]+) class="([^"]*)"', style, bare)


def _css(rules: Mapping[str, str]) -> str:
    return "".join(f".cvn .{name}{{{rule}}}" for name, rule in rules.items())


_FIXED = {
    "small": "font-size:10px",
    "strong": "font-weight:700",
    "name": "font-size:17px;font-weight:700",
}


def _colours(palette: Palette) -> dict[str, str]:
    """What each class looks like, in the order in which a later one wins."""
    rules = {
        "paper": f"fill:{palette.paper}",
        "behind": f"fill:{palette.paper}",
        "text": f"fill:{palette.text}",
        "muted": f"fill:{palette.muted}",
        "wire": f"fill:none;stroke-width:1.1;stroke:{palette.wire}",
        "arrow": f"fill:{palette.wire}",
        "edge": f"fill:none;stroke-width:1;stroke:{palette.border}",
        "rule": f"stroke-width:.6;stroke:{palette.border}",
        "sheet": f"stroke-width:1;stroke:{palette.border};fill:{palette.ramp[0]}",
        "frame": f"stroke-width:1;fill:{palette.frame};stroke:{palette.frame_border}",
        "ground": f"fill:{palette.frame}",
        "terminal": f"fill:{palette.terminal}",
        "terminal-text": f"fill:{palette.terminal_text}",
        "lit": "fill:#ffffff;fill-opacity:.28",
        "dim": "fill:#000000;fill-opacity:.12",
        "window": f"fill:{palette.accent};fill-opacity:.35;stroke:{palette.accent};stroke-width:1",
        "ray": f"fill:none;stroke:{palette.accent};stroke-width:.8;stroke-dasharray:3 2",
        "badge": f"fill:{palette.text}",
        "badge-text": f"fill:{palette.paper}",
    }
    for index in range(STEPS):
        rules[f"c{index}"] = f"fill:{palette.ramp[index]}"
        rules[f"t{index}"] = f"fill:{palette.ink[index]}"
        rules[f"m{index}"] = f"fill:{palette.faint[index]}"
    return rules
