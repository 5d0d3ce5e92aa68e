"""A scene as SVG: one file that needs nothing else, readable on light and dark, on a screen and in print."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.draw.diagram import Stack
from convspec.draw.legend import Legend, foot, head
from convspec.draw.lettering import LEADING, PAD_X, PAD_Y, SMALL, SMALL_LEADING, TEXT, badge_room, badge_width
from convspec.draw.look import Look
from convspec.draw.markup import element, escape, number, title
from convspec.draw.measure import width
from convspec.draw.palette import step, style_sheet
from convspec.draw.scene import Box, Frame, Line, Point, Row, Scene, Wire, sheets

MARGIN = 24.0
_ROUND = 5.0
_SHEET = 5.0


def svg(scene: Scene, look: Look) -> str:
    """The picture of a scene that was lettered and laid out."""
    most = max((row.weight for box in scene.root.boxes() for row in box.rows), default=0.0)
    legend = Legend(scene.diagram, look, most)
    top = head(legend)
    bottom = foot(legend)
    inner = max(scene.width, top.width, bottom.width)
    whole_width = inner + 2 * MARGIN
    whole_height = scene.height + top.height + bottom.height + 2 * MARGIN
    shift = MARGIN + (inner - scene.width) / 2
    body = [
        element("rect", class_="paper", width=whole_width, height=whole_height),
        element("g", top.markup, transform=f"translate({number(MARGIN)} {number(MARGIN)})"),
        element("g", *_picture(scene, most), transform=f"translate({number(shift)} {number(MARGIN + top.height)})"),
        element("g", bottom.markup, transform=f"translate({number(MARGIN)} {number(MARGIN + top.height + scene.height)})"),
    ]
    return document(whole_width, whole_height, legend.says, legend.describes, look, body)


def document(wide: float, high: float, name: str, description: str, look: Look, body: list[str]) -> str:
    """The whole file around what is drawn. `name` and `description` are read to those who do not see it."""
    inside = [title(name), element("desc", escape(description)), element("style", escape(style_sheet(look.theme))), *body]
    attributes: dict[str, str | float] = {
        "xmlns": "http://www.w3.org/2000/svg",
        "class_": "cvn",
        "role": "img",
        "viewBox": f"0 0 {number(wide)} {number(high)}",
        "width": wide,
        "height": high,
    }
    return element("svg", "\n", *(part + "\n" for part in inside), **attributes) + "\n"


def _picture(scene: Scene, most: float) -> Iterator[str]:
    """Frames below wires below boxes below the labels of wires."""
    for frame in scene.root.frames():
        yield _frame(frame)
    for wire in scene.wires:
        yield _wire(wire)
    for frame in scene.root.frames():
        yield _header(frame)
    for box in scene.root.boxes():
        yield _box(box, most)
    for wire in scene.wires:
        if wire.place is not None:
            yield _label(wire, wire.place)


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────


def text(content: str, x: float, y: float, kind: str, size: float = TEXT, bold: bool = False, anchor: str = "start") -> str:
    """A line of text as wide as it was measured, `y` on its base line."""
    if not content:
        return ""
    classes = " ".join(filter(None, (kind, "small" if size == SMALL else "", "strong" if bold else "")))
    wide: dict[str, str | float] = {"textLength": width(content, size, bold), "lengthAdjust": "spacingAndGlyphs"}
    if anchor != "start":
        wide["text_anchor"] = anchor
    return "\n" + element("text", escape(content), class_=classes, x=x, y=y, **wide)


def _lines(lines: list[Line], x: float, y: float, room: float, ink: str, faint: str, badge: float = 0) -> Iterator[str]:
    """Lines below each other from `y` on; notes end at the right of `room`, left of a badge."""
    for line in lines:
        size = SMALL if line.muted else TEXT
        leading = SMALL_LEADING if line.muted else LEADING
        base = y + leading - 4
        yield text(line.text, x, base, faint if line.muted else ink, size, line.strong)
        if line.note:
            yield text(line.note, x + room - badge, base, faint, SMALL, anchor="end")
        y += leading


# ── groups and boxes ─────────────────────────────────────────────────────────────────────────────────────────


def _frame(frame: Frame) -> str:
    behind = sheets(frame.stack)
    wide, high = frame.width - _SHEET * behind, frame.height - _SHEET * behind
    parts = [title(frame.tip)]
    for place in range(behind, -1, -1):
        offset = _SHEET * place
        parts.append(element("rect", class_="frame", x=frame.x + offset, y=frame.y + offset, width=wide, height=high, rx=8))
    return element("g", *parts, class_="group", data_id=frame.id) + "\n"


def _header(frame: Frame) -> str:
    """The head of a frame lies above wires that come in there: each line has ground of its own."""
    left, y = frame.x + 10, frame.y + 7
    parts: list[str] = []
    for line in frame.header:
        size, leading = (SMALL, SMALL_LEADING) if line.muted else (TEXT, LEADING)
        own = width(line.text, size, line.strong)
        note = width(line.note, SMALL)
        ground = own + (note + 8 if note else 0)
        parts.append(element("rect", class_="ground", x=left - 3, y=y, width=ground + 6, height=leading))
        parts.append(text(line.text, left, y + leading - 4, "muted" if line.muted else "text", size, line.strong))
        parts.append(text(line.note, left + own + 8, y + leading - 4, "muted", SMALL))
        y += leading
    if frame.stack is not None:
        wide = frame.width - _SHEET * sheets(frame.stack)
        parts.append(_badge(frame.stack, frame.x + wide - 8, frame.y + 7))
    return element("g", *parts, class_="head") + "\n"


def _box(box: Box, most: float) -> str:
    if box.kind in ("input", "output"):
        return _terminal(box)
    parts: list[str] = []
    for place in range(sheets(box.stack), 0, -1):
        offset = _SHEET * place
        attributes = {"x": box.x + offset, "y": box.y + offset, "width": box.width, "height": box.height, "rx": _ROUND}
        parts.append(element("rect", class_="sheet", **attributes))
    last = len(box.rows) - 1
    for index, row in enumerate(box.rows):
        parts.append(_row(box, row, step(row.weight, most), index == 0, index == last))
    parts.append(element("rect", class_="edge", x=box.x, y=box.y, width=box.width, height=box.height, rx=_ROUND))
    if box.stack is not None:
        parts.append(_badge(box.stack, box.x + box.width - 6, box.y + 5))
    return element("g", *parts, class_=box.kind, data_id=box.id) + "\n"


def _row(box: Box, row: Row, cost: int, first: bool, last: bool) -> str:
    top = box.y + row.top
    shape = _rounded(box.x, top, box.width, row.height, _ROUND if first else 0, _ROUND if last else 0)
    parts = [title(row.tip), element("path", class_=f"c{cost}", d=shape)]
    if not first:
        parts.append(element("path", class_="rule", d=f"M{number(box.x)} {number(top)}h{number(box.width)}"))
    badge = badge_room(box.stack) if first else 0
    parts += _lines(row.lines, box.x + PAD_X, top + PAD_Y, box.width - 2 * PAD_X, f"t{cost}", f"m{cost}", badge)
    return element("g", *parts, class_="row", data_id=row.id) + "\n"


def _terminal(box: Box) -> str:
    row = box.rows[0]
    shape = {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "rx": box.height / 2}
    middle = box.x + box.width / 2
    parts = [title(row.tip), element("rect", class_="terminal", **shape)]
    name, kind = row.lines
    parts.append(text(name.text, middle, box.y + PAD_Y + LEADING - 4, "terminal-text", TEXT, True, "middle"))
    parts.append(text(kind.text, middle, box.y + PAD_Y + LEADING + SMALL_LEADING - 4, "muted", SMALL, False, "middle"))
    return element("g", *parts, class_=box.kind, data_id=box.id) + "\n"


def _badge(stack: Stack, right: float, top: float) -> str:
    wide = badge_width(stack)
    shape = element("rect", class_="badge", x=right - wide, y=top, width=wide, height=14, rx=7)
    return shape + text(stack.mark, right - wide / 2, top + 10.5, "badge-text", SMALL, True, "middle")


def _rounded(x: float, y: float, wide: float, high: float, upper: float, lower: float) -> str:
    """A rectangle with round corners above and below."""
    n = number
    return (
        f"M{n(x)} {n(y + upper)}a{n(upper)} {n(upper)} 0 0 1 {n(upper)} {n(-upper)}h{n(wide - 2 * upper)}"
        f"a{n(upper)} {n(upper)} 0 0 1 {n(upper)} {n(upper)}v{n(high - upper - lower)}"
        f"a{n(lower)} {n(lower)} 0 0 1 {n(-lower)} {n(lower)}h{n(2 * lower - wide)}"
        f"a{n(lower)} {n(lower)} 0 0 1 {n(-lower)} {n(-lower)}z"
    )


# ── wires ────────────────────────────────────────────────────────────────────────────────────────────────────


def _wire(wire: Wire) -> str:
    start, *rest = wire.points
    curves = " ".join(_pair(point) for point in rest)
    line = element("path", class_="wire", d=f"M{_pair(start)}C{curves}")
    tip = element("path", class_="arrow", d=_arrow(wire.points[-1], wire.tip))
    says = title(", ".join(wire.shapes))
    return element("g", says, line, tip, class_="flow", data_from=wire.source, data_to=wire.target) + "\n"


def _arrow(base: Point, tip: Point) -> str:
    """A triangle from the end of a line to where it points."""
    dx, dy = tip[0] - base[0], tip[1] - base[1]
    side = (-dy * 0.38, dx * 0.38)
    left, right = (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1])
    return f"M{_pair(left)}L{_pair(tip)}L{_pair(right)}z"


def _label(wire: Wire, place: Point) -> str:
    x, y = place
    shape = {"x": x - wire.width / 2 + 2, "y": y - wire.height / 2, "width": wire.width - 4, "height": wire.height, "rx": 3}
    back = element("rect", class_="behind", fill_opacity=0.75, **shape)
    return element("g", back, text(wire.text, x, y + 3.5, "muted", SMALL, anchor="middle"), class_="shape") + "\n"


def _pair(point: Point) -> str:
    return f"{number(point[0])},{number(point[1])}"
