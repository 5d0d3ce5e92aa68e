"""The table of a GPU: five networks at three batches on every runtime, with their share of the roofline, and the goals there.

It writes `benchmarks/results/gpu-<device>.json` after each part, and goes on from there when it is started again with the same
device, driver and versions; delete the file to begin anew. Where there is no NVIDIA GPU it measures nothing and says so.
`--device cpu` is a dry run of everything but the device: it shows that the script works, and its numbers mean nothing.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, figure, main, skipped
from convspec.bench.gpu import Gpu, gpu_at
from convspec.bench.plan import Source, Subject, parse_runtime
from convspec.bench.processes import ChildError, fresh
from convspec.bench.report import duration, number, percent, to_json
from convspec.bench.run import Request, bench
from convspec.diagnostics import Failure

RESULTS = Path(__file__).parent / "results"
NETWORKS = {
    "ResNet-50": "zoo:resnet50",
    "MobileNetV3-L": "zoo:mobilenet_v3_large",
    "EfficientNet-B0": "zoo:efficientnet_b0",
    "ConvNeXt-T": "zoo:convnext_tiny",
    "U-Net": "zoo:unet2d",
}
SIZES = {"U-Net": {"h": 1, "w": 1}}
"""Where the usual size (572x572) would not fit into a GPU at batch 256: pictures of 188x188."""
BATCHES = (1, 32, 256)
PACKAGES = ("torch", "onnxruntime-gpu", "onnxruntime", "tensorrt", "keras", "jax", "tensorflow", "openvino")
GOALS = {
    "roofline": "ResNet-50 in bf16 at batch 256: share of the roofline",
    "latency": "ResNet-50 at batch 1 with a CUDA graph: time",
    "graph": "ResNet-50 at batch 1: a CUDA graph against eager",
    "options": "ONNX Runtime CUDA, our options against its defaults: ResNet-50 at batch {batch}",
}
MAIN = "ResNet-50"
DEFAULTS, EAGER, JAX = "onnxruntime, default options", "pytorch, eager, bf16", "keras on jax, bf16"


def ways(spec: str, device: str) -> list[Subject]:
    """Every way to run a network. The first, ONNX Runtime as it comes (with TF32, its default), is the base of ratios."""
    source = Source(spec)
    found = [
        Subject(source, "onnxruntime", device, level=0, tf32=True, maker="benchmarks.gpu_ways:ort_defaults", title=DEFAULTS)
    ]
    found += [
        _way(source, device, "onnxruntime", "fp32"),
        _way(source, device, "onnxruntime", "fp32", tf32=True),
        _way(source, device, "onnxruntime:cuda_graph", "fp32", tf32=True),
        _way(source, device, "onnxruntime:cuda_graph", "fp16"),
        _way(source, device.replace("cuda", "tensorrt"), "onnxruntime", "fp16", title="tensorrt fp16 O2"),
        Subject(source, "pytorch", device, "bf16", 0, maker="benchmarks.gpu_ways:torch_eager", title=EAGER),
        _way(source, device, "pytorch", "bf16"),
        _way(source, device, "pytorch:compile", "bf16"),
        _way(source, device, "pytorch:cuda_graph", "bf16"),
        _way(source, device, "pytorch:compile+cuda_graph", "bf16"),
        Subject(source, "tensorflow", device, "bf16", 0, maker="benchmarks.gpu_ways:keras_jax", title=JAX),
    ]
    return found


def _way(source: Source, device: str, runtime: str, precision: str, tf32: bool = False, title: str = "") -> Subject:
    name, switches = parse_runtime(runtime)
    return Subject(source, name, device, precision, 2, tf32, switches=switches, title=title)


def figures(
    quick: bool,
    device: str = "cuda",
    networks: Mapping[str, str] = NETWORKS,
    batches: Sequence[int] = BATCHES,
    folder: Path = RESULTS,
) -> list[Figure]:
    """Measure what is not measured yet, and hold it to the goals."""
    gpu = Gpu("dry run on the CPU", "none", 0) if device == "cpu" else gpu_at(f"{device}:0")
    if gpu is None:
        return list(_no_gpu(batches))
    if quick:
        networks, batches = dict(list(networks.items())[:1]), batches[:2]
    path = folder / f"gpu-{slug(gpu.name)}{'-quick' if quick else ''}.json"
    found = _begin(path, gpu)
    for title, spec in networks.items():
        if title not in found["verified"]:
            found["verified"][title] = verified(spec, device)
            _keep(path, found)
        for batch in batches:
            key = f"{title} at batch {batch}"
            if key not in found["tables"]:
                found["tables"][key] = measure(ways(spec, device), batch, quick, SIZES.get(title, {}))
                _keep(path, found)
            print(shown(key, found["tables"][key]), file=sys.stderr, flush=True)
    held = list(goals(found, batches))
    return [replace(each, passed=None, note=f"a dry run: {each.note}") for each in held] if device == "cpu" else held


def _no_gpu(batches: Sequence[int]) -> Iterator[Figure]:
    why = "there is no NVIDIA GPU here (nvidia-smi finds none): not measured"
    yield skipped(GOALS["roofline"], why, 0.6)
    yield skipped(GOALS["latency"], why, 0.32, "at most")
    yield skipped(GOALS["graph"], why, 5.0)
    for batch in batches:
        yield skipped(GOALS["options"].format(batch=batch), why, 1.5)


def measure(subjects: Sequence[Subject], batch: int, quick: bool, sizes: Mapping[str, int]) -> dict[str, Any]:
    """One table, as `convspec bench --format json` writes it; with `refused` where nothing at all could run."""
    budget = 2.0 if quick else 10.0
    request = Request(subjects, [batch], sizes, rounds=10 if quick else 100, budget=budget, one_by_one=False)
    try:
        results = to_json(bench(request))
    except Failure as failure:
        return {"batch": batch, "rows": [], "noise": None, "refused": str(failure)}
    table: dict[str, Any] = results["tables"][0]
    return table


# ── Verify ───────────────────────────────────────────────────────────────────────────────────────────────────


def verified(spec: str, device: str) -> dict[str, bool]:
    """Whether `convspec verify` passes for what is measured, by target and precision, each in a process of its own."""
    wanted = [("onnx", "fp32"), ("onnx", "fp16"), ("pytorch", "bf16")]
    with ThreadPoolExecutor(len(wanted)) as pool:
        passed = pool.map(lambda each: _verify(spec, device, *each), wanted)
        return {f"{target} {precision}": found for (target, precision), found in zip(wanted, passed, strict=True)}


def _verify(spec: str, device: str, target: str, precision: str) -> bool:
    arguments = {"spec": spec, "device": device, "target": target, "precision": precision}
    try:
        return bool(fresh("benchmarks.gpu:passes", arguments, timeout=600).value)
    except ChildError as problem:
        print(f"verify of {spec} for {target} in {precision}: {problem}", file=sys.stderr)
        return False


def passes(spec: str, device: str, target: str, precision: str) -> bool:
    """`convspec verify SPEC --targets TARGET --optimize 2 --precision PRECISION --device DEVICE`."""
    from convspec import load

    return load(spec).verify([target], device=device, optimize=2, precision=precision).passed


# ── Goals ────────────────────────────────────────────────────────────────────────────────────────────────────


def goals(found: Mapping[str, Any], batches: Sequence[int]) -> Iterator[Figure]:
    """What was measured, held to the goals; a figure whose artifact verify did not pass fails."""
    verdicts = found["verified"].get(MAIN, {})
    bf16, fp32 = verdicts.get("pytorch bf16", False), verdicts.get("onnx fp32", False)
    yield _roofline(_rows(found, 256), bf16)
    alone = _rows(found, 1)
    yield from _graph(alone, bf16)
    for batch in batches:
        yield _options(_rows(found, batch), batch, fp32)


def _rows(found: Mapping[str, Any], batch: int) -> dict[str, Any]:
    """The rows of the main network that were measured, by name, with the table's noise under `noise`."""
    table = found["tables"].get(f"{MAIN} at batch {batch}", {"rows": []})
    rows = {row["name"]: row for row in table["rows"] if row["state"] == "measured"}
    noise = (table.get("noise") or {}).get("value")
    return {name: {**row, "noise": noise} for name, row in rows.items()}


