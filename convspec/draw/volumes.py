"""Feature maps as boxes drawn to scale, side by side, as papers draw a small network.

A box is as high and as deep as its maps are high and wide, and as thick as it has channels; a vector is a bar. Space, channels
and bars have a scale each, shown below. A window is drawn on the map that it moves over, with the unit that it leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log2

from convspec.draw.chain import Step, chain, texts
from convspec.draw.diagram import Diagram
from convspec.draw.legend import Legend, Part, foot, head
from convspec.draw.lettering import SMALL, SMALL_LEADING, layer_tip, one_example, sizes_text
from convspec.draw.look import Look
from convspec.draw.markup import element, number, title
from convspec.draw.measure import width
from convspec.draw.palette import step as shade
from convspec.draw.scene import Point
from convspec.draw.svg import MARGIN, document, text
from convspec.records import dataclass

_HIGH, _THICK, _BAR = 170.0, 110.0, 12.0
"""The highest box or bar, the thickest box, and how thick a bar is, in pixels."""
_LEAST = 2.0
_DEPTH = (0.42, -0.30)
"""Where a pixel of depth goes: to the right and up."""
_GAP, _APART = 40.0, 12.0
"""From one volume to the next at least; between what is said below."""
_LINES = 6


@dataclass(slots=True, eq=False)
class _Volume:
    """A tensor with its place. `x` is the left of the front; the middle of the front is on the axis of all."""

    step: Step
    high: float
    deep: float
    thick: float
    x: float = 0.0

    @property
    def slope(self) -> Point:
        return self.deep * _DEPTH[0], self.deep * _DEPTH[1]

    @property
    def caption(self) -> str:
        """`64@56×56`: channels, then space; a vector's features alone."""
        channels, *space = self.step.extents
        return f"{channels:,}@{'×'.join(map(str, space))}" if space else f"{channels:,}"


@dataclass(frozen=True, slots=True)
class _Scale:
    """Pixels for an extent."""

    name: str
    most: int
    room: float
    log: bool

    def __call__(self, extent: int) -> float:
        share = log2(1 + extent) / log2(1 + self.most) if self.log else extent / self.most
        return max(_LEAST, share * self.room)

    def round_extent(self) -> int:
        """A power of two whose bar is neither small nor large."""
        extent = 1
        while extent * 2 <= self.most and self(extent) < 30:
            extent *= 2
        return extent


def volumes(drawn: Diagram, look: Look) -> str:
    """The picture as SVG. Failure CNN401 for a network that has branches or is too long to be shown in this way."""
    steps = chain(drawn)
    scales = _scales(steps, look.log)
    shown = [_volume(step, scales) for step in steps]
    wide = _place(shown)
    weights = [step.weight(look.colour) if look.colour != "none" else 0.0 for step in steps]
    most = max(weights, default=0.0)
    legend = Legend(drawn, look, most)
    top, bottom = head(legend), foot(legend)
    axis = max(volume.high / 2 - volume.slope[1] / 2 for volume in shown) + 4
    picture = _picture(shown, weights, most, axis)
    keys = _keys(scales, drawn, look)
    inner = max(wide, top.width, bottom.width + 40 + keys.width)
    high = max(axis + volume.high / 2 + abs(volume.slope[1]) / 2 for volume in shown) + _captions(shown)
    whole = (inner + 2 * MARGIN, top.height + high + max(bottom.height, keys.height) + 2 * MARGIN)
    under = MARGIN + top.height + high
    body = [
        element("rect", class_="paper", width=whole[0], height=whole[1]),
        element("g", top.markup, transform=f"translate({number(MARGIN)} {number(MARGIN)})"),
        element("g", *picture, transform=f"translate({number(MARGIN + (inner - wide) / 2)} {number(MARGIN + top.height)})"),
        element("g", bottom.markup, transform=f"translate({number(MARGIN)} {number(under)})"),
        element("g", keys.markup, transform=f"translate({number(MARGIN + bottom.width + 40)} {number(under)})"),
    ]
    return document(*whole, legend.says, legend.describes, look, body)


# ── sizes and places ─────────────────────────────────────────────────────────────────────────────────────────


