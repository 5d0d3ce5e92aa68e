"""The effective field as a picture beside the theoretical window: what counts, in what could count."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from convspec.analysis.window import AxisWindow
from convspec.field.effective import Effective
from convspec.records import dataclass

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE, GAP, HEAD, FOOT = 320, 32, 64, 56
_INK, _DIM, _PAPER, _MARK = "#16202c", "#5b6b7d", "#ffffff", "#d1491b"
_HEAT = ((255, 255, 255), (253, 231, 37), (94, 201, 98), (33, 145, 140), (59, 82, 139), (68, 1, 84))
"""From nothing to most: white, then viridis turned round, which is read without colours too."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A picture of `SIDE` or less each way, a caption, and the window in its pixels."""

    image: Image
    caption: str
    box: tuple[float, float, float, float]


def panels(field: Effective, picture: Image | None = None) -> tuple[Panel, Panel]:
    """The window on the input (or on a picture), and the map; of a map with three axes the sum over its planes."""
    flat, axes = _flat(field)
    height, width = flat.shape
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    box = (axes[1].low * scale, axes[0].low * scale, (axes[1].high + 1) * scale, (axes[0].high + 1) * scale)
    counts = [str(axis.high - axis.low + 1) for axis in field.window.axes]
    window = f"window {'x'.join(counts)} of {'x'.join(str(axis.size) for axis in field.window.axes)}"
    held = f"95 % lies in {'x'.join(map(str, field.held))}"
    return Panel(_ground(size, picture), window, box), Panel(_heated(flat, size), held, box)


def _flat(field: Effective) -> tuple[Any, Sequence[AxisWindow]]:
    """Two axes: a row is drawn as a band."""
    import numpy as np

    axes = field.window.axes
    if len(axes) == 1:
        band = max(1, field.map.shape[0] // 8)
        return np.repeat(field.map[None] / band, band, 0), (AxisWindow(0, band - 1, band, 0, 0, True), axes[0])
    return (field.map, axes) if len(axes) == 2 else (field.map.sum(tuple(range(len(axes) - 2))), axes[-2:])


def _ground(size: tuple[int, int], picture: Image | None) -> Image:
    from PIL import Image

    if picture is not None:
        return picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return Image.new("RGB", size, "#e9edf2")


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
        canvas.paste(panel.image, (left, HEAD))
        x0, y0, x1, y1 = panel.box
        draw.rectangle((left, HEAD, left + panel.image.width - 1, HEAD + panel.image.height - 1), outline=_DIM)
        draw.rectangle((left + x0, HEAD + y0, left + x1 - 1, HEAD + y1 - 1), outline=_MARK, width=2)
        draw.text((left, HEAD + panel.image.height + 10), panel.caption, _INK, ImageFont.load_default(13))
    stream = BytesIO()
    canvas.save(stream, "PNG")
    return stream.getvalue()


def _fitted(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _canvas(both: Sequence[Panel]) -> tuple[int, int]:
    return 2 * SIDE + 3 * GAP, HEAD + max(panel.image.height for panel in both) + FOOT


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
    width, height = panel.image.size
    x0, y0, x1, y1 = panel.box
    place = f'x="{left}" y="{HEAD}" width="{width}" height="{height}"'
    window = f'x="{left + x0:g}" y="{HEAD + y0:g}" width="{x1 - x0:g}" height="{y1 - y0:g}"'
    return [
        f'<image {place} href="data:image/png;base64,{data}" style="image-rendering: pixelated"/>',
        f'<rect {place} fill="none" stroke="{_DIM}"/>',
        f'<rect {window} fill="none" stroke="{_MARK}" stroke-width="2"/>',
        f'<text x="{left}" y="{HEAD + height + 22}" font-size="13">{escape(panel.caption)}</text>',
    ]
