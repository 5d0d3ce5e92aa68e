"""What the process that measures and the processes of the subjects say to each other; pickled, over pipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convspec.bench.plan import Subject
from convspec.bench.roofline import Work
from convspec.runtime.base import About


@dataclass(frozen=True, slots=True)
class Open:
    """Load and prepare `subject`; its data lie in the `.npz` file `arrays`, in the order of the inputs.

    `sizes` has a value for every symbolic size of a spec.
    """

    subject: Subject
    arrays: str
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """Run again and again for `quantum` seconds, at least once."""

    quantum: float


@dataclass(frozen=True, slots=True)
class Outputs:
    """Write the outputs to the `.npz` file `path`."""

    path: str


@dataclass(frozen=True, slots=True)
class Usage:
    """How much memory has it taken?"""


@dataclass(frozen=True, slots=True)
class Opened:
    """It is ready, and has run once. `loading` is the seconds from the spec to the first result."""

    about: About
    loading: float
    work: Work | None
    """What it computes and moves; None for a compiled model."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be measured, and why. A bug in convspec has no code, and its traceback."""

    code: str
    message: str
    hint: str | None = None
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Seconds of each call, until its results were there; on a GPU with PyTorch also by the device's own events."""

    seconds: list[float]
    device_seconds: list[float] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The names of the outputs, in order."""

    names: list[str]


@dataclass(frozen=True, slots=True)
class Used:
    """Bytes: the most resident while it ran, the most ever, and the most of a GPU's memory that PyTorch reserved."""

    running: int | None
    ever: int | None
    device: int | None


__all__ = ["Open", "Opened", "Outputs", "Refused", "Sample", "Sampled", "Usage", "Used", "Written"]
