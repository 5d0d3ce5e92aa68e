"""A scene as a Mermaid flowchart, with groups as subgraphs: for Markdown pages that draw such text."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.draw.diagram import Stack
from convspec.draw.look import Look
from convspec.draw.palette import LIGHT, STEPS, step
from convspec.draw.scene import Box, Frame, Line, Scene

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-+*/=.,:()[]|×·…→")


def mermaid(scene: Scene, look: Look) -> str:
    """The text of a flowchart. Mermaid draws at most 500 edges unless the page allows more."""
    most = max((row.weight for box in scene.root.boxes() for row in box.rows), default=0.0)
    lines = ["---", f"title: {_yaml(scene.diagram.name)}", "---", f"flowchart {'TD' if look.direction == 'down' else 'LR'}"]
    lines += _inside(scene.root, 1)
    for wire in scene.wires:
        label = f"|{_quoted(', '.join(wire.shapes[:3]))}|" if wire.text else ""
        lines.append(f"    {wire.source} -->{label} {wire.target}")
    lines += _styles(scene, most)
    return "\n".join(lines) + "\n"


def _inside(frame: Frame, level: int) -> Iterator[str]:
    indent = "    " * level
    for child in frame.children:
        if isinstance(child, Box):
            yield f"{indent}{child.id}{_shape(child)}"
        else:
            yield f"{indent}subgraph {child.id}[{_label(child.header, child.stack)}]"
            yield from _inside(child, level + 1)
            yield f"{indent}end"


def _shape(box: Box) -> str:
    label = _label([line for row in box.rows for line in row.lines], box.stack)
    if box.kind in ("input", "output"):
        return f"([{label}])"
    return f"[[{label}]]" if box.stack is not None else f"[{label}]"


def _label(lines: list[Line], stack: Stack | None) -> str:
    texts = [" ".join(filter(None, (line.text, line.note))) for line in lines]
    if stack is not None:
        texts[0] += f" {stack.mark}"
    return '"' + "<br/>".join(map(escape, texts)) + '"'


def _quoted(text: str) -> str:
    return f'"{escape(text)}"'


def escape(text: str) -> str:
    """Text inside the quotes of a label: all that might mean something to Mermaid, Markdown or HTML goes in by its number."""
    # A list item or heading at the start would be read as Markdown.
    return "".join(
        char if char in _PLAIN and (place or char.isalnum()) else f"#{ord(char)};" for place, char in enumerate(text)
    )


def _yaml(text: str) -> str:
    """A YAML scalar in double quotes."""
    import json

    return json.dumps(text, ensure_ascii=True)


def _styles(scene: Scene, most: float) -> Iterator[str]:
    """Colours of cost, in light colours: Mermaid has no others that follow the reader's theme."""
    steps: dict[int, list[str]] = {}
    for box in scene.root.boxes():
        if box.kind in ("layers", "group"):
            steps.setdefault(step(max(row.weight for row in box.rows), most), []).append(box.id)
    for cost in range(STEPS):
        if cost in steps:
            yield f"    classDef cost{cost} fill:{LIGHT.ramp[cost]},color:{LIGHT.ink[cost]},stroke:{LIGHT.border}"
            yield f"    class {','.join(steps[cost])} cost{cost}"
