"""The text of every box, frame and wire of a scene, and so their sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from convspec.draw.diagram import Diagram, Group, Layer, Numbers, Stack, Terminal
from convspec.draw.look import Colour
from convspec.draw.measure import fit, width
from convspec.draw.scene import Box, Frame, Line, Row, Scene
from convspec.draw.words import short, short_bytes
from convspec.ir.dims import Size, substitute

TEXT, SMALL = 12.0, 10.0
"""Font sizes in pixels."""
LEADING, SMALL_LEADING = 16.0, 13.0
PAD_X, PAD_Y = 9.0, 4.0
WIDEST = 360.0
LEAST = 84.0
GAP = 14.0
"""Between a text and the note at the right."""


def letter(scene: Scene, colour: Colour) -> None:
    """Write everything, and set the sizes of boxes, headers and labels of wires."""
    writer = _Writer(scene.diagram, colour)
    for box in scene.root.boxes():
        writer.box(box)
    for frame in scene.root.frames():
        writer.frame(frame)
    labelled: set[tuple[str, str]] = set()
    for wire in scene.wires:
        text = wire.shapes[0] if len(wire.shapes) == 1 else f"{wire.shapes[0]} + {len(wire.shapes) - 1} more"
        if (wire.source, text) not in labelled:
            labelled.add((wire.source, text))
            wire.text = fit(text, SMALL, WIDEST)
            wire.width, wire.height = width(wire.text, SMALL) + 10, SMALL_LEADING + 1


class _Writer:
    def __init__(self, drawn: Diagram, colour: Colour) -> None:
        self.colour, self.one = colour, one_example(drawn)
        self.names = {layer.id: layer.node.path for layer in drawn.root.layers()}

    def box(self, box: Box) -> None:
        for part in (*filter(None, [box.group]), *box.parts):
            row = self.head(part, box) if part is box.group else self.row(part, box)
            row.height = 2 * PAD_Y + sum(SMALL_LEADING if line.muted else LEADING for line in row.lines)
            row.top = box.rows[-1].top + box.rows[-1].height if box.rows else 0
            box.rows.append(row)
        badges = [badge_room(box.stack), *[0.0] * (len(box.rows) - 1)]  # it stands in the first row
        wanted = max(_line_width(line) + badge for row, badge in zip(box.rows, badges, strict=True) for line in row.lines)
        box.width = max(LEAST, min(WIDEST, wanted + 2 * PAD_X))
        box.height = box.rows[-1].top + box.rows[-1].height
        for row, badge in zip(box.rows, badges, strict=True):
            row.lines = [_fitted(line, box.width - 2 * PAD_X - badge) for line in row.lines]

    def row(self, part: Group | Layer | Terminal, box: Box) -> Row:
        if isinstance(part, Layer):
            return self.layer(part, box.factor)
        if isinstance(part, Terminal):
            lines = [Line(part.name, strong=True), Line(str(part.type), muted=True)]
            return Row(part.id, lines, f"{box.kind} {part.name}: {part.type}", 0)
        return Row(part.id, self.titled(part, box), group_tip(part, box.stack), self.weight(part.numbers, box.factor))

    def head(self, group: Group, box: Box) -> Row:
        """The head of a column, which has no colour of its own: its layers have. What one of them says is not said twice."""
        lines = self.titled(group, box)
        said = {line.text for part in box.parts if isinstance(part, Layer) for line in self.layer(part, box.factor).lines}
        return Row(group.id, [line for line in lines if line.text not in said], group_tip(group, box.stack), 0)

    def titled(self, group: Group, box: Box | Frame) -> list[Line]:
        lines = [Line(group.title, _note(group, box.last), strong=True)]
        lines += [Line(text, muted=True) for text in (group.arguments, self.costs(group.numbers, box.factor)) if text]
        return lines

    def costs(self, numbers: Numbers, factor: int) -> str:
        """`3 × 70.4k params · 3 × 218M MACs` of one example; nothing for what costs nothing."""
        times = f"{factor} × " if factor > 1 else ""
        parts = [f"{times}{short(numbers.parameters)} params"] if numbers.parameters else []
        parts += [f"{times}{_product(substitute(numbers.macs, self.one))} MACs"] if numbers.macs != 0 else []
        return " · ".join(parts)

    def layer(self, layer: Layer, factor: int) -> Row:
        lines = [Line(layer.text, _label(layer))]
        if layer.shared_with is not None:
            lines.append(Line(f"shares the weights of {self.names[layer.shared_with]}", muted=True))
        elif layer.numbers.parameters and layer.numbers.macs != 0:
            lines.append(Line(self.costs(layer.numbers, factor), muted=True))
        return Row(layer.id, lines, layer_tip(layer), self.weight(layer.numbers, factor))

    def frame(self, frame: Frame) -> None:
        frame.header = [_fitted(line, WIDEST - 20) for line in self.titled(frame.group, frame)]
        badge = badge_room(frame.stack) + 6 if frame.stack is not None else 0
        frame.header_width = max(_line_width(line) for line in frame.header) + badge
        frame.header_height = LEADING + SMALL_LEADING * (len(frame.header) - 1) + 4
        frame.tip = group_tip(frame.group, frame.stack)

    def weight(self, numbers: Numbers, factor: int) -> float:
        """What the colour stands for: all that the box stands for in the network."""
        return 0.0 if self.colour == "none" else numbers.weights[self.colour] * factor


def badge_width(stack: Stack) -> float:
    """The badge with the number of a stack."""
    return width(stack.mark, SMALL, True) + 10


def badge_room(stack: Stack | None) -> float:
    """What the badge takes of a line; nothing where there is none."""
    return 0.0 if stack is None else max(30.0, badge_width(stack) + 10)


def _note(group: Group, last: Group | None) -> str:
    """The label where the title does not say it; of a stack the labels of its ends; that weights are shared."""
    label = group.label if group.label != group.title else ""
    if last is not None and last.label != group.label:
        label = f"{label} … {last.label}".strip()
    return ", ".join(filter(None, (label, "shared" if group.shared else "")))


def _label(layer: Layer) -> str:
    """The label of a layer; nothing for a name that was given to it and names no weights: `relu3`."""
    given = re.fullmatch(rf"{re.escape(layer.node.op.name)}[0-9.]+", layer.label)
    return "" if given and not layer.node.params else layer.label


def one_example(drawn: Diagram) -> dict[str, int]:
    """One for the size that is the batch of every input, such as N: costs are told of one example."""
    batches = {each.type.shape[0] if each.type.rank else 1 for each in drawn.inputs}
    name = str(*batches) if len(batches) == 1 else ""
    return {name: 1} if name in drawn.open_sizes else {}


def _product(size: Size) -> str:
    return short(size).replace("*", "·")


def _line_width(line: Line) -> float:
    size = SMALL if line.muted else TEXT
    note = width(line.note, SMALL) + GAP if line.note else 0
    return width(line.text, size, line.strong) + note


def _fitted(line: Line, room: float) -> Line:
    """The line cut to fit: the text first, down to half of the room, then the note."""
    size = SMALL if line.muted else TEXT
    if _line_width(line) <= room:
        return line
    note = fit(line.note, SMALL, room / 2 - GAP) if line.note else ""
    left = room - (width(note, SMALL) + GAP if note else 0)
    return Line(fit(line.text, size, left, line.strong), note, line.strong, line.muted)


def _cost_lines(numbers: Numbers) -> list[str]:
    statistics = f", and {numbers.statistics:,} running statistics" if numbers.statistics else ""
    return [
        f"parameters: {numbers.parameters:,}{statistics}",
        f"MACs: {_exact(numbers.macs)}; flops: {_exact(numbers.flops)}",
        f"given out: {short_bytes(numbers.activation_bytes)}",
    ]


def _exact(size: object) -> str:
    return f"{size:,}" if isinstance(size, int) else str(size)


def layer_tip(layer: Layer) -> str:
    """All that is known of a layer, a line each."""
    shapes = ", ".join(map(str, layer.outputs))
    lines = [f"{layer.node.path}: {layer.text}", layer.node.op.summary, f"gives {shapes}", *_cost_lines(layer.numbers)]
    return "\n".join([*lines, str(layer.span)])


def group_tip(group: Group, stack: Stack | None = None) -> str:
    """All that is known of a group, a line each; of a stack, its first."""
    name = f"{group.path}: {group.title}" if group.path and group.path != group.title else group.title
    lines = [f"{name}({group.arguments})" if group.arguments else name, *group.doc.splitlines()]
    if stack is not None:
        place = "side by side" if stack.parallel else "one after the other"
        lines.append(f"{stack.count} alike, {place}; each has:")
    lines += [f"{sum(1 for _ in group.layers()):,} layers", *_cost_lines(group.numbers)]
    return "\n".join([*lines, str(group.span)] if group.span is not None else lines)


def sizes_text(sizes: Mapping[str, int]) -> str:
    """`N = 1, h = 7`."""
    return ", ".join(f"{name} = {value}" for name, value in sizes.items())


__all__ = ["letter", "one_example", "sizes_text"]