def _scales(steps: list[Step], log: bool) -> dict[str, _Scale]:
    """A scale for space, for channels and for the features of vectors, as far as there are such."""
    space = [extent for step in steps for extent in _plane(step)]
    channels = [step.extents[0] for step in steps if len(step.extents) > 1]
    features = [step.extents[0] for step in steps if len(step.extents) == 1]
    found = {}
    for name, extents, room in (("space", space, _HIGH), ("channels", channels, _THICK), ("features", features, _HIGH)):
        if extents:
            found[name] = _Scale(name, max(extents), room, log)
    return found


def _plane(step: Step) -> tuple[int, ...]:
    """The extents that are drawn as height and depth: the last two of space."""
    return step.extents[1:][-2:]


def _volume(step: Step, scales: dict[str, _Scale]) -> _Volume:
    plane = _plane(step)
    if not plane:
        return _Volume(step, scales["features"](step.extents[0]), 0, _BAR)
    high = scales["space"](plane[0])
    deep = scales["space"](plane[1]) if len(plane) > 1 else 0.0
    return _Volume(step, high, deep, scales["channels"](step.extents[0]))


def _place(shown: list[_Volume]) -> float:
    """Set them side by side, as near as captions and what is said between them allow; the width of all."""
    x = said = 0.0
    for index, volume in enumerate(shown):
        if index:
            half = max(width(line, SMALL) for line in _said(volume)) / 2
            gap = max(_GAP, 2 * (said + _APART + half - x))
            said = x + gap / 2 + half
            x += gap
        body = volume.thick + volume.slope[0]
        room = max(body, width(volume.caption, SMALL) + 6)
        volume.x = x + (room - body) / 2
        x += room
    return max(x, said)


def _said(volume: _Volume) -> list[str]:
    lines = [*texts(volume.step)]
    return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], f"and {len(lines) - _LINES + 1} more"]


def _captions(shown: list[_Volume]) -> float:
    lines = max(len(_said(volume)) for volume in shown)
    return 26 + SMALL_LEADING * (lines + 1)


# ── drawing ──────────────────────────────────────────────────────────────────────────────────────────────────


def _picture(shown: list[_Volume], weights: list[float], most: float, axis: float) -> Iterator[str]:
    base = max(axis + volume.high / 2 + abs(volume.slope[1]) / 2 for volume in shown) + 20
    for index, (volume, weight) in enumerate(zip(shown, weights, strict=True)):
        tip = "\n\n".join(layer_tip(layer) for layer in volume.step.layers) or "the input"
        box = _bar(volume, axis) if len(volume.step.extents) == 1 else _cuboid(volume, axis)
        cost = f"c{shade(weight, most)}"
        yield element("g", title(tip), *box(cost), class_="volume") + "\n"
        middle = volume.x + (volume.thick + volume.slope[0]) / 2
        yield text(volume.caption, middle, base, "text", SMALL, anchor="middle")
        if index:
            yield from _lead(shown[index - 1], volume, axis, base)


def _cuboid(volume: _Volume, axis: float) -> Callable[[str], Iterator[str]]:
    """Front, top and right side; the top is lighter, the side darker."""
    dx, dy = volume.slope
    left, right = volume.x, volume.x + volume.thick
    up, low = axis - volume.high / 2 - dy / 2, axis + volume.high / 2 - dy / 2
    front = [(left, up), (right, up), (right, low), (left, low)]
    top = [(left, up), (left + dx, up + dy), (right + dx, up + dy), (right, up)]
    side = [(right, up), (right + dx, up + dy), (right + dx, low + dy), (right, low)]

    def draw(cost: str) -> Iterator[str]:
        faces = [(front, ""), (top, "lit"), (side, "dim")] if volume.deep else [(front, "")]
        for face, light in faces:
            yield element("path", class_=cost, d=_polygon(face))
            if light:
                yield element("path", class_=light, d=_polygon(face))
            yield element("path", class_="edge", d=_polygon(face), stroke_linejoin="round")

    return draw


def _bar(volume: _Volume, axis: float) -> Callable[[str], Iterator[str]]:
    shape = {"x": volume.x, "y": axis - volume.high / 2, "width": volume.thick, "height": volume.high, "rx": 2}

    def draw(cost: str) -> Iterator[str]:
        yield element("rect", class_=cost, **shape)
        yield element("rect", class_="edge", **shape)

    return draw


