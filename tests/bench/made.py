"""Results as a run would give them, made by hand: every state, known numbers."""

from __future__ import annotations

from convspec.bench.peaks import Peaks
from convspec.bench.plan import Source, Subject
from convspec.bench.results import Agreement, Memory, Results, Row, Table, Timing
from convspec.bench.roofline import Layer, Work
from convspec.bench.statistics import Estimate
from convspec.runtime.base import About

PEAKS = Peaks("CPU", "fp32", 1e11, 2e10, "measured here")
WORK = Work((Layer("conv1", "conv", 8_000_000_000, 200_000_000),), "fp32")
SOURCE = Source("nets/net<1>.cnn")
FIRST = Subject(SOURCE, "onnxruntime")
SECOND = Subject(SOURCE, "pytorch")
LOW = Subject(SOURCE, "openvino", precision="bf16")
MISSING = Subject(SOURCE, "tensorflow")


def row(subject: Subject, seconds: float, speedup: Estimate | None, calls: int = 150) -> Row:
    """Measured, with 5 % on each side."""
    near = Estimate(seconds, 0.95 * seconds, 1.05 * seconds)
    p99 = 1.2 * seconds if calls >= 100 else None
    verdict = None if speedup is None else "faster" if speedup.low > 1 else "slower" if speedup.high < 1 else "same"
    timing = Timing(near, 1.1 * seconds, p99, calls, None, speedup, verdict, FIRST.name)  # type: ignore[arg-type]
    agreed = None if speedup is None else Agreement(FIRST.name, "logits", 3e-7, 1e-4)
    about = About(subject.runtime, "1.2.3", "cpu", "Provider")
    return Row(subject, 8, "measured", about=about, loading=0.5, work=WORK, peaks=PEAKS, agreement=agreed, timing=timing,
               memory=Memory(300_000_000, 400_000_000))  # fmt: skip


def results(interrupted: bool = False) -> Results:
    """One table: the base, one that takes half the time, one that failed, one that is not installed."""
    rows = [
        row(FIRST, 0.1, None),
        row(SECOND, 0.05, Estimate(2.0, 1.9, 2.1), calls=50),
        Row(
            LOW, 8, "failed", f"its outputs are not those of {FIRST.name}", agreement=Agreement(FIRST.name, "logits", 0.32, 0.1)
        ),
        Row(MISSING, 8, "not run", "the runtime tensorflow is not installed", "CNN303", 'pip install "convspec[tensorflow]"'),
    ]
    table = Table(8, {SOURCE.title: "image [8, 3, 224, 224]"}, rows, Estimate(1.01, 0.99, 1.03), 50)
    machine = {"processor": "A <CPU>", "cpus": 2, "system": "Linux", "convspec": "0.1.0", "load": 0.5, "python": "3.11.7"}
    return Results([table], machine, "drawn from seed 0", interrupted=interrupted)
