"""A scene as text for Graphviz, with groups as clusters: for those who lay it out and style it themselves."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.draw.diagram import Stack
from convspec.draw.look import Look
from convspec.draw.palette import DARK, LIGHT, Palette, step
from convspec.draw.scene import Box, Frame, Line, Scene


def dot(scene: Scene, look: Look) -> str:
    """The text of a directed graph."""
    palette = DARK if look.theme == "dark" else LIGHT
    most = max((row.weight for box in scene.root.boxes() for row in box.rows), default=0.0)
    font = 'fontname="Arial,Helvetica,sans-serif"'
    down = "TB" if look.direction == "down" else "LR"
    title = quote(scene.diagram.name)
    lines = [
        f"digraph {title} {{",
        f'  graph [rankdir={down}, label={title}, labelloc=t, {font}, fontcolor="{palette.text}", bgcolor="{palette.paper}",',
        f'    color="{palette.border}"]',
        f'  node [shape=box, style="rounded,filled", {font}, fontsize=12, color="{palette.border}"]',
        f'  edge [{font}, fontsize=10, color="{palette.wire}", fontcolor="{palette.muted}"]',
        *_inside(scene.root, 1, most, palette),
    ]
    for wire in scene.wires:
        label = f"label={quote(wire.text)}, " if wire.text else ""
        lines.append(f"  {wire.source} -> {wire.target} [{label}tooltip={quote(', '.join(wire.shapes))}]")
    return "\n".join([*lines, "}"]) + "\n"


def _inside(frame: Frame, level: int, most: float, palette: Palette) -> Iterator[str]:
    indent = "  " * level
    for child in frame.children:
        if isinstance(child, Box):
            yield f"{indent}{child.id} [{_box(child, most, palette)}]"
        else:
            yield f"{indent}subgraph cluster_{child.id} {{"
            yield f"{indent}  label={_label(child.header, child.stack)}; tooltip={quote(child.tip)}; style=rounded; labeljust=l"
            yield from _inside(child, level + 1, most, palette)
            yield f"{indent}}}"


def _box(box: Box, most: float, palette: Palette) -> str:
    if box.kind in ("input", "output"):
        fill, ink, shape = palette.terminal, palette.terminal_text, "oval"
    else:
        cost = step(max(row.weight for row in box.rows), most)
        fill, ink, shape = palette.ramp[cost], palette.ink[cost], "box3d" if box.stack is not None else "box"
    label = _label([line for row in box.rows for line in row.lines], box.stack)
    tip = quote("\n".join(row.tip for row in box.rows))
    return f'label={label}, shape={shape}, fillcolor="{fill}", fontcolor="{ink}", tooltip={tip}'


def _label(lines: list[Line], stack: Stack | None) -> str:
    texts = ["  ".join(filter(None, (line.text, line.note))) for line in lines]
    if stack is not None:
        texts[0] += f"  {stack.mark}"
    return quote("\n".join(texts))


def quote(text: str) -> str:
    """A string of the language: Graphviz reads backslashes and HTML entities in labels, so that these are written out."""
    legal = "".join(char if char == "\n" or ord(char) >= 32 else "\ufffd" for char in text)
    return '"' + legal.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;").replace("\n", "\\n") + '"'
