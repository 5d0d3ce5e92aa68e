"""The most memory that compiling ResNet-152 takes, each in a process that does nothing else, against torch's export of it."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.figures import Figure, figure, main, skipped
from convspec.bench.processes import Fresh, fresh

SPEC = "zoo:resnet152"
GOAL = 150
"""MB for a file of 240 MB."""


def imports() -> None:
    """What compiling to ONNX cannot do without."""
    import numpy as np
    import onnx

    assert onnx.__version__ and np.__version__


def compile_to(target: str, weights: str | None = None) -> int:
    """Compile with seeded weights, or with those of a file; the bytes that were written."""
    import convspec
    from benchmarks.compile import Written

    folder = Written()
    written = convspec.load(SPEC, weights=weights).compile(target, folder.path)
    return sum(path.stat().st_size for path in written)


def export() -> None:
    """torch's own."""
    from benchmarks.compile import exporter

    exporter()()


def save_weights(path: str) -> None:
    """A weights file to compile with."""
    import convspec

    convspec.load(SPEC).save_weights(path)


def figures(quick: bool) -> list[Figure]:
    """Megabytes of 10**6 bytes, as the system counts them for the process."""
    from benchmarks.compile import Written

    folder = Written()
    weights = str(Path(folder.path) / "w.safetensors")
    fresh("benchmarks.memory:save_weights", {"path": weights})
    verified = quick or bool(fresh("benchmarks.compile:gate").value)
    runs: dict[str, Fresh] = {
        "numpy and onnx imported, nothing done": fresh("benchmarks.memory:imports"),
        "ResNet-152 to ONNX, seeded weights": fresh("benchmarks.memory:compile_to", {"target": "onnx"}),
        "the same with the weights of a file": fresh("benchmarks.memory:compile_to", {"target": "onnx", "weights": weights}),
        "ResNet-152 to PyTorch": fresh("benchmarks.memory:compile_to", {"target": "pytorch"}),
        "ResNet-152 to Keras": fresh("benchmarks.memory:compile_to", {"target": "tensorflow"}),
        "torch.onnx.export of ResNet-152": fresh("benchmarks.memory:export"),
    }
    return [_row(name, run, GOAL if "seeded" in name or "of a file" in name else None, verified) for name, run in runs.items()]


def _row(name: str, run: Fresh, goal: float | None, verified: bool) -> Figure:
    name = f"peak memory: {name}"
    if run.peak is None:
        return skipped(name, "the system does not tell", goal, "at most")
    note = f"{run.value / 1e6:.0f} MB written" if run.value else ""
    return figure(name, run.peak / 1e6, goal, direction="at most", unit="MB", note=note, verified=verified or goal is None)


if __name__ == "__main__":
    sys.exit(main("memory", figures))
