"""Pictures of what one window of a layer reads: cells of the input, padding around them, and the output cell it makes."""

from __future__ import annotations

from typing import Any

from convspec.explain.page import Picture
from convspec.records import dataclass

CELL, GAP = 18, 3
_INK, _PAD, _EMPTY, _READ, _MADE = "#5b6570", "#aab2ba", "#f4f6f8", "#3b82c4", "#e08a1e"


@dataclass(frozen=True, slots=True)
class Geometry:
    """A window over a square of `size` cells with equal numbers on both axes; `at` is the output cell that is shown."""

    size: int
    kernel: int
    stride: int
    pad: tuple[int, int]
    dilation: int
    at: int = 0

    @property
    def outputs(self) -> int:
        """Windows along an axis."""
        return (self.size + sum(self.pad) - self.dilation * (self.kernel - 1) - 1) // self.stride + 1

    @property
    def padded(self) -> int:
        return self.size + sum(self.pad)

    def read(self) -> set[int]:
        """The positions along an axis, counted from the first padding cell, that the shown window reads."""
        return {self.at * self.stride + cell * self.dilation for cell in range(self.kernel)}

    def is_padding(self, position: int) -> bool:
        return not self.pad[0] <= position < self.pad[0] + self.size

    @property
    def caption(self) -> str:
        around = f"pad {self.pad[0]}" if self.pad[0] == self.pad[1] else f"pad {self.pad[0]} before and {self.pad[1]} after"
        return (
            f"kernel {self.kernel}x{self.kernel}, stride {self.stride}, {around}, dilation {self.dilation}: "
            f"{self.size}x{self.size} gives {self.outputs}x{self.outputs}; what output cell ({self.at}, {self.at}) reads"
        )


def geometry_of(attrs: Any, size: int, outputs: int) -> Geometry:
    """From the resolved attributes of a layer with windows over two axes, alike on both, and the windows that it has there.

    Where the last window reaches past the padding (`ceil = true`), the cells beyond are drawn as padding, and it is shown.
    """
    kernel, stride, (before, after) = attrs.kernel[0], attrs.stride[0], attrs.pad[0]
    dilation = getattr(attrs, "dilation", (1, 1))[0]
    beyond = (outputs - 1) * stride + dilation * (kernel - 1) + 1 - size - before
    at = outputs - 1 if beyond > after else 1
    return Geometry(size, kernel, stride, (before, max(after, beyond)), dilation, at)


def draw(name: str, geometry: Geometry) -> Picture:
    """The picture in both forms."""
    return Picture(name, _svg(geometry), _characters(geometry), geometry.caption)


def _characters(g: Geometry) -> str:
    """`█` is a cell that is read, `·` one that is not; `▒` is padding that is read, `░` padding that is not."""
    read = g.read()

    def mark(row: int, column: int) -> str:
        padding = g.is_padding(row) or g.is_padding(column)
        if row in read and column in read:
            return "▒" if padding else "█"
        return "░" if padding else "·"

    left = [" ".join(mark(row, column) for column in range(g.padded)) for row in range(g.padded)]
    right = [" ".join("█" if row == column == g.at else "·" for column in range(g.outputs)) for row in range(g.outputs)]
    top = (len(left) - len(right)) // 2
    lines = []
    for row, text in enumerate(left):
        beside = right[row - top] if 0 <= row - top < len(right) else ""
        arrow = "  →  " if row == len(left) // 2 else "     "
        lines.append(f"{text}{arrow}{beside}".rstrip())
    return "\n".join(lines)


def _svg(g: Geometry) -> str:
    step = CELL + GAP
    width = (g.padded + g.outputs + 3) * step
    height = (g.padded + 1) * step
    top = (g.padded - g.outputs) * step // 2
    shapes = [_input_cell(g, row, column, step) for row in range(g.padded) for column in range(g.padded)]
    offset = (g.padded + 2) * step
    for row in range(g.outputs):
        for column in range(g.outputs):
            fill = _MADE if row == column == g.at else _EMPTY
            shapes.append(_square(offset + column * step, top + row * step, fill, _INK, dashed=False))
    start, middle = g.padded * step + step // 2, g.padded * step // 2
    arrow = f'<path d="M{start} {middle}h{step}m-6 -5l6 5l-6 5" fill="none" stroke="{_INK}" stroke-width="1.5"/>'
    body = "\n".join([*shapes, arrow])
    title = f"<title>{g.caption}</title>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img">\n{title}\n{body}\n</svg>\n'
    )


def _input_cell(g: Geometry, row: int, column: int, step: int) -> str:
    padding = g.is_padding(row) or g.is_padding(column)
    read = {row, column} <= g.read()
    fill = _READ if read else ("none" if padding else _EMPTY)
    return _square(
        column * step + GAP, row * step + GAP, fill, _PAD if padding else _INK, padding, 0.45 if read and padding else 1
    )


def _square(x: int, y: int, fill: str, stroke: str, dashed: bool, opacity: float = 1) -> str:
    dashes = ' stroke-dasharray="3 2"' if dashed else ""
    faded = f' fill-opacity="{opacity}"' if opacity < 1 else ""
    return f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="2" fill="{fill}"{faded} stroke="{stroke}"{dashes}/>'


__all__ = ["Geometry", "draw", "geometry_of"]
