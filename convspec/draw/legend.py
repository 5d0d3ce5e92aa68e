"""What stands around a picture: its name and totals above, the scale of its colours below."""

from __future__ import annotations

from convspec.draw.diagram import Diagram
from convspec.draw.lettering import SMALL, sizes_text
from convspec.draw.look import Look
from convspec.draw.markup import element, escape
from convspec.draw.measure import fit, width
from convspec.draw.palette import STEPS
from convspec.draw.words import number_text, short, short_bytes
from convspec.ir.dims import substitute
from convspec.records import dataclass

_ROOM = 640.0
_SWATCH = 22.0
_SAID = {"macs": "MACs", "params": "parameters", "memory": "bytes given out"}


@dataclass(frozen=True, slots=True)
class Part:
    """Markup with its size; its origin is the upper left corner."""

    markup: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Legend:
    """What is said around a picture. `most` is the cost of its dearest box."""

    drawn: Diagram
    look: Look
    most: float

    @property
    def says(self) -> str:
        return self.drawn.name

    @property
    def totals(self) -> str:
        """`25.6M parameters · 4.09G MACs · 9.19 MiB of activations at the peak · N = 1, h = 7, w = 7`."""
        numbers = self.drawn.root.numbers
        parts = [f"{short(numbers.parameters)} parameters", f"{short(substitute(numbers.macs, self.drawn.basis))} MACs"]
        parts.append(f"{short_bytes(self.drawn.activation_memory)} of activations at the peak")
        return " · ".join([*parts, *filter(None, [sizes_text(self.drawn.basis)])])

    @property
    def describes(self) -> str:
        """For those who do not see the picture."""
        layers = sum(1 for _ in self.drawn.root.layers())
        ends = [f"input {each.name}: {each.type}" for each in self.drawn.inputs]
        ends += [f"output {each.name}: {each.type}" for each in self.drawn.outputs]
        return "\n".join([f"A network of {layers:,} layers; {self.totals}.", *ends, *self.drawn.doc.splitlines()])


def head(legend: Legend) -> Part:
    """Name, first line of the documentation, totals."""
    name = fit(legend.drawn.name, 17, _ROOM, bold=True)
    doc = fit(next(iter(legend.drawn.doc.splitlines()), ""), SMALL, _ROOM)
    totals = fit(legend.totals, SMALL, _ROOM)
    wide = max(width(name, 17, True), width(doc, SMALL), width(totals, SMALL))
    lines = [_text(name, 14, "name text", width(name, 17, True))]
    y = 14.0
    for content in filter(None, (doc, totals)):
        y += 16
        lines.append(_text(content, y, "small muted", width(content, SMALL)))
    return Part("".join(lines), wide, y + 22)


def foot(legend: Legend) -> Part:
    """The scale of colours; nothing where nothing is coloured."""
    if legend.look.colour == "none" or legend.most <= 0:
        return Part("", 0, 0)
    # Colours are compared at sizes of their own where some are open; that is to be said.
    sizes = {name: value for name, value in legend.drawn.basis.items() if name not in legend.drawn.sizes}
    at = f" at {sizes_text(sizes)}" if legend.drawn.open_sizes else ""
    content = fit(f"{_SAID[legend.look.colour]} of a box{at}", SMALL, _ROOM)
    y = 20.0
    parts = [_text(content, y + 10, "small muted", width(content, SMALL))]
    for index in range(1, STEPS):
        x = (index - 1) * _SWATCH
        parts.append(element("rect", class_=f"c{index}", x=x, y=y + 17, width=_SWATCH, height=10))
    end = (STEPS - 1) * _SWATCH
    parts.append(element("rect", class_="edge", x=0, y=y + 17, width=end, height=10))
    most = short_bytes(int(legend.most)) if legend.look.colour == "memory" else number_text(legend.most)
    parts.append(_text("0", y + 39, "small muted", width("0", SMALL)))
    parts.append(_text(most, y + 39, "small muted", width(most, SMALL), end, "end"))
    return Part("".join(parts), max(end, width(content, SMALL)), y + 42)


def _text(content: str, y: float, kind: str, wide: float, x: float = 0, anchor: str = "start") -> str:
    fit_in: dict[str, str | float] = {"textLength": wide, "lengthAdjust": "spacingAndGlyphs", "text_anchor": anchor}
    return "\n" + element("text", escape(content), class_=kind, x=x, y=y, **fit_in)