def _roofline(rows: Mapping[str, Any], proved: bool) -> Figure:
    """The best of PyTorch's ways in bf16."""
    own = [
        row for row in rows.values() if row["runtime"] == "pytorch" and row["precision"] == "bf16" and row["roofline"]["share"]
    ]
    if not own:
        return skipped(GOALS["roofline"], "no way in bf16 was measured at batch 256 on a GPU whose peaks are known", 0.6)
    best = max(own, key=lambda row: row["roofline"]["share"])
    speed = best["timing"]["items_per_second"]["value"]
    note = f"{best['name']}, {number(speed)} images/s"
    return figure(GOALS["roofline"], best["roofline"]["share"], 0.6, control=best["noise"], note=note, verified=proved)


def _graph(rows: Mapping[str, Any], proved: bool) -> Iterator[Figure]:
    """The time with a graph, and how many times as fast as eager: the ratio of the medians, each over its own rounds."""
    graphs = [row for row in rows.values() if "cuda_graph" in row["switches"] and row["runtime"] == "pytorch"]
    if not graphs or EAGER not in rows:
        why = "no CUDA graph was measured at batch 1"
        yield skipped(GOALS["latency"], why, 0.32, "at most")
        yield skipped(GOALS["graph"], why, 5.0)
        return
    best = min(graphs, key=lambda row: row["timing"]["p50"])
    median = best["timing"]["median"]
    ends = (1000 * median["low"], 1000 * median["high"])
    yield figure(
        GOALS["latency"], 1000 * median["value"], 0.32, direction="at most", interval=ends, unit="ms", note=best["name"],
        verified=proved,
    )  # fmt: skip
    eager = rows[EAGER]["timing"]["p50"]
    yield figure(
        GOALS["graph"], eager / median["value"], 5.0, unit="x", control=best["noise"], note=best["name"], verified=proved
    )


