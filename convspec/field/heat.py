"""The effective field as a picture beside the theoretical window: what counts, in what could count."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.sax.saxutils import escape

from convspec.analysis.window import AxisWindow
from convspec.field.effective import Effective
from convspec.records import dataclass

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE, GAP, HEAD, FOOT = 320, 32, 64, 56
_INK, _DIM, _PAPER, _MARK, _PAD = "#16202c", "#5b6b7d", "#ffffff", "#d1491b", "#f8ddd3"
_HEAT = ((255, 255, 255), (253, 231, 37), (94, 201, 98), (33, 145, 140), (59, 82, 139), (68, 1, 84))
"""From nothing to most: white, then viridis turned round, which is read without colours too."""


Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of a panel."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A picture of the input in a panel of `SIDE` or less each way, which is larger by the padding that the unit sees."""

    image: Image
    caption: str
    size: tuple[int, int]
    """Width and height of the panel."""
    frame: Box
    """Where the input lies."""
    window: Box
    reach: Box
    """The window with its padding."""
    held: Box | None = None


@dataclass(frozen=True, slots=True)
class _Scale:
    """From cells to pixels: pixels a cell, and the padding above and left in cells."""

    pixels: float
    above: int
    left: int

    def box(self, rows: tuple[int, int], columns: tuple[int, int]) -> Box:
        """Around cells, the last included."""
        top, bottom = (rows[0] + self.above) * self.pixels, (rows[1] + 1 + self.above) * self.pixels
        return (columns[0] + self.left) * self.pixels, top, (columns[1] + 1 + self.left) * self.pixels, bottom


def panels(field: Effective, picture: Image | None = None) -> tuple[Panel, Panel]:
    """The window on the input (or on a picture), and the map; of a map with three axes the sum over its planes."""
    flat, (rows, columns), held = _flat(field)
    (above, below), (left, right) = (_padding(axis) for axis in (rows, columns))
    pixels = SIDE / max(flat.shape[0] + above + below, flat.shape[1] + left + right)
    scale = _Scale(pixels, above, left)
    frame = scale.box((0, flat.shape[0] - 1), (0, flat.shape[1] - 1))
    window = scale.box((rows.low, rows.high), (columns.low, columns.high))
    reach = scale.box((rows.low - above, rows.high + below), (columns.low - left, columns.high + right))
    size = max(1, round(frame[2] - frame[0])), max(1, round(frame[3] - frame[1]))
    whole = round((flat.shape[1] + left + right) * pixels), round((flat.shape[0] + above + below) * pixels)
    counts = "x".join(str(axis.high - axis.low + 1) for axis in field.window.axes)
    seen = f"window {counts} of {'x'.join(str(axis.size) for axis in field.window.axes)}"
    share = f"95 % of it lies in {'x'.join(map(str, field.held))}"
    ground = _ground(size, picture, tuple(side - frame[index % 2] for index, side in enumerate(window)))
    return (
        Panel(ground, f"{seen}, beyond it padding" if reach != window else seen, whole, frame, window, reach),
        Panel(_heated(flat, size), share, whole, frame, window, reach, scale.box(*held)),
    )


def _padding(axis: AxisWindow) -> tuple[int, int]:
    """What is drawn of the padding: a window may reach far beyond the input."""
    return min(axis.before or 0, axis.size), min(axis.after or 0, axis.size)


