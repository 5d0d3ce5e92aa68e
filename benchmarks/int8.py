"""int8 against float32 on ONNX Runtime: ResNet-50 and MobileNetV2, one picture at a time, and what int8 loses.

float32 is the model that torch exports of the same network with the same weights. Both sides have ONNX Runtime's full
optimisation and its own choice of threads. The int8 model is what `convspec compile --optimize 1 --precision int8 --calibrate`
writes. There are no trained weights here: they are drawn so that every layer matters, and the pictures are noise with the
spectrum of natural ones. A figure counts only where `convspec verify` passes for the float32 network at that level, where the
exported model computes the same, and where int8 agrees with it on pictures that it was not calibrated with.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, figure, main, skipped, speedup
from convspec.bench.processes import compare_in_processes, fresh
from convspec.ir.types import Array

GOALS = {"resnet50": 2.5, "mobilenet_v2": 1.6}
NAMES = {"resnet50": "ResNet-50", "mobilenet_v2": "MobileNetV2"}
INT8, EXPORTED, OURS = "int8", "float32, exported by torch", "float32, convspec"
LEAST_COSINE = 0.99
MOST_APART = 1e-4
"""How far the exported model may be from ours in float32, as a share of the largest output."""


def pictures(count: int) -> Array:
    """Coloured noise whose power falls with the square of the frequency, as in natural pictures; seeded; each normalised."""
    import numpy as np

    generator = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(224)[:, None], np.fft.rfftfreq(224)[None])
    frequency[0, 0] = 1 / 224
    spectrum = np.fft.rfft2(generator.standard_normal((count, 3, 224, 224))) / frequency
    waves = np.fft.irfft2(spectrum, (224, 224))
    waves -= waves.mean((1, 2, 3), keepdims=True)
    found: Array = (waves / waves.std((1, 2, 3), keepdims=True)).astype(np.float32)
    return found


def prepare(name: str, folder: str, quick: bool) -> dict[str, Any]:
    """Write both models and ours in float32 into `folder`; what int8 loses, and whether the artifacts may be measured."""
    import numpy as np
    import onnxruntime

    import convspec
    from convspec.precision import quantise
    from convspec.precision.calibration import split
    from convspec.weights.randomised import randomised

    module = convspec.load(f"zoo:{name}").module
    net = convspec.load(f"zoo:{name}", weights=randomised(module.graph, 0))
    optimised = net.optimise(1, "onnx")
    place = Path(folder)
    optimised.compile("onnx", place / "ours.onnx")
    shown = pictures(10 if quick else 50)
    (given,) = [item.value.name for item in module.graph.inputs]
    made = quantise(optimised.module, optimised.weights, split([{given: picture[None]} for picture in shown]))
    (place / "int8.onnx").write_bytes(made.model)
    _export(net, place / "exported.onnx")
    ours, theirs = (
        onnxruntime.InferenceSession(str(place / f"{kind}.onnx"), providers=["CPUExecutionProvider"]).run(
            None, {feed: shown[:1]}
        )
        for kind, feed in (("ours", given), ("exported", "x"))
    )
    apart = float(np.abs(ours[0] - theirs[0]).max() / np.abs(theirs[0]).max())
    verified = quick or net.verify(["onnx"], optimize=1).passed
    accuracy = made.report.accuracy[0]
    return {
        "verified": bool(verified) and apart <= MOST_APART and accuracy.cosine >= LEAST_COSINE,
        "cosine": accuracy.cosine,
        "text": f"{accuracy.text()}; exported and ours differ by {apart:.0e}",
    }


def _export(net: Any, path: Path) -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    import torch

    example = torch.zeros(1, 3, 224, 224)
    torch.onnx.export(net.to_torch(), (example,), str(path), dynamo=True, verbose=False, input_names=["x"])


def subjects(folder: str) -> dict[str, Callable[[], object]]:
    """What is timed: one picture through each model."""
    import onnxruntime

    picture = pictures(1)

    def runner(kind: str) -> Callable[[], object]:
        session = onnxruntime.InferenceSession(str(Path(folder) / f"{kind}.onnx"), providers=["CPUExecutionProvider"])
        feed = {session.get_inputs()[0].name: picture}
        return lambda: session.run(None, feed)

    return {INT8: runner("int8"), EXPORTED: runner("exported"), OURS: runner("ours")}


def figures(quick: bool) -> list[Figure]:
    """Ratios for both networks, from three processes; in `--quick` a few rounds of the smaller in one, and without verify."""
    found = []
    for name, goal in GOALS.items():
        if quick and name == "resnet50":
            found.append(skipped(_label(name), "too large for --quick", goal))
            continue
        with tempfile.TemporaryDirectory(prefix="convspec-int8-") as folder:
            told = fresh("benchmarks.int8:prepare", {"name": name, "folder": folder, "quick": quick}).value
            counts = {"processes": 1, "rounds": 5, "warmup": 1} if quick else {"rounds": 40, "warmup": 3, "budget": 20.0}
            comparison = compare_in_processes("benchmarks.int8:subjects", {"folder": folder}, baseline=EXPORTED, **counts)
        ours, theirs = comparison.seconds(INT8), comparison.seconds(EXPORTED)
        note = f"{1000 * ours.value:.1f} ms against {1000 * theirs.value:.1f} ms; {told['text']}"
        found.append(speedup(_label(name), comparison, INT8, goal, note=note, verified=told["verified"]))
        found.append(figure(f"{NAMES[name]} in int8: cosine of its outputs and those of float32", told["cosine"], LEAST_COSINE))
    return found


def _label(name: str) -> str:
    return f"{NAMES[name]} in int8 against float32, ONNX Runtime, CPU"


if __name__ == "__main__":
    sys.exit(main("int8", figures))
