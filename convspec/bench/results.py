"""What was measured: a row for each subject, a table for each batch."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from convspec.bench.peaks import Peaks
from convspec.bench.plan import Subject
from convspec.bench.roofline import Work
from convspec.bench.statistics import Estimate
from convspec.bench.timing import Verdict
from convspec.runtime.base import About
from convspec.version import VERSION

State: TypeAlias = Literal["measured", "failed", "not run"]
"""`failed`: its outputs are others than those of the subject it is held against. `not run`: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a subject's outputs are from the reference subject's: the worst scaled error, and what is allowed."""

    reference: str
    output: str
    error: float
    allowed: float

    @property
    def holds(self) -> bool:
        return self.error <= self.allowed

    def to_json(self) -> dict[str, Any]:
        error = self.error if self.error != float("inf") else None
        return {"reference": self.reference, "output": self.output, "error": error, "allowed": self.allowed}


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of one subject. Seconds; quantiles are None where there were too few calls."""

    seconds: Estimate
    p95: float | None
    p99: float | None
    calls: int
    device_seconds: float | None
    """The median by the events of the device, where it is a GPU and PyTorch runs."""
    speedup: Estimate | None
    """Over `base`; None for the base itself."""
    verdict: Verdict | None
    base: str


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `running`: the most resident in the subject's process while it ran; `ever`: with loading; `device`: of the GPU."""

    running: int | None = None
    ever: int | None = None
    device: int | None = None


@dataclass(slots=True)
class Row:
    """One subject at one batch. A row that was not measured has no times, and says why."""

    subject: Subject
    batch: int = 1
    state: State = "not run"
    reason: str = ""
    code: str = ""
    hint: str | None = None
    trace: str = ""
    """Of a bug."""
    about: About | None = None
    loading: float | None = None
    """Seconds from the spec to the first result, imports included."""
    work: Work | None = None
    peaks: Peaks | None = None
    agreement: Agreement | None = None
    timing: Timing | None = None
    memory: Memory = Memory()

    @property
    def flops(self) -> float | None:
        """Achieved floating-point operations a second."""
        return self.work.flops / self.timing.seconds.value if self.work and self.timing else None

    @property
    def bandwidth(self) -> float | None:
        """Bytes a second that it moved at least."""
        return self.work.bytes / self.timing.seconds.value if self.work and self.timing else None

    @property
    def roofline(self) -> float | None:
        """The roofline time as a share of the time it took."""
        if self.work is None or self.peaks is None or self.timing is None:
            return None
        return self.work.seconds(self.peaks) / self.timing.seconds.value


@dataclass(slots=True)
class Table:
    """All subjects at one batch, which ran in turn. `noise` is the ratio of the first to itself in another process."""

    batch: int
    shapes: Mapping[str, str]
    """The shapes of the inputs, by the title of the network."""
    rows: list[Row]
    noise: Estimate | None = None
    rounds: int = 0

    @property
    def measured(self) -> list[Row]:
        return [row for row in self.rows if row.state == "measured"]


@dataclass(slots=True)
class Results:
    """Everything, with the machine it was measured on."""

    tables: list[Table]
    machine: Mapping[str, Any]
    weights: str
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False

    @property
    def rows(self) -> list[Row]:
        return [row for table in self.tables for row in table.rows]

    @property
    def agreed(self) -> bool:
        """Whether no subject computed something else than the others."""
        return all(row.state != "failed" for row in self.rows)


def machine() -> dict[str, Any]:
    """What a reader needs to judge times: system, processor, CPUs that may be used, versions."""
    from convspec.bench.peaks import available_cpus

    return {
        "system": platform.system(),
        "processor": processor(),
        "cpus": available_cpus(),
        "python": platform.python_version(),
        "convspec": VERSION,
        "load": load(),
    }


def processor() -> str:
    """The name of the processor, as the system tells it."""
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def load() -> float | None:
    """How many programs wanted a CPU in the last minute, as an average; None where the system does not tell."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


__all__ = ["Agreement", "Memory", "Results", "Row", "State", "Table", "Timing", "load", "machine", "processor"]