def _flat(field: Effective) -> tuple[Any, Sequence[AxisWindow], Sequence[tuple[int, int]]]:
    """Two axes: a row is drawn as a band. The map, the window and the box that holds most."""
    import numpy as np

    axes, held = field.window.axes, field.held_box
    if len(axes) == 1:
        band = max(1, field.map.shape[0] // 8)
        one = AxisWindow(0, band - 1, band, 0, 0, True)
        return np.repeat(field.map[None] / band, band, 0), (one, axes[0]), ((0, band - 1), held[0])
    return field.map.sum(tuple(range(len(axes) - 2))), axes[-2:], held[-2:]


def _ground(size: tuple[int, int], picture: Image | None, window: tuple[float, ...]) -> Image:
    from PIL import Image, ImageDraw

    if picture is not None:
        return picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    plain = Image.new("RGB", size, "#e9edf2")
    ImageDraw.Draw(plain).rectangle((window[0], window[1], window[2] - 1, window[3] - 1), fill="#c4d3e6")
    return plain


def _heated(flat: Any, size: tuple[int, int]) -> Image:
    """Colours by the square root of the share, so that the wide and faint margin shows."""
    import numpy as np
    from PIL import Image

    level = np.sqrt(flat / flat.max()) * (len(_HEAT) - 1)
    low = np.minimum(level.astype(int), len(_HEAT) - 2)
    part = (level - low)[..., None]
    colours = np.array(_HEAT, float)
    rgb = np.rint(colours[low] * (1 - part) + colours[low + 1] * part).astype(np.uint8)
    return Image.fromarray(rgb).resize(size, Image.Resampling.NEAREST)


def _texts(field: Effective) -> tuple[str, str]:
    spread = "x".join(f"{each:.1f}" for each in field.spread)
    title = f"{field.unit} on {field.window.name}"
    return title, f"{field.samples} inputs from seed {field.seed}; as wide as a Gaussian of {spread} cells"


def to_png(field: Effective, picture: Image | None = None) -> bytes:
    """Both panels side by side."""
    from PIL import Image, ImageDraw, ImageFont

    both = panels(field, picture)
    canvas = Image.new("RGB", _canvas(both), _PAPER)
    draw = ImageDraw.Draw(canvas)
    title, note = _texts(field)
    draw.text((GAP, 14), _fitted(title, 60), _INK, ImageFont.load_default(18))
    draw.text((GAP, 38), note, _DIM, ImageFont.load_default(12))
    for number, panel in enumerate(both):
        left = GAP + number * (SIDE + GAP)
        draw.rectangle(_moved(panel.reach, left), fill=_PAD)
        canvas.paste(panel.image, _moved(panel.frame, left)[:2])
        draw.rectangle(_moved(panel.frame, left), outline=_DIM)
        draw.rectangle(_moved(panel.reach, left), outline=_MARK, width=2)
        if panel.held is not None:
            draw.rectangle(_moved(panel.held, left), outline=_INK)
        draw.text((left, HEAD + panel.size[1] + 10), panel.caption, _INK, ImageFont.load_default(13))
    stream = BytesIO()
    canvas.save(stream, "PNG")
    return stream.getvalue()


def _moved(box: Box, left: int) -> tuple[int, int, int, int]:
    """The same on the canvas; right and bottom are the last pixels inside."""
    x0, y0, x1, y1 = map(round, box)
    return left + x0, HEAD + y0, max(left + x0, left + x1 - 1), max(HEAD + y0, HEAD + y1 - 1)


def _fitted(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _canvas(both: Sequence[Panel]) -> tuple[int, int]:
    return 2 * SIDE + 3 * GAP, HEAD + max(panel.size[1] for panel in both) + FOOT


def to_svg(field: Effective, picture: Image | None = None) -> str:
    """The same with text as text and the window as a shape; the panels are pictures inside."""
    both = panels(field, picture)
    width, height = _canvas(both)
    title, note = map(escape, _texts(field))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>',
        f'<g font-family="Helvetica, Arial, sans-serif" fill="{_INK}">',
        f'<text x="{GAP}" y="30" font-size="18" font-weight="bold">{title}</text>',
        f'<text x="{GAP}" y="50" font-size="12" fill="{_DIM}">{note}</text>',
    ]
    for number, panel in enumerate(both):
        lines += _panel_svg(panel, GAP + number * (SIDE + GAP))
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _panel_svg(panel: Panel, left: int) -> list[str]:
    stream = BytesIO()
    panel.image.save(stream, "PNG")
    data = base64.b64encode(stream.getvalue()).decode()
    lines = [
        f'<rect {_placed(panel.reach, left)} fill="{_PAD}"/>',
        f'<image {_placed(panel.frame, left)} preserveAspectRatio="none" href="data:image/png;base64,{data}"'
        ' style="image-rendering: pixelated"/>',
        f'<rect {_placed(panel.frame, left)} fill="none" stroke="{_DIM}"/>',
        f'<rect class="window" {_placed(panel.reach, left)} fill="none" stroke="{_MARK}" stroke-width="2"/>',
        f'<text x="{left}" y="{HEAD + panel.size[1] + 22}" font-size="13">{escape(panel.caption)}</text>',
    ]
    if panel.held is not None:
        lines.append(f'<rect class="held" {_placed(panel.held, left)} fill="none" stroke="{_INK}"/>')
    return lines


def _placed(box: Box, left: int) -> str:
    x0, y0, x1, y1 = box
    return f'x="{left + x0:g}" y="{HEAD + y0:g}" width="{x1 - x0:g}" height="{y1 - y0:g}"'