def _options(rows: Mapping[str, Any], batch: int, proved: bool) -> Figure:
    """The best of our ways in TF32, which is what the defaults compute in, in pairs with them."""
    name = GOALS["options"].format(batch=batch)
    own = [row for row in rows.values() if row["runtime"] == "onnxruntime" and row["tf32"] and row["name"] != DEFAULTS]
    if not own or DEFAULTS not in rows:
        return skipped(name, "ONNX Runtime was not measured with its defaults and ours", 1.5)
    best = max(own, key=lambda row: row["timing"]["speedup"]["value"])
    ratio = best["timing"]["speedup"]
    ends = (ratio["low"], ratio["high"])
    return figure(name, ratio["value"], 1.5, interval=ends, unit="x", control=best["noise"], note=best["name"], verified=proved)


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────


def _begin(path: Path, gpu: Gpu) -> dict[str, Any]:
    """What an earlier run left, if it was on the same device with the same versions; else an empty one."""
    about = {"device": gpu.name, "driver": gpu.driver, "versions": versions()}
    if path.exists():
        before: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if before["about"] == about:
            return before
    return {"about": about, "verified": {}, "tables": {}}


def _keep(path: Path, found: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Of every package that takes part and is installed."""
    found = {}
    for name in ("convspec", *PACKAGES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def slug(name: str) -> str:
    """A device's name as part of a file's: `nvidia-h100-80gb-hbm3`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def shown(title: str, table: Mapping[str, Any]) -> str:
    """A table in text: a line for each way."""
    lines = [title]
    for row in table["rows"]:
        timing = row["timing"]
        if timing is None:
            lines.append(f"  {row['name']:<42} {row['state']}: {row['reason']}")
            continue
        ratio = timing["speedup"]["value"] if timing["speedup"] else 1.0
        share = percent(row["roofline"]["share"])
        speed = number(timing["items_per_second"]["value"])
        lines.append(
            f"  {row['name']:<42} {duration(timing['p50']):>9} {speed:>9} /s {ratio:6.2f} x {share:>7} of the roofline"
        )
    return "\n".join([*lines, *([table["refused"]] if table.get("refused") else [])])


def _figures_of(arguments: Sequence[str]) -> int:
    """The command line: that of every script, and `--device`."""
    rest, device = list(arguments), "cuda"
    if "--device" in rest:
        at = rest.index("--device")
        device = rest[at + 1]
        del rest[at : at + 2]
    return main("gpu", lambda quick: figures(quick, device), rest)


if __name__ == "__main__":
    sys.exit(_figures_of(sys.argv[1:]))
