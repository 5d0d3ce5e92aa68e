"""What a benchmark script says: a figure, its goal, whether it is met, and how sure that is."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from convspec.bench.timing import Comparison

Direction: TypeAlias = Literal["at least", "at most"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `figure` below makes one that is held to its goal.

    `passed` is None where nothing is asked of it (a floor, a time for orientation), or where it could not be measured: then
    `value` is NaN and `note` says why. A figure whose artifact did not pass verify has `passed` False, whatever its value.
    """

    name: str
    value: float
    goal: float | None = None
    passed: bool | None = None
    interval: tuple[float, float] | None = None
    """The 95 % interval of `value`."""
    control: float | None = None
    """The A/A ratio of the same rounds: the baseline against itself, which would be 1 on a quiet machine."""
    unit: str = ""
    """`x` for a ratio, `MB`, `s`, …"""
    note: str = ""
    direction: Direction = "at least"

    def __str__(self) -> str:
        """One line: `PASS  resnet152 to ONNX  18.2 x [17.8, 18.9], at least 10 (control 1.004)  note`."""
        parts = [f"{self.verdict:<7} {self.name:<58}"]
        parts.append("not measured" if math.isnan(self.value) else " ".join(filter(None, (short(self.value), self.unit))))
        if self.interval is not None:
            parts.append(f"[{short(self.interval[0])}, {short(self.interval[1])}]")
        if self.goal is not None:
            parts.append(f"({self.direction} {short(self.goal)})")
        if self.control is not None:
            parts.append(f"control {self.control:.3f}")
        if self.note:
            parts.append(f"· {self.note}")
        return " ".join(parts)

    @property
    def verdict(self) -> str:
        """PASS, FAIL, or nothing where no goal was held to it; SKIPPED where a figure with a goal could not be measured."""
        if self.passed is None:
            return "SKIPPED" if self.goal is not None else ""
        return "PASS" if self.passed else "FAIL"


def figure(
    name: str,
    value: float,
    goal: float | None = None,
    *,
    direction: Direction = "at least",
    interval: tuple[float, float] | None = None,
    control: float | None = None,
    unit: str = "",
    note: str = "",
    verified: bool = True,
) -> Figure:
    """A figure held to its goal. `verified` False: `convspec verify` did not pass for what was measured, so it fails."""
    passed = None
    if goal is not None and not math.isnan(value):
        passed = value >= goal if direction == "at least" else value <= goal
    if not verified:
        passed, note = False, "; ".join(filter(None, ("verify did not pass", note)))
    return Figure(name, value, goal, passed, interval, control, unit, note, direction)


def speedup(
    name: str,
    comparison: Comparison,
    subject: str,
    goal: float | None = None,
    *,
    over: str | None = None,
    note: str = "",
    verified: bool = True,
) -> Figure:
    """How many times as fast as the baseline (or as `over`) `subject` was, with its interval and the A/A control."""
    found, noise = comparison.speedup(subject, over), comparison.noise()
    return figure(
        name, found.value, goal, interval=(found.low, found.high), control=noise.value if noise else None, unit="x",
        note=note, verified=verified,
    )  # fmt: skip


def skipped(name: str, why: str, goal: float | None = None, direction: Direction = "at least") -> Figure:
    """A figure that cannot be measured here."""
    return Figure(name, math.nan, goal, None, note=why, direction=direction)


def render(figures: Iterable[Figure]) -> str:
    """A line for each figure."""
    return "\n".join(str(each) for each in figures)


def machine() -> dict[str, Any]:
    """What the figures were measured on: without its name, which says nothing to others."""
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "python": platform.python_version(),
    }


def write(path: str | Path, figures: Sequence[Figure], about: Mapping[str, Any] | None = None) -> None:
    """Figures as JSON, with the machine and what else `about` tells. NaN is written as null."""
    rows = [{key: _plain(value) for key, value in asdict(each).items()} for each in figures]
    text = json.dumps({"machine": machine(), **(about or {}), "figures": rows}, indent=1, ensure_ascii=False, allow_nan=False)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text + "\n", encoding="utf-8")


def read(path: str | Path) -> list[Figure]:
    """The figures of a file that `write` wrote."""
    rows = json.loads(Path(path).read_text(encoding="utf-8"))["figures"]
    return [Figure(**{**row, "value": _number(row["value"]), "interval": _pair(row["interval"])}) for row in rows]


def main(name: str, figures: Any, arguments: Sequence[str] | None = None) -> int:
    """The command line of a script: `--quick` and `--json FILE`. `figures` is its function. 1 where a figure failed."""
    import argparse

    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it works, not to state the numbers")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    given = parser.parse_args(arguments)
    found = figures(given.quick)
    print(render(found))
    if given.json:
        write(given.json, found, {"benchmark": name, "quick": given.quick})
    return 1 if any(each.passed is False for each in found) else 0


def short(value: float) -> str:
    """Three digits that count: 18.2, 0.973, 1,234."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _pair(value: Sequence[float] | None) -> tuple[float, float] | None:
    return None if value is None else (value[0], value[1])


def _processor() -> str:
    """The CPU's model as the system names it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


__all__ = ["Direction", "Figure", "figure", "machine", "main", "read", "render", "short", "skipped", "speedup", "write"]
