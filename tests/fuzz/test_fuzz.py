"""Random specs: every one that convspec takes means the same on every target, and one that it does not take is told why.

A bounded number runs by default, always the same. `CONVSPEC_FUZZ=5000` (or `make fuzz N=5000`) runs that many new ones. A
failure is reduced to a small spec, which is printed.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from convspec import ops
from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.ir import dims
from tests.fuzz import chance, checks
from tests.fuzz.specs import Spec, specs

FOUND = sorted((Path(__file__).parent / "found").glob("*.cnn"))
"""What random specs found, made small by hand."""
COUNT = int(os.environ.get("CONVSPEC_FUZZ", "0"))
SHARES, SHARE = 6, 25
"""So many specs run by default, in parts that processes can share out."""
MOST_REJECTED = 0.2
ENOUGH = 1000
"""Among so many specs every layer must have had its turn."""
EVERY = 6
"""Gradients are compared for one in so many specs, for others all is compiled again, or printed in straight lines too."""


def check(spec: Spec, tally: Counter[str]) -> None:
    """All that must hold for a spec. `tally` counts what became of it."""
    network = checks.Network(spec)
    tally["specs"] += 1
    try:
        nodes = network.module.graph.nodes
    except Failure as failure:
        tally["rejected"] += 1
        tally[f"rejected: {failure.diagnostics[0].code}"] += 1
        return
    tally.update({f"op {node.op.name}" for node in nodes})
    artifacts = checks.check_files(network)
    tally.update(f"refused by {name}" for name in checks.TARGETS if name not in artifacts)
    tally.update(f"layer by layer: {name}" for name, made in artifacts.items() if checks.written_out(network, name, made))
    tally["excused outputs"] += checks.check_runtimes(network, artifacts, network.is_turn(1, EVERY))
    if network.is_turn(2, EVERY):
        checks.check_again(network, artifacts)
    if network.is_turn(0, EVERY) and "pytorch" in artifacts and "tensorflow" in artifacts:
        tally["gradients"] += 1
        tally["excused gradients"] += checks.check_gradients(network)
    if tally["specs"] % 20 == 0:
        forget()


def forget() -> None:
    """Let go of what Keras keeps of every model."""
    import keras

    keras.backend.clear_session()


@pytest.mark.parametrize("share", range(1 if COUNT else SHARES))
def test_random_specs(share: int) -> None:
    tally: Counter[str] = Counter()

    @settings(
        max_examples=COUNT or SHARE,
        backend=chance.NAME,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(specs())
    def run(spec: Spec) -> None:
        check(spec, tally)

    try:
        (run if COUNT else seed(share)(run))()
    finally:
        print("\n".join(f"{count:6} {what}" for what, count in sorted(tally.items())))
    assert tally["rejected"] < MOST_REJECTED * tally["specs"], tally
    missing = [name for name in ops.built_in() if not tally[f"op {name}"]]
    assert COUNT < ENOUGH or not missing, f"no spec had {', '.join(missing)}"


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_stays_mended(path: Path) -> None:
    text = path.read_text()
    names = [dims.minima(size) for item in loads(text).graph.inputs for size in item.value.type.shape]
    minima = {name: least for found in names for name, least in found.items()}
    network = checks.Network(Spec(text, "Main", (minima, {name: least + 2 for name, least in minima.items()})))
    artifacts = checks.check_files(network)
    assert list(artifacts) == list(checks.TARGETS)
    assert not checks.check_runtimes(network, artifacts, straight=True)
    checks.check_again(network, artifacts)
    assert not checks.check_gradients(network)


def test_layers_that_nothing_reads_leave_keras_source_readable() -> None:
    path = next(path for path in FOUND if path.stem == "dead_layers")
    network = checks.Network(Spec(path.read_text(), "Main", ({}, {})))
    assert not checks.written_out(network, "tensorflow", checks.check_files(network)["tensorflow"])
