"""Random specs: every one that convspec takes means the same on every target, and one that it does not take is told why.

A bounded number runs by default, always the same. `CONVSPEC_FUZZ=5000` (or `make fuzz N=5000`) runs that many new ones. A
failure is reduced to a small spec, which is printed.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.ir import dims
from tests.fuzz import checks
from tests.fuzz.specs import Spec, specs

FOUND = sorted((Path(__file__).parent / "found").glob("*.cnn"))
"""What random specs found, made small by hand."""
COUNT = int(os.environ.get("CONVSPEC_FUZZ", "0"))
BOUNDED = 30
MOST_REJECTED = 0.2
EVERY_GRADIENT = 4
"""Gradients are compared for one in so many specs."""


def check(spec: Spec, tally: Counter[str]) -> None:
    """All that must hold for a spec. `tally` counts what became of it."""
    network = checks.Network(spec)
    tally["specs"] += 1
    try:
        assert network.module.graph.outputs
    except Failure as failure:
        tally["rejected"] += 1
        tally[f"rejected: {failure.diagnostics[0].code}"] += 1
        return
    refused = checks.check_files(network)
    tally.update(f"refused by {name}" for name in refused)
    tally["excused outputs"] += checks.check_runtimes(network, refused)
    if "pytorch" not in refused:
        tally["PyTorch written out layer by layer"] += bool(checks.check_pytorch_forms(network))
    if "tensorflow" not in refused:
        checks.check_keras_forms(network)
    if not refused and crc32(spec.text.encode()) % EVERY_GRADIENT == 0:
        tally["gradients"] += 1
        tally["excused gradients"] += checks.check_gradients(network)
    if tally["specs"] % 50 == 0:
        forget()


def forget() -> None:
    """Let go of what Keras keeps of every model."""
    import keras

    keras.backend.clear_session()


def test_random_specs() -> None:
    tally: Counter[str] = Counter()

    @settings(
        max_examples=COUNT or BOUNDED,
        derandomize=not COUNT,
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
        run()
    finally:
        print("\n".join(f"{count:6} {what}" for what, count in sorted(tally.items())))
    assert tally["rejected"] < MOST_REJECTED * tally["specs"], tally


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_stays_mended(path: Path) -> None:
    text = path.read_text()
    names = [dims.minima(size) for item in loads(text).graph.inputs for size in item.value.type.shape]
    minima = {name: least for found in names for name, least in found.items()}
    network = checks.Network(Spec(text, "Main", (minima, {name: least + 2 for name, least in minima.items()})))
    assert not checks.check_files(network)
    assert not checks.check_runtimes(network, set())
    checks.check_pytorch_forms(network)
    checks.check_keras_forms(network)
    assert not checks.check_gradients(network)
