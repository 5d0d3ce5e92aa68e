"""One HTML file from a diagram: the template with its styles, scripts and data put in.

The file asks for nothing from anywhere: its content security policy names the hashes of the scripts and styles in it and
forbids all else. What the author wrote (labels, documentation, the spec's text) is in the JSON alone, and is put on the page
as text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from convspec.draw.diagram import Diagram
from convspec.draw.html.fields import fields_json
from convspec.draw.look import Colour, Theme
from convspec.draw.palette import DARK, LIGHT, STEPS, Palette
from convspec.version import VERSION

SCRIPTS = (
    "dom",
    "words",
    "model",
    "scene",
    "graph",
    "layout",
    "drawing",
    "viewport",
    "details",
    "source",
    "windows",
    "sample",
    "planes",
    "field",
    "search",
    "outline",
    "memory",
    "controls",
    "main",
)
"""The parts of the program, in the order in which they are put together."""
_EXACT = 2**53
"""The largest whole number that a number of JSON is in a browser."""


def page(
    drawn: Diagram, theme: Theme = "auto", *, depth: int | None = None, unroll: bool = False, colour: Colour = "macs"
) -> str:
    """The page as text, to be written as UTF-8. It is the same for the same diagram.

    It opens with `depth` levels of groups (None: as many as leave a picture that can be taken in), stacks one by one where
    `unroll` says so, and coloured by `colour`; its reader may change all that.
    """
    view = {"depth": depth, "unroll": unroll, "colour": colour}
    sliding = [layer.id for layer in drawn.root.layers() if layer.node.op.receptive_field is not None]
    data = {**drawn.to_json(), "sliding": sliding, "fields": fields_json(drawn), "view": view, "version": VERSION}
    style, script = _style(), _script()
    parts = {
        "TITLE": html.escape(drawn.name),
        "THEME": theme,
        "POLICY": _policy(style, script),
        "STYLE": style,
        "LICENCE": html.escape(_read("vendor/dagre.LICENSE.txt").strip()).replace("--", "- -"),
        "DATA": embedded(data),
        "SCRIPT": script,
    }
    pieces = _read("page.html").split("@@")
    # Every second piece is a name. What is put in is not searched again, so it may hold anything.
    return "".join(parts[piece] if index % 2 else piece for index, piece in enumerate(pieces))


def embedded(data: Any) -> str:
    """JSON that may stand in a script element, whatever its strings hold, and that a browser reads without loss.

    Whole numbers past 2^53 become strings of their digits. Signs of markup and the line ends that only JavaScript knows are
    escaped; so are halves of surrogate pairs, which UTF-8 cannot hold.
    """
    text = json.dumps(_exact(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return "".join(f"\\u{ord(char):04x}" if 0xD800 <= ord(char) < 0xE000 else char for char in text) if _halves(text) else text


def _halves(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _exact(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _exact(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_exact(value) for value in data]
    if isinstance(data, int) and not isinstance(data, bool) and abs(data) > _EXACT:
        return str(data)
    if isinstance(data, float) and abs(data) > 1e300:
        return 1e300  # infinite costs are no JSON
    return data


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src 'sha256-{_digest(script)}'; style-src 'sha256-{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _style() -> str:
    return "\n" + _colours() + _read("page.css") + _steps()


@cache
def _script() -> str:
    """The library, then the program in a scope of its own."""
    program = "\n".join(f"// {name}.js\n{_read(f'js/{name}.js')}" for name in SCRIPTS)
    return f'\n{_read("vendor/dagre.min.js")}\n(() => {{\n"use strict";\n{program}\n}})();\n'


def _read(name: str) -> str:
    return (resources.files("convspec.draw.html") / name).read_text(encoding="utf-8")


def _steps() -> str:
    """What each step of cost looks like, in boxes and in the legend."""
    rules = []
    for step in range(STEPS):
        rules.append(f".step{step}{{color:var(--faint{step})}}.step{step}>.fill{{fill:var(--ramp{step})}}")
        rules.append(f"#canvas .step{step} .strong,#canvas .step{step} .rest{{fill:var(--ink{step})}}")
        rules.append(f"#canvas .step{step} .small{{fill:var(--faint{step})}}.swatch{step}{{background:var(--ramp{step})}}")
    return "".join(rules) + "\n"


def _colours() -> str:
    """The palettes as custom properties: light by default, dark by the system or by the button; paper is always light."""
    light, dark = _variables(LIGHT), _variables(DARK)
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root[data-theme=auto]{{color-scheme:dark;{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    )


def _variables(palette: Palette) -> str:
    single = {
        "paper": palette.paper,
        "text": palette.text,
        "muted": palette.muted,
        "wire": palette.wire,
        "border": palette.border,
        "frame": palette.frame,
        "frame-border": palette.frame_border,
        "terminal": palette.terminal,
    }
    steps = [
        *((f"ramp{index}", colour) for index, colour in enumerate(palette.ramp)),
        *((f"ink{index}", colour) for index, colour in enumerate(palette.ink)),
        *((f"faint{index}", colour) for index, colour in enumerate(palette.faint)),
    ]
    return "".join(f"--{name}:{colour};" for name, colour in [*single.items(), *steps])
