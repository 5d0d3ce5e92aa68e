"""Compiled models on ONNX Runtime's CPU provider, against the models that torch exports of the same networks and weights.

Both run with full graph optimisation on one thread each, since the threads of an idle session go on spinning beside the other,
one input at a time, and both keep their weights in a file beside the model, as torch does by itself. Ours is what `convspec
compile --target onnx --optimize 2 --sizes N=1,…` writes; theirs is `torch.onnx.export(dynamo=True)` of our module, which has
folded the batch norms too. Weights are drawn so that every layer matters. A figure counts only where `convspec verify
--optimize 2` passes and both models compute the same.

`python -m benchmarks.runtimes --zoo FILE` measures every network of the zoo, one after another, into FILE; begun again, it goes
on with those that FILE lacks. `--most GMACS` leaves out larger ones, and says how many.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
import tempfile
import timeit
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, figure, machine, main, skipped, speedup
from convspec.bench.processes import ChildError, compare_in_processes, fresh
from convspec.bench.timing import Comparison
from convspec.ir.types import Array

RESULTS = Path(__file__).parent / "results" / "zoo.json"
LEAST = 0.97
MOST_APART = 1e-4
"""How far both models may be apart, as a share of the largest output."""
OURS, THEIRS = "convspec", "exported by torch"
RUN = {
    "ResNet50": LEAST, "EfficientNetB0": LEAST, "RepVGGB0": 1.12, "MobileNetV2": LEAST, "MobileNetV3Large": LEAST,
    "ShuffleNetV2_x1_0": LEAST, "DenseNet121": LEAST, "InceptionV3": LEAST, "ConvNeXtTiny": LEAST, "GoogLeNet": LEAST,
}  # fmt: skip
"""Networks that are measured each time, by the least ratio."""
LOAD = {"ResNet50": 1.2, "EfficientNetB0": 1.2}
SEEDS = {"SegNet": 3}
"""Where weights are not drawn from seed 0: SegNet puts values back where maxima were, and with seed 0 two of those are equal
but for rounding. A value then jumps to a neighbour: torch's own export is 1e-2 from torch, without graph optimisation.
"""


def inputs(net: Any) -> dict[str, Array]:
    """One item of data: noise, or small indices."""
    import numpy as np

    generator = np.random.default_rng(0)
    found: dict[str, Array] = {}
    for item in net.module.graph.inputs:
        shape = item.value.type.shape
        is_float = item.value.type.dtype == "float32"
        data = generator.standard_normal(shape) if is_float else generator.integers(0, 2, shape)
        found[item.value.name] = data.astype(item.value.type.dtype)
    return found


def network(name: str) -> Any:
    """The network of the zoo with drawn weights, at the sizes that the zoo states its cost at: torch exports one size alone."""
    import convspec
    from convspec.weights.randomised import randomised
    from convspec.zoo.catalogue import networks
    from convspec.zoo.index import sizes_of

    (library,) = {each.library for each in networks() if each.name == name}
    module = convspec.load(library, name).module
    return convspec.load(library, name, weights=randomised(module.graph, SEEDS.get(name, 0)), sizes=sizes_of(module))


def prepare(name: str, folder: str, verify: bool) -> dict[str, Any]:
    """Write both models into `folder`; whether they may be measured, and how far apart they are."""
    import numpy as np
    import onnxruntime

    net, place = network(name), Path(folder)
    data = inputs(net)
    net.compile("onnx", place / "ours.onnx", optimize=2, external_data=True)
    _export(net, data, place / "theirs.onnx")
    np.savez(place / "data.npz", **data)  # type: ignore[arg-type]
    results = []
    for kind in ("ours", "theirs"):
        session = onnxruntime.InferenceSession(str(place / f"{kind}.onnx"), providers=["CPUExecutionProvider"])
        results.append(session.run(None, _feeds(session, data)))
    apart = max(float(np.abs(one - two).max() / (np.abs(two).max() or 1.0)) for one, two in zip(*results, strict=True))
    passed = not verify or net.verify(["onnx"], optimize=2).passed
    run = running(folder)[OURS]
    seconds = min(timeit.repeat(run, number=1, repeat=5))
    return {"apart": apart, "verified": bool(passed) and apart <= MOST_APART, "seconds": seconds}


def _export(net: Any, data: Mapping[str, Array], path: Path) -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    import torch

    examples = tuple(torch.from_numpy(array) for array in data.values())
    torch.onnx.export(net.to_torch(), examples, str(path), dynamo=True, verbose=False)


def _feeds(session: Any, data: Mapping[str, Array]) -> dict[str, Array]:
    """Another tool may call the inputs something else; their order is the same."""
    return {given.name: array for given, array in zip(session.get_inputs(), data.values(), strict=True)}


def running(folder: str) -> dict[str, Callable[[], object]]:
    """One run of each model."""
    import numpy as np

    with np.load(Path(folder) / "data.npz") as stored:
        data = {name: stored[name] for name in stored.files}

    def runner(kind: str) -> Callable[[], object]:
        session = _session(Path(folder) / f"{kind}.onnx")
        feeds = _feeds(session, data)
        return lambda: session.run(None, feeds)

    return {OURS: runner("ours"), THEIRS: runner("theirs")}


def loading(folder: str) -> dict[str, Callable[[], object]]:
    """Making a session of each model."""
    return {OURS: lambda: _session(Path(folder) / "ours.onnx"), THEIRS: lambda: _session(Path(folder) / "theirs.onnx")}


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def figures(quick: bool) -> list[Figure]:
    """The named networks, loading, and the slowest of the zoo where that was measured; `quick`: two, and without verify."""
    found: list[Figure] = []
    for name, goal in RUN.items():
        if quick and name not in ("MobileNetV3Large", "RepVGGB0"):
            continue
        found += _network(name, goal, quick)
    return [*found, _zoo()]


def _network(name: str, goal: float, quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="convspec-runtimes-") as folder:
        told = fresh("benchmarks.runtimes:prepare", {"name": name, "folder": folder, "verify": not quick}).value
        ran = _compare("running", folder, 1 if quick else 3, 5.0, _calls(told))
        label = f"{name} on ONNX Runtime, CPU, against torch's export"
        note = f"outputs differ by {told['apart']:.0e}"
        found = [speedup(label, ran, OURS, goal, verified=told["verified"], note=note)]
        if name in LOAD and not quick:
            loaded = _compare("loading", folder, 3, 5.0)
            found.append(speedup(f"{name} loads, against torch's export", loaded, OURS, LOAD[name], verified=told["verified"]))
    return found


SHORTEST = 0.02
"""Seconds that a sample takes at least: a small network runs for less than the system may interrupt it."""


def _calls(told: Mapping[str, Any]) -> int:
    return max(1, math.ceil(SHORTEST / float(told["seconds"])))


def _compare(subjects: str, folder: str, processes: int, budget: float, calls: int = 1) -> Comparison:
    return compare_in_processes(
        f"benchmarks.runtimes:{subjects}",
        {"folder": folder},
        processes=processes,
        rounds=40,
        warmup=2,
        baseline=THEIRS,
        budget=budget,
        calls=calls,
    )


# ── every network of the zoo ─────────────────────────────────────────────────────────────────────────────────


def _zoo() -> Figure:
    """What `--zoo` found last: the least ratio of all networks, and of how many."""
    title = "the slowest network of the zoo, against torch's export"
    if not RESULTS.exists():
        return skipped(title, "python -m benchmarks.runtimes --zoo benchmarks/results/zoo.json measures it", LEAST)
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))
    measured = {name: row for name, row in rows.items() if row.get("ratio")}
    name, slowest = min(measured.items(), key=lambda each: float(each[1]["ratio"]))
    verified = all(row["verified"] for row in measured.values())
    where = Counter(str(row["processor"]) for row in measured.values()).most_common()
    each = f" ({', '.join(f'{count} on {processor}' for processor, count in where)})" if len(where) > 1 else ""
    title = f"the slowest of {len(measured)} networks of the zoo{each}, against torch's export"
    note = f"{name}; {len(rows) - len(measured)} could not be exported or measured"
    return figure(title, slowest["ratio"], LEAST, interval=tuple(slowest["interval"]), unit="x", note=note, verified=verified)


def measure_zoo(path: Path, most: float) -> None:
    """Add to `path` every network that it lacks and that is no larger than `most` GMACs."""
    from convspec.zoo.catalogue import networks

    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    for each in sorted(networks(), key=lambda known: known.macs):
        if each.name in rows:
            continue
        if each.macs > most * 1e9:
            print(f"{each.name}: left out, {each.macs / 1e9:.0f} GMACs")
            continue
        rows[each.name] = _row(each.name)
        print(each.name, rows[each.name], flush=True)
        path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


ROUNDS = 8
"""How often a process runs each of the two, and ours once more as the control, at least: a slow network needs more time."""


def _row(name: str) -> dict[str, Any]:
    try:
        with tempfile.TemporaryDirectory(prefix="convspec-runtimes-") as folder:
            told = fresh("benchmarks.runtimes:prepare", {"name": name, "folder": folder, "verify": True}).value
            compared = _compare("running", folder, 2, max(3.0, ROUNDS * 3 * told["seconds"]), _calls(told))
    except ChildError as problem:  # what torch cannot export
        return {"ratio": None, "reason": str(problem).strip().splitlines()[-1][:200]}
    ratio, noise = compared.speedup(OURS), compared.noise()
    control = noise.value if noise else None
    row = {"ratio": ratio.value, "interval": [ratio.low, ratio.high], "control": control, **told}
    return {**row, "processor": machine()["processor"]}


def _command() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runtimes", add_help=False)
    parser.add_argument("--zoo", metavar="FILE", type=Path)
    parser.add_argument("--most", metavar="GMACS", type=float, default=20.0)
    given, rest = parser.parse_known_args()
    if given.zoo is None:
        return main("runtimes", figures, rest)
    measure_zoo(given.zoo, given.most)
    return 0


if __name__ == "__main__":
    sys.exit(_command())
