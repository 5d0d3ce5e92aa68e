"""The results as a picture: throughput as bars with their intervals, and where each subject stands below the roofline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from convspec.bench.canvas import Box, Canvas, Dot, Line, Words, width_of
from convspec.bench.peaks import Peaks
from convspec.bench.report import duration, number, percent, rate, ratio
from convspec.bench.results import Results, Row, Table

_WIDTH, _MARGIN, _ROW = 940.0, 28.0, 30.0
_GREY, _LIGHT, _LINE, _RED, _INK = "#6b7280", "#e5e7eb", "#9ca3af", "#b91c1c", "#1f2937"
_COLOURS = {
    "onnxruntime": ("#2563eb", "#60a5fa", "#1e3a8a"),
    "pytorch": ("#ea580c", "#fb923c", "#7c2d12"),
    "tensorflow": ("#15803d", "#4ade80", "#14532d"),
    "openvino": ("#9333ea", "#c084fc", "#581c87"),
    "reference": ("#6b7280", "#9ca3af", "#374151"),
}
_OTHER = ("#0f766e", "#2dd4bf", "#134e4a")


def chart(results: Results) -> Canvas:
    """The drawing: a panel of bars for each batch, below them one roofline for each network that has one."""
    canvas = Canvas(_WIDTH, 0)
    colours = _colours(results)
    y = _title(canvas, results)
    for table in results.tables:
        y = _bars(canvas, table, y, colours)
    for title in dict.fromkeys(row.subject.source.title for row in results.rows):
        rows = [row for row in results.rows if row.subject.source.title == title and row.work and row.peaks and row.timing]
        if rows:
            y = _Roofline(rows, y).draw(canvas, title, colours)
    canvas.height = y + 8
    return canvas


def _colours(results: Results) -> dict[str, str]:
    """A colour for each subject by name: a hue for the runtime, another shade for each further way to run it."""
    found: dict[str, str] = {}
    used: dict[str, int] = {}
    for row in results.rows:
        name = row.subject.name
        if name not in found:
            runtime = "" if row.subject.against else row.subject.runtime
            shades = _COLOURS.get(runtime, _OTHER)
            found[name] = shades[used.get(runtime, 0) % len(shades)]
            used[runtime] = used.get(runtime, 0) + 1
    return found


def _title(canvas: Canvas, results: Results) -> float:
    names = dict.fromkeys(title for table in results.tables for title in table.shapes)
    machine = results.machine
    canvas.add(
        Words(_MARGIN, 36, ", ".join(names), 18, _INK, bold=True),
        Words(_MARGIN, 56, f"{machine['processor']}, {machine['cpus']} CPUs · convspec {machine['convspec']}", 11, _GREY),
    )
    return 72.0


# ── Bars ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _bars(canvas: Canvas, table: Table, y: float, colours: dict[str, str]) -> float:
    """Throughput of every subject at one batch; returns where the next panel begins."""
    shapes = "; ".join(dict.fromkeys(table.shapes.values()))
    canvas.add(Words(_MARGIN, y + 16, f"batch {table.batch}", 14, _INK, bold=True))
    canvas.add(Words(_MARGIN + width_of(f"batch {table.batch}", 15) + 8, y + 16, f"{shapes} · items a second", 11, _GREY))
    y += 30
    names = [_name(row, several=len(table.shapes) > 1) for row in table.rows]
    left = _MARGIN + min(300.0, max(width_of(name, 12) for name in names)) + 10
    right = _WIDTH - _MARGIN - 250
    most = max((_throughput(row)[2] for row in table.measured), default=1.0)
    for row, name in zip(table.rows, names, strict=True):
        canvas.add(Words(left - 8, y + 18, _cut(name, 44), 12, _INK, "end"))
        if row.timing is None:
            failed = row.state == "failed"
            said = f"FAILED: {row.reason}" if failed else f"not run: {row.reason}"
            canvas.add(Words(left + 4, y + 18, _cut(said, 95), 11, _RED if failed else _GREY, bold=failed))
        else:
            canvas.add(*_bar(row, y, left, (right - left) / most, colours[row.subject.name]))
        y += _ROW
    canvas.add(Line(((left, y - _ROW * len(table.rows)), (left, y)), _GREY))
    if table.noise is not None:
        canvas.add(Words(left, y + 14, f"noise: the first against itself {table.noise.value:.3f}", 10, _GREY))
    return y + 34


def _bar(row: Row, y: float, left: float, scale: float, colour: str) -> Iterator[Box | Line | Words]:
    """The bar, its interval, and what it stands for in numbers."""
    value, low, high = _throughput(row)
    end = left + max(1.0, value * scale)
    yield Box(left, y + 5, end - left, _ROW - 12, colour)
    middle = y + 5 + (_ROW - 12) / 2
    ends = [left + max(0.0, number) * scale for number in (low, high)]
    yield Line(((ends[0], middle), (ends[1], middle)), _INK, 1.2)
    for x in ends:
        yield Line(((x, middle - 4), (x, middle + 4)), _INK, 1.2)
    assert row.timing is not None
    parts = [f"{number(value)} /s", duration(row.timing.seconds.value)]
    if row.timing.speedup is not None:
        same = " (no difference)" if row.timing.verdict == "same" else ""
        parts.append(f"{ratio(row.timing.speedup.value)}×{same}")
    if row.roofline is not None:
        parts.append(f"{percent(row.roofline)} of roofline")
    yield Words(max(end, ends[1]) + 8, y + 18, " · ".join(parts), 11, _INK)


def _throughput(row: Row) -> tuple[float, float, float]:
    """Items a second, and the ends of its interval."""
    assert row.timing is not None
    found = row.timing.seconds.per(row.batch)
    return found.value, found.low, found.high


def _name(row: Row, several: bool) -> str:
    return f"{row.subject.source.title}: {row.subject.name}" if several and not row.subject.against else row.subject.name


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


# ── Roofline ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Roofline:
    """Flops a second over flops a byte, both in powers of ten, for the subjects of one network."""

    rows: Sequence[Row]
    top: float
    left: float = _MARGIN + 70
    width: float = _WIDTH - 2 * _MARGIN - 330
    height: float = 270.0

    def __post_init__(self) -> None:
        work = [row.work for row in self.rows if row.work]
        peaks = self._peaks()
        across = [each.intensity for each in work] + [peak.ridge for peak in peaks]
        up = [row.flops for row in self.rows if row.flops] + [peak.flops for peak in peaks]
        self.x0, self.x1 = math.floor(math.log10(min(across))), math.ceil(math.log10(max(across) * 2))
        self.y0, self.y1 = math.floor(math.log10(min(up))), math.ceil(math.log10(max(up) * 1.1))
        self.y0 = min(self.y0, self.y1 - 2)

    def _peaks(self) -> list[Peaks]:
        return list(dict.fromkeys(row.peaks for row in self.rows if row.peaks))

    def x(self, intensity: float) -> float:
        return self.left + self.width * (math.log10(intensity) - self.x0) / (self.x1 - self.x0)

    def y(self, flops: float) -> float:
        return self.top + 40 + self.height * (1 - (math.log10(flops) - self.y0) / (self.y1 - self.y0))

    def draw(self, canvas: Canvas, title: str, colours: dict[str, str]) -> float:
        """Returns where the next panel begins."""
        canvas.add(Words(_MARGIN, self.top + 16, f"roofline of {title}", 14, _INK, bold=True))
        said = "a ring is the least time its layers allow, a dot what it took; the number is the batch"
        canvas.add(Words(_MARGIN + width_of(f"roofline of {title}", 15) + 8, self.top + 16, said, 11, _GREY))
        self._axes(canvas)
        ranked = sorted(self._peaks(), key=lambda each: -each.flops)
        for peaks in ranked:
            self._roof(canvas, peaks, above=peaks is ranked[0])
        self._points(canvas, colours)
        return self.top + 40 + self.height + 50

    def _axes(self, canvas: Canvas) -> None:
        bottom = self.top + 40 + self.height
        for power in range(self.x0, self.x1 + 1):
            x = self.x(10.0**power)
            canvas.add(
                Line(((x, self.top + 40), (x, bottom)), _LIGHT), Words(x, bottom + 16, _plain(power), 10, _GREY, "middle")
            )
        for power in range(self.y0, self.y1 + 1):
            y = self.y(10.0**power)
            canvas.add(Line(((self.left, y), (self.left + self.width, y)), _LIGHT))
            canvas.add(Words(self.left - 6, y + 4, _power(power), 10, _GREY, "end"))
        canvas.add(Words(self.left + self.width / 2, bottom + 32, "flops for each byte moved", 11, _GREY, "middle"))

    def _roof(self, canvas: Canvas, peaks: Peaks, above: bool) -> None:
        """The slope of memory up to the ridge, the level of computing from there on."""
        start = max(10.0**self.x0, 10.0**self.y0 / peaks.bandwidth)
        points = ((start, start * peaks.bandwidth), (peaks.ridge, peaks.flops), (10.0**self.x1, peaks.flops))
        canvas.add(Line(tuple((self.x(x), self.y(y)) for x, y in points), _INK, 1.6))
        said = f"{peaks.device} {peaks.precision}: {rate(peaks.flops, 'FLOP/s')}, {rate(peaks.bandwidth, 'B/s')}"
        canvas.add(Words(self.left + self.width - 4, self.y(peaks.flops) + (-5 if above else 13), said, 10, _INK, "end"))

    def _points(self, canvas: Canvas, colours: dict[str, str]) -> None:
        """Lines below, then rings, then dots, so that no subject hides another's dot."""
        lines: list[Line] = []
        dots: list[Dot | Words] = []
        for row in self.rows:
            assert row.work is not None and row.peaks is not None and row.flops is not None
            colour = colours[row.subject.name]
            x, y = self.x(row.work.intensity), self.y(row.flops)
            bound = self.y(row.work.flops / row.work.seconds(row.peaks))
            lines.append(Line(((x, y), (x, bound)), _LINE, 1.2))
            dots.insert(0, Dot(x, bound, 3.5, _GREY, filled=False))
            dots += [Dot(x, y, 5, colour), Words(x + 8, y + 4, str(row.batch), 10, colour)]
        canvas.add(*lines, *dots)
        place, y = self.left + self.width + 24, self.top + 52
        for name in dict.fromkeys(row.subject.name for row in self.rows):
            canvas.add(Dot(place, y - 4, 5, colours[name]), Words(place + 12, y, _cut(name, 40), 11, _INK))
            y += 18


def _power(power: int) -> str:
    """10 ** power flops a second: `10 GFLOP/s`."""
    letters = {6: "M", 9: "G", 12: "T", 15: "P"}
    base = max([known for known in letters if known <= power], default=6)
    return f"{10.0 ** (power - base):g} {letters[base]}FLOP/s"


def _plain(power: int) -> str:
    return f"{10**power}" if power >= 0 else f"{10.0**power:g}"


__all__ = ["chart"]
