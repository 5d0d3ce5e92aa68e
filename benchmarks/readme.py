"""`python -m benchmarks.readme`: the README's table of speed, made anew from `benchmarks/results/`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.__main__ import RESULTS, SCRIPTS
from benchmarks.figures import Figure, read, short

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


def table() -> str:
    """What stands between the two marks: the machine, and a row for each figure that has a goal."""
    return "\n".join([BEGIN, *_lines(), END])


def _lines() -> Iterator[str]:
    measured = [name for name in SCRIPTS if (RESULTS / f"{name}.json").exists()]
    yield f"Measured on {_machines([name for name in measured if name != 'gpu']) or 'nothing yet'}."
    yield ""
    yield "| figure | measured | 95 % interval | goal | |"
    yield "|---|---:|---:|---:|---|"
    for name in measured:
        yield from (_row(figure) for figure in read(RESULTS / f"{name}.json") if figure.goal is not None)


def _machines(names: list[str]) -> str:
    """The machine of most scripts, then every other one with the scripts that ran there."""
    ran: dict[str, list[str]] = {}
    for name in names:
        ran.setdefault(_machine(RESULTS / f"{name}.json"), []).append(f"benchmarks/{name}.py")
    usual, *others = sorted(ran, key=lambda machine: -len(ran[machine])) or [""]
    return "; ".join([usual, *(f"{', '.join(ran[machine])} on {machine}" for machine in others)])


def _machine(path: Path) -> str:
    about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["machine"]
    return f"{about['processor']}, {about['cores']} cores, {about['system']}, Python {about['python']}"


def _row(figure: Figure) -> str:
    unit = f" {figure.unit}" if figure.unit else ""
    value = "–" if figure.verdict == "SKIPPED" else f"{short(figure.value)}{unit}"
    interval = f"{short(figure.interval[0])} – {short(figure.interval[1])}" if figure.interval else ""
    assert figure.goal is not None
    verdict = {"PASS": "met", "FAIL": "**missed**", "SKIPPED": "not measured here"}[figure.verdict]
    return f"| {figure.name} | {value} | {interval} | {figure.direction} {short(figure.goal)} | {verdict} |"


def renewed(text: str) -> str:
    """The README with its table as the results have it."""
    before, rest = text.split(BEGIN)
    return before + table() + rest.split(END)[1]


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(table() + "\n")
