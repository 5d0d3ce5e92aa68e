"""A small drawing of lines, boxes, circles and words, written as SVG or, through Pillow, as PNG: one drawing, two files."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Anchor: TypeAlias = Literal["start", "middle", "end"]
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
WIDE = 0.56
"""About the width of a letter as a share of its size, for laying out words before they are drawn."""
_SCALE = 2
"""Pixels of a PNG for each unit of a drawing."""


@dataclass(frozen=True, slots=True)
class Line:
    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    radius: float
    colour: str
    filled: bool = True


@dataclass(frozen=True, slots=True)
class Words:
    """`y` is the base line."""

    x: float
    y: float
    text: str
    size: float = 12.0
    colour: str = "#1f2937"
    anchor: Anchor = "start"
    bold: bool = False


Item: TypeAlias = Line | Box | Dot | Words


@dataclass(slots=True)
class Canvas:
    """Units are pixels of an SVG at its own size; y grows downward. Later items lie over earlier ones."""

    width: float
    height: float
    items: list[Item] = field(default_factory=list)

    def add(self, *items: Item) -> None:
        self.items.extend(items)

    def svg(self) -> str:
        """A whole SVG file."""
        size = f'width="{self.width:g}" height="{self.height:g}" viewBox="0 0 {self.width:g} {self.height:g}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">'
        body = [_svg(item) for item in (Box(0, 0, self.width, self.height, "#ffffff"), *self.items)]
        return "\n".join([head, *body, "</svg>"]) + "\n"

    def png(self) -> bytes:
        """A whole PNG file, twice the size, for screens of today."""
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (round(self.width * _SCALE), round(self.height * _SCALE)), "#ffffff")
        draw = ImageDraw.Draw(image)
        for item in self.items:
            _paint(draw, item)
        image.save(buffer := io.BytesIO(), "PNG", optimize=True)
        return buffer.getvalue()


def width_of(text: str, size: float) -> float:
    """About how wide words will be."""
    return WIDE * size * len(text)


def _svg(item: Item) -> str:
    match item:
        case Line(points, colour, width):
            places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'
        case Box(x, y, width, height, colour):
            return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
        case Dot(x, y, radius, colour, filled):
            fill, stroke = (colour, "#ffffff") if filled else ("#ffffff", colour)
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>'
        case Words(x, y, text, size, colour, anchor, bold):
            weight = ' font-weight="bold"' if bold else ""
            place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" text-anchor="{anchor}"{weight}'
            return f"<text {place}>{escape(text)}</text>"


def _paint(draw: ImageDraw, item: Item) -> None:
    match item:
        case Line(points, colour, width):
            draw.line([(x * _SCALE, y * _SCALE) for x, y in points], fill=colour, width=max(1, round(width * _SCALE)))
        case Box(x, y, width, height, colour):
            draw.rectangle((x * _SCALE, y * _SCALE, (x + width) * _SCALE, (y + height) * _SCALE), fill=colour)
        case Dot(x, y, radius, colour, filled):
            fill, stroke = (colour, "#ffffff") if filled else ("#ffffff", colour)
            corners = tuple(v * _SCALE for v in (x - radius, y - radius, x + radius, y + radius))
            draw.ellipse(corners, fill=fill, outline=stroke, width=3)
        case Words():
            _paint_words(draw, item)


_SPELLED = str.maketrans({"µ": "u", "×": "x", "–": "-", "…": "...", "’": "'"})
"""What Pillow's own font does not have."""


def _paint_words(draw: ImageDraw, words: Words) -> None:
    """In Pillow's own font, which is the same everywhere; it has one weight, so bold words are drawn with a stroke."""
    from PIL import ImageFont

    font = ImageFont.load_default(words.size * _SCALE)
    text = words.text.translate(_SPELLED)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[words.anchor]
    place = (words.x * _SCALE, words.y * _SCALE)
    draw.text(place, text, words.colour, font, anchor, stroke_width=0.6 if words.bold else 0, stroke_fill=words.colour)


__all__ = ["Anchor", "Box", "Canvas", "Dot", "Line", "Words", "width_of"]
