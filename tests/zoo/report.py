"""Holds every network of the zoo on every target with `convspec verify`, and writes what came out to docs/zoo.md.

`make zoo` runs it; a network whose spec is as it was when it passed is not run again (its outcome lies in build/zoo).
`python -m tests.zoo.report --only resnet50 vgg11` runs a few. The smallest network of each file is held with its gradients.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from traceback import format_exc
from typing import Any

import convspec
from convspec.version import VERSION
from convspec.zoo import Network, find, networks

ROOT = Path(__file__).parent.parent.parent
RESULTS = ROOT / "build" / "zoo"
PAGE = ROOT / "docs" / "zoo.md"
TARGETS = ("onnx", "pytorch", "tensorflow")
FEW = 8
LIGHT = 5_000_000_000
"""Multiply-accumulates up to which gradients in float64, several times a forward pass, are held in reasonable time."""

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def smallest(among: Iterable[Network]) -> set[str]:
    """The network of each file with the fewest multiply-accumulates, where these are few: held with its gradients."""
    found: dict[str, Network] = {}
    for network in among:
        if network.library not in found or network.macs < found[network.library].macs:
            found[network.library] = network
    return {network.name for network in found.values() if network.macs <= LIGHT}


def key(network: Network) -> str:
    """Changes with every file that the network is made of."""
    files = convspec.load(f"zoo:{network.name}").module.files
    return sha256("\n".join(file.span.file.text for file in files).encode()).hexdigest()


def verified(name: str, gradients: bool) -> dict[str, Any]:
    """What verify says of a network, from the last run if the spec has not changed since."""
    network = find(name)
    path, now = RESULTS / f"{name}.json", key(network)
    if path.exists():
        known: dict[str, Any] = json.loads(path.read_text())
        if known["key"] == now and known["gradients"] >= gradients and known["passed"]:
            return known
    try:
        report = convspec.load(f"zoo:{name}").verify(gradients=gradients)
        result = {"key": now, "gradients": gradients, "passed": report.passed, "report": report.to_json()}
    except Exception:  # one network that breaks must not hide what the others do; the trace is kept and it counts as failed
        result = {"key": now, "gradients": gradients, "passed": False, "report": {"rows": [], "notes": [format_exc()]}}
    RESULTS.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result))
    print(f"{name}: {'passed' if result['passed'] else 'FAILED'}", flush=True)
    return result


def cells(network: Network, result: dict[str, Any]) -> list[str]:
    """A row of the page."""
    rows = result["report"].get("rows", [])
    errors = [_worst(row for row in rows if _is_forward(row, target)) for target in TARGETS]
    gradients = [row for row in rows if "gradients" in row["quantity"]]
    shown = _worst(gradients) if result["gradients"] else ""
    sizes = f"{network.macs / 1e9:,.3g} G"
    facts = [network.name, f"`{network.library}`", network.paper, f"{network.parameters:,}", sizes, network.receptive_field]
    return [*facts, *errors, shown]


def _is_forward(row: dict[str, Any], target: str) -> bool:
    return (row["target"], row["precision"], row["quantity"]) == (target, "float32", "outputs")


def _worst(rows: Iterable[dict[str, Any]]) -> str:
    """The largest error for its gate, with what became of it where that is not a pass."""
    found = list(rows)
    if not found or any(row["status"] == "not run" for row in found):
        return "not run"
    states = {row["status"] for row in found} - {"pass"}
    worst = max(float(row["error"] or 0) for row in found)
    return f"{worst:.0e}" + "".join(f" ({state})" for state in sorted(states))


HEAD = ("network", "file", "paper", "parameters", "MACs", "receptive field", *TARGETS, "gradients")

INTRODUCTION = f"""\
# The zoo

Published networks as specs, shipped with the package: `convspec zoo list` shows them, `convspec zoo show resnet50` one of them,
`convspec zoo get resnet50 -o my.cnn` gives you its file, and every command takes `zoo:resnet50` for a spec.

Parameters are the learnable elements, which each spec asserts. MACs are multiply-accumulates of one example at the input that
`convspec zoo show` names, in thousands of millions; the receptive field is that of the last layer that still has space.

The last columns are the last output of `make zoo`: `convspec verify` on each network, version {VERSION}. For each target,
the largest scaled error of its outputs in float32 against the float64 reference, at small inputs of two or three sizes (gate
1e-5); for the smallest network of each file, unless that is large, also the largest scaled difference of all gradients between
PyTorch and TensorFlow in float64 (gate 1e-8). "excused" stands where an error is no larger than what one rounding does to the
reference itself.
"""


def page(results: Sequence[tuple[Network, dict[str, Any]]]) -> str:
    """docs/zoo.md."""
    lines = [INTRODUCTION, f"| {' | '.join(HEAD)} |", f"| {' | '.join('---' for _ in HEAD)} |"]
    lines += [f"| {' | '.join(cells(network, result))} |" for network, result in results]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Exit status 1 where a network fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="names of networks; the page is not written then")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    chosen = [find(name) for name in given.only] if given.only else list(networks())
    with_gradients = smallest(networks())
    order = sorted(chosen, key=lambda network: network.macs)
    names = [network.name for network in order]
    tasks = [(name, name in with_gradients) for name in names]
    # Processes of their own, each for a few networks: the frameworks do not give back what they took.
    with get_context("spawn").Pool(given.jobs, maxtasksperchild=FEW) as pool:
        found = dict(zip(names, pool.starmap(verified, tasks, chunksize=1), strict=True))
    failed = [name for name, outcome in found.items() if not outcome["passed"]]
    if not given.only:
        PAGE.write_text(page([(network, found[network.name]) for network in chosen]), encoding="utf-8")
    print(f"{len(found) - len(failed)} passed" + (f", {len(failed)} failed: {', '.join(failed)}" if failed else ""))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
