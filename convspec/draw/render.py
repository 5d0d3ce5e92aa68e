"""A network as a picture, in any of the forms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from convspec.diagnostics import error, fail
from convspec.draw.diagram import Diagram, diagram
from convspec.draw.look import Look
from convspec.draw.scene import Scene, watch
from convspec.elaborate.module import Module
from convspec.recursion import deep_recursion

FORMATS = ("svg", "html", "png", "mmd", "dot", "json")


def draw(module: Module, form: str, look: Look | None = None, sizes: Mapping[str, int] | None = None) -> str | bytes:
    """The picture: text, or bytes of a PNG.

    `sizes` gives symbolic sizes values. Failure CNN401 for an unknown form or size and for a network that the style cannot
    show, CNN303 where a library that lays out or renders is missing.
    """
    check_form(form)
    look = look or Look()
    if look.style == "volumes" and form not in ("svg", "png"):
        raise fail(error("CNN401", f"volumes are drawn as .svg or .png, and not as .{form}"))
    drawn = diagram(module, sizes)
    with deep_recursion():
        return _drawn(drawn, form, look)


def _drawn(drawn: Diagram, form: str, look: Look) -> str | bytes:
    if form == "json":
        return json.dumps(drawn.to_json(), ensure_ascii=False, indent=1) + "\n"
    if form == "html":
        return _html(drawn, look)
    if form in ("mmd", "dot"):
        return _as_text(drawn, form, look)
    picture = _volumes(drawn, look) if look.style == "volumes" else _blocks(drawn, look)
    if form == "svg":
        return picture
    from convspec.draw.png import png

    return png(picture, look.theme)


def _html(drawn: Diagram, look: Look) -> str:
    from convspec.draw.html import page

    return page(drawn, look.theme, depth=look.depth, unroll=look.unroll, colour=look.colour)


def _as_text(drawn: Diagram, form: str, look: Look) -> str:
    from convspec.draw.dot import dot
    from convspec.draw.mermaid import mermaid

    scene = lettered(drawn, look)
    return dot(scene, look) if form == "dot" else mermaid(scene, look)


def lettered(drawn: Diagram, look: Look) -> Scene:
    """What is seen, with its texts and sizes and without places."""
    from convspec.draw.lettering import letter

    scene = watch(drawn, look.depth, look.unroll)
    letter(scene, look.colour)
    return scene


def _blocks(drawn: Diagram, look: Look) -> str:
    from convspec.draw.layout import lay_out
    from convspec.draw.svg import svg

    scene = lettered(drawn, look)
    lay_out(scene, look.direction)
    return svg(scene, look)


def _volumes(drawn: Diagram, look: Look) -> str:
    from convspec.draw.volumes import volumes

    return volumes(drawn, look)


def form_of(path: str | Path) -> str:
    """The form that a file's suffix stands for. Failure CNN401 for another suffix."""
    path = Path(path)
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        what = f"the suffix {path.suffix} is that of no picture" if path.suffix else "it has no suffix"
        hint = f"a picture ends in one of {', '.join(f'.{each}' for each in FORMATS)}"
        raise fail(error("CNN401", f"cannot draw {path}: {what}", hint=hint))
    return form


def check_form(form: str) -> None:
    """Failure CNN401 for a form that there is not."""
    if form not in FORMATS:
        raise fail(error("CNN401", f"there is no form `{form}` of a picture", hint=f"one of {', '.join(FORMATS)}"))


def make_look(chosen: Mapping[str, Any]) -> Look:
    """A Look of fields by name. Failure CNN401 for a field that there is not, or a value that it cannot have."""
    hints = get_type_hints(Look)
    for name, value in chosen.items():
        if name not in hints:
            raise fail(error("CNN401", f"a picture has no `{name}`", hint=f"one of {', '.join(hints)}"))
        words = get_args(hints[name])
        if words and all(isinstance(word, str) for word in words) and value not in words:
            raise fail(error("CNN401", f"`{name}` cannot be {value!r}", hint=f"one of {', '.join(words)}"))
    depth = chosen.get("depth")
    if depth is not None and (not isinstance(depth, int) or depth < 0):
        raise fail(error("CNN401", f"`depth` is a number of levels, 0 or more, and cannot be {depth!r}"))
    return Look(**chosen)
