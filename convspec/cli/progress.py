"""How far a run over pictures is, on stderr: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

FIRST_LINE, NEXT_LINE = 10.0, 60.0
"""Seconds until the first line that is no bar, and between lines."""


class Progress:
    """Told how many of `total` pictures are done; shows that, pictures a second, and the time that is left."""

    def __init__(self, total: int, done: int) -> None:
        self.total, self.first, self.done = total, done, done
        self._began = time.monotonic()
        self._next = self._began + FIRST_LINE
        self._bar: Any = None

    @property
    def seconds(self) -> float:
        return max(1e-9, time.monotonic() - self._began)

    @property
    def speed(self) -> float:
        """Pictures a second, since this run began or was continued."""
        return (self.done - self.first) / self.seconds

    def __enter__(self) -> Progress:
        if sys.stderr.isatty() and self.total - self.done > 1:
            self._bar = _bar()
            self._task = self._bar.add_task("", total=self.total, completed=self.done, speed="", errors="")
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, errors: int) -> None:
        """`done` pictures have been run, `errors` of which could not be."""
        self.done = done
        failed = f"{errors:,} could not be run" if errors else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, speed=f"{self.speed:,.0f} a second", errors=failed)
        elif time.monotonic() >= self._next and done < self.total:
            self._next = time.monotonic() + NEXT_LINE
            left = span((self.total - done) / max(self.speed, 1e-9))
            text = f"{done:,} of {self.total:,} pictures, {self.speed:,.1f} a second, {left} left"
            sys.stderr.write(f"{text}, {failed}\n" if failed else f"{text}\n")
            sys.stderr.flush()

    def summary(self) -> None:
        """What it took, where somebody may have waited for it."""
        if self._bar is not None or self.seconds >= FIRST_LINE:
            sys.stderr.write(f"{self.done - self.first:,} pictures in {span(self.seconds)}, {self.speed:,.1f} a second\n")


def span(seconds: float) -> str:
    """`12 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[errors]}"),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