def _lead(before: _Volume, volume: _Volume, axis: float, base: float) -> Iterator[str]:
    """What leads from one tensor to the next: the window on the one, lines to a unit of the other, and the names of layers."""
    start = before.x + before.thick + before.slope[0]
    end = volume.x
    window = _window(before, volume.step, axis)
    # The unit that a window leads to lies in the middle of the next front; a slope shifts that up by half of it.
    unit = (end, axis - volume.slope[1] / 2)
    if window:
        yield element("path", class_="window", d=_polygon(window))
        for corner in (window[1], window[2]):
            yield element("path", class_="ray", d=f"M{_pair(corner)}L{_pair(unit)}")
    else:
        y = axis
        yield element("path", class_="wire", d=f"M{number(start + 4)} {number(y)}H{number(end - 9)}")
        yield element("path", class_="arrow", d=_polygon([(end - 9, y - 3.5), (end - 2, y), (end - 9, y + 3.5)]))
    right = before.x + (before.thick + before.slope[0]) / 2 + _reach(before)
    left = volume.x + (volume.thick + volume.slope[0]) / 2 - _reach(volume)
    for index, line in enumerate(_said(volume)):
        yield text(line, (left + right) / 2, base + SMALL_LEADING * (index + 1) + 4, "muted", SMALL, anchor="middle")


def _reach(volume: _Volume) -> float:
    """Half of the room that a volume and its caption take."""
    return max(volume.thick + volume.slope[0], width(volume.caption, SMALL) + 6) / 2


def _window(volume: _Volume, step: Step, axis: float) -> list[Point]:
    """The window of a layer in the middle of the side of its input; nothing where the layer has none there."""
    kernel, plane = step.kernel, _plane(volume.step)
    if kernel is None or not plane or len(kernel) < len(plane):
        return []
    rows = min(1.0, kernel[-len(plane)] / plane[0]) * volume.high
    dx, dy = volume.slope
    right, middle = volume.x + volume.thick, axis - dy / 2
    if len(plane) == 1:
        return [(right - volume.thick, middle - rows / 2), (right, middle - rows / 2), (right, middle + rows / 2),
                (right - volume.thick, middle + rows / 2)]  # fmt: skip
    share = min(1.0, kernel[-1] / plane[1])
    near, far = 0.5 - share / 2, 0.5 + share / 2
    points = [(near, -rows / 2), (far, -rows / 2), (far, rows / 2), (near, rows / 2)]
    return [(right + dx * along, middle + dy * along + y) for along, y in points]


def _polygon(points: list[Point]) -> str:
    return "M" + "L".join(map(_pair, points)) + "z"


def _pair(point: Point) -> str:
    return f"{number(point[0])},{number(point[1])}"


# ── what the sides mean ──────────────────────────────────────────────────────────────────────────────────────


def _keys(scales: dict[str, _Scale], drawn: Diagram, look: Look) -> Part:
    """A bar for each scale with what it stands for, and how it was drawn."""
    notes = [_note(scales, drawn, look)]
    y = 20.0
    parts = [text(line, 0, y + 10, "muted", SMALL) for line in notes]
    x = 0.0
    for scale in scales.values():
        extent = scale.round_extent()
        caption = f"{extent:,} {'positions' if scale.name == 'space' else scale.name}"
        long = scale(extent)
        parts.append(element("path", class_="wire", d=f"M{number(x)} {number(y + 18)}v8m0 -4h{number(long)}m0 -4v8"))
        parts.append(text(caption, x, y + 39, "muted", SMALL))
        x += max(long, width(caption, SMALL)) + 26
    return Part("".join(parts), max([x, *(width(line, SMALL) for line in notes)]), y + 42)


def _note(scales: dict[str, _Scale], drawn: Diagram, look: Look) -> str:
    each = " and ".join(", ".join(scales).rsplit(", ", 1))
    how = "as logarithms" if look.log else "to scale"
    own = "each with a scale of its own" if len(scales) > 1 else ""
    said = [f"{each} {how}", own, f"no side below {_LEAST:g} px"]
    batch = one_example(drawn)
    sizes = {name: drawn.basis[name] for name in drawn.open_sizes if name not in batch}
    if sizes:
        said.append(f"at {sizes_text(sizes)}")
    if any(len(edge.type.shape) > 4 for edge in drawn.edges):
        said.append("depth in time is written, not drawn")
    return "; ".join(filter(None, said))
