"""The chart of a sweep: a dot for each combination, one quantity over another, and the front that no other beats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from convspec.bench.canvas import Canvas, Dot, Line, Words, width_of

_WIDTH, _HEIGHT, _MARGIN = 940.0, 560.0, 28.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 100.0, 40.0, 84.0, 64.0
_GREY, _LIGHT, _LINE, _RED, _INK = "#6b7280", "#e5e7eb", "#9ca3af", "#b91c1c", "#1f2937"
_COLOURS = ("#2563eb", "#ea580c", "#15803d", "#9333ea", "#0f766e", "#b45309", "#be185d", "#475569")
_NAMED = 24
"""As many dots have their names beside them; of more, only those on the front."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A dot: what it is called, where it stands, the group that gives its colour, and how it is marked."""

    title: str
    group: str
    x: int
    y: int
    front: bool
    broken: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of one quantity, in powers of ten where it is wide."""

    name: str
    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, name: str, values: Sequence[int]) -> Axis:
        low, high = min(values), max(values)
        wide = low > 0 and high / low > 20
        if wide:
            return cls(name, 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)), True)
        step = _step(max(high, 1) / 5)
        top = step * (math.floor(high / step) + 1)
        return cls(name, 0.0, top, False)

    def place(self, value: float) -> float:
        """From 0 to 1."""
        if self.logarithmic:
            return (math.log10(value) - math.log10(self.low)) / max(1.0, math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Where lines are drawn."""
        if self.logarithmic:
            powers = range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)
            return [10.0**power for power in powers]
        step = _step(self.high / 5)
        return [step * i for i in range(int(self.high / step + 1e-9) + 1)]


def _step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at least `rough`."""
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def short(value: float) -> str:
    """`1.2M`."""
    for unit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.3g}{letter}"
    return f"{value:.3g}"


def tradeoff(title: str, about: str, names: tuple[str, str], spots: Sequence[Spot]) -> Canvas:
    """The drawing. `spots` are at least one; `names` are what stands at the axes."""
    canvas = Canvas(_WIDTH, _HEIGHT)
    x, y = Axis.of(names[0], [spot.x for spot in spots]), Axis.of(names[1], [spot.y for spot in spots])
    canvas.add(Words(_MARGIN, 36, title, 18, _INK, bold=True), Words(_MARGIN, 56, about, 11, _GREY))
    _frame(canvas, x, y)
    on_front = sorted({(spot.x, spot.y) for spot in spots if spot.front})
    if len(on_front) > 1:
        canvas.add(Line(tuple(_point(x, y, *each) for each in on_front), _LINE, 1.5))
    groups = list(dict.fromkeys(spot.group for spot in spots))
    colours = {group: _COLOURS[i % len(_COLOURS)] for i, group in enumerate(groups)}
    for spot in spots:
        place = _point(x, y, spot.x, spot.y)
        canvas.add(Dot(*place, 6 if spot.front else 4.5, _RED if spot.broken else colours[spot.group], spot.front))
    _titles(canvas, x, y, spots)
    _legend(canvas, groups, colours)
    return canvas


def _point(x: Axis, y: Axis, across: float, up: float) -> tuple[float, float]:
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    return _LEFT + wide * x.place(across), _TOP + high * (1 - y.place(up))


def _frame(canvas: Canvas, x: Axis, y: Axis) -> None:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for tick in x.ticks():
        across = _point(x, y, tick, y.low)[0]
        canvas.add(Line(((across, _TOP), (across, bottom)), _LIGHT))
        canvas.add(Words(across, bottom + 16, short(tick), 10, _GREY, "middle"))
    for tick in y.ticks():
        up = _point(x, y, x.low, tick)[1]
        canvas.add(Line(((_LEFT, up), (right, up)), _LIGHT), Words(_LEFT - 6, up + 4, short(tick), 10, _GREY, "end"))
    canvas.add(Words((_LEFT + right) / 2, bottom + 36, x.name, 12, _INK, "middle"))
    canvas.add(Words(_LEFT, _TOP - 8, y.name, 12, _INK))


def _titles(canvas: Canvas, x: Axis, y: Axis, spots: Sequence[Spot]) -> None:
    """Names beside dots, where one has room; the front goes first."""
    dots = [_point(x, y, spot.x, spot.y) for spot in spots]
    taken = [(across - 6, across + 6, up) for across, up in dots]
    for spot in sorted(spots, key=lambda each: not each.front):
        if len(spots) > _NAMED and not spot.front:
            continue
        across, up = _point(x, y, spot.x, spot.y)
        wide = width_of(spot.title, 10)
        for start, level in ((across + 9, up), (across - 9 - wide, up), (across + 5, up + 14), (across - 5 - wide, up - 14)):
            free = not any(abs(level - other) < 11 and start < end and begin < start + wide for begin, end, other in taken)
            if free and start > _LEFT and start + wide < _WIDTH - 4:
                taken.append((start, start + wide, level))
                canvas.add(Words(start, level + 3.5, spot.title, 10, _INK))
                break


def _legend(canvas: Canvas, groups: Sequence[str], colours: dict[str, str]) -> None:
    if len(groups) < 2 or len(groups) > len(_COLOURS):
        return
    across = _WIDTH - _RIGHT
    for group in reversed(groups):
        across -= width_of(group, 11) + 8
        canvas.add(Words(across, _TOP - 8, group, 11, _INK), Dot(across - 9, _TOP - 12, 4.5, colours[group]))
        across -= 26


__all__ = ["Axis", "Spot", "short", "tradeoff"]
