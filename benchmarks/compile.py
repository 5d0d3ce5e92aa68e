"""ResNet-152 to an ONNX file, against building it in torch and exporting it.

Both sides start from a description (a spec, torchvision's Python) and end with a file of the network with freshly initialised
weights on the disk. torch exports with the defaults of `dynamo=True`, and fixed sizes, which it is faster at; convspec keeps
batch and picture size symbolic, and syncs its file. "The graph alone" writes the model against a file of weights that is there.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, figure, main, speedup
from convspec.bench.processes import compare_in_processes, fresh
from convspec.bench.timing import Comparison

SPEC = "zoo:resnet152"
TORCH, WHOLE, GRAPH, EMIT = (
    "torch.onnx.export",
    "convspec",
    "convspec, the graph alone",
    "convspec, the graph of a loaded network",
)


class Written:
    """A folder that goes when nobody holds this any more: after the clock was read."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="convspec-compile-"))

    def __del__(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def subjects() -> dict[str, Callable[[], object]]:
    """What is timed; each call reads the description again and writes to a folder of its own."""
    import convspec

    data = Written()
    convspec.load(SPEC).compile("onnx", data.path / "model.onnx", external_data=True)
    loaded = convspec.load(SPEC)

    def whole() -> object:
        written = Written()
        convspec.load(SPEC).compile("onnx", written.path / "model.onnx")
        return written

    def graph() -> object:
        convspec.load(SPEC).compile("onnx", data.path / "graph.onnx", reuse_data=data.path / "model.onnx.data")
        return data

    def emit() -> object:
        loaded.compile("onnx", data.path / "emitted.onnx", reuse_data=data.path / "model.onnx.data")
        return data

    return {WHOLE: whole, GRAPH: graph, EMIT: emit, TORCH: exporter()}


def exporter() -> Callable[[], object]:
    """Building ResNet-152 in torch, and exporting it."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    import torch

    models = torchvision_models()
    import_module("onnxscript")  # not in the first sample

    def export() -> object:
        written = Written()
        network = models.resnet152(weights=None).eval()
        example = torch.zeros(1, 3, 224, 224)
        torch.onnx.export(network, (example,), str(written.path / "model.onnx"), dynamo=True, verbose=False)
        return written

    return export


def torchvision_models() -> Any:
    """`torchvision.models`, imported where its compiled operators do not load, too: a CPU build of torch has no place for them,
    and the networks use none.
    """
    import torch

    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in ("nms(Tensor a, Tensor b, float c) -> Tensor", "qnms(Tensor a, Tensor b, float c) -> Tensor"):
        if not hasattr(torch.ops.torchvision, schema.partition("(")[0]):
            library.define(schema)
    return import_module("torchvision.models")


def gate() -> bool:
    """Whether `convspec verify` passes for what is written, and the graph alone is the model that is written with its data."""
    import onnx

    import convspec

    folder = Written()
    model, data = convspec.load(SPEC).compile("onnx", folder.path / "model.onnx", external_data=True)
    before = model.read_bytes()
    convspec.load(SPEC).compile("onnx", model, reuse_data=data)
    onnx.checker.check_model(str(model), full_check=True)
    return model.read_bytes() == before and convspec.load(SPEC).verify(["onnx"]).passed


def figures(quick: bool) -> list[Figure]:
    """Ratios of times, from three processes; in `--quick` from one round of one, and without verify."""
    verified = quick or bool(fresh("benchmarks.compile:gate").value)
    if quick:
        found = compare_in_processes("benchmarks.compile:subjects", processes=1, rounds=1, warmup=0, baseline=WHOLE)
    else:
        found = compare_in_processes(
            "benchmarks.compile:subjects", rounds=8, warmup=1, baseline=WHOLE, budget=60, least_rounds=3
        )  # fmt: skip
    note = "one round, not verified" if quick else ""
    return [
        _ratio("ResNet-152 to ONNX, seeded weights", found, WHOLE, 10, note, verified),
        _ratio("ResNet-152 to ONNX, the graph alone", found, GRAPH, 100, note, verified),
        _ratio("the same of a network that is loaded already", found, EMIT, None, note, verified),
    ]


def _ratio(name: str, found: Comparison, subject: str, goal: float | None, note: str, verified: bool) -> Figure:
    ours, theirs = found.seconds(subject), found.seconds(TORCH)
    times = f"{1000 * ours.value:.0f} ms against {1000 * theirs.value:.0f} ms"
    note = "; ".join(filter(None, (times, note)))
    if goal is None:
        estimate, noise = found.speedup(subject, TORCH), found.noise()
        interval, control = (estimate.low, estimate.high), noise.value if noise else None
        return figure(name, estimate.value, interval=interval, control=control, unit="x", note=note)
    return speedup(name, found, subject, goal, over=TORCH, note=note, verified=verified)


if __name__ == "__main__":
    sys.exit(main("compile", figures))
