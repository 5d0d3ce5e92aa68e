"""Every operator test of the onnx package is expressed and equal on every runtime, or impossible for a reason given."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import convspec
from convspec import Failure
from convspec.ir.types import Array
from tests.conformance.onnx_nodes.fates import IMPOSSIBLE, POSITIONS, ROUGH, Reason, impossible, listed
from tests.conformance.onnx_nodes.sheet import Impossible, Spec, translate
from tests.conformance.onnx_nodes.source import CONVERTED, Case, converted_case, converted_names, node_cases
from tests.conformance.onnx_nodes.tables import TABLE
from tests.ops.harness import assert_close

RUNTIMES = ("reference", "onnxruntime", "pytorch", "tensorflow")
EXTRAS = (", align_corners = true", ", antialias = true")
"""Of the modes of `resize` that interpolate."""
GATES = {"float64": 1e-5, "float32": 1e-5, "float16": 2e-3, "bfloat16": 1.6e-2}
"""Scaled errors. The package computes most of its numbers in the type of the case, with NumPy."""
KEYS = [*sorted(TABLE), *CONVERTED]
EVERY = [(key, name) for key, names in listed().items() for name in names]
EXPRESSED = [pytest.param(key, name, id=f"{key}-{name}") for key, name in EVERY if name not in impossible()]
REFUSED = [pytest.param(key, name, id=f"{key}-{name}") for key, name in EVERY if name in impossible()]
RESIZED = [pytest.param(name, id=name) for key, name in EVERY if impossible().get(name) == POSITIONS]


def find(key: str, name: str) -> Case:
    return converted_case(key, name) if key in CONVERTED else node_cases(key)[name]


# ── the fates ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("key", "name"), EXPRESSED)
def test_expressed(key: str, name: str) -> None:
    case = find(key, name)
    spec = translate(case, TABLE)
    net = convspec.loads(spec.text, weights=spec.weights)
    for runtime in RUNTIMES:
        outputs = run(net, spec, runtime)
        if outputs is None:
            continue
        for place, (found, expected) in enumerate(zip(outputs, case.expected, strict=True)):
            agree(found, lifted(expected, spec), f"{name}, {runtime}, output {place}", runtime, ROUGH.get(name, 0.0))


@pytest.mark.parametrize(("key", "name"), REFUSED)
def test_impossible(key: str, name: str) -> None:
    """It is refused, and for the reason that is given."""
    reason, case = impossible()[name], find(key, name)
    with pytest.raises((Impossible, Failure)) as raised:
        convspec.loads(translate(case, TABLE).text)
    if isinstance(raised.value, Impossible):
        assert raised.value.reason == reason
    elif isinstance(raised.value, Failure):
        refused(raised.value, reason)


@pytest.mark.parametrize("name", RESIZED)
def test_no_resize_of_ours_gives_it(name: str) -> None:
    """The rule that calls these impossible is not too strict: nothing that `resize` can do has this result."""
    case = node_cases("Resize")[name]
    x, expected = case.known[case.nodes[0].input[0]], case.expected[0]
    size = "x".join(map(str, expected.shape[2:]))
    modes = ["nearest", *(f"{mode}{extra}" for mode in ("linear", "cubic") for extra in ("", *EXTRAS))]
    for mode in modes:
        text = (
            f"model M {{\n input x: float32[{', '.join(map(str, x.shape))}]\n output y = x -> resize({size}, mode = {mode})\n}}"
        )
        found = convspec.loads(text).run({"x": x}, runtime="reference")["y"]
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() > 1e-4, f"`resize({size}, mode = {mode})` gives it"


def refused(failure: Failure, reason: Reason) -> None:
    for diagnostic in failure.diagnostics:
        said = [code == diagnostic.code and words in diagnostic.message for code, words in reason.refusals]
        assert any(said), f"{reason.text} is not what the compiler says: {diagnostic.code}, {diagnostic.message}"


# ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────


def run(net: convspec.Net, spec: Spec, runtime: str) -> list[Any] | None:
    """The outputs in order; None: there is no kernel. Data is not checked first, so that NaN may go in."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return list(net.session(runtime).run(spec.arrays).values())
    except Failure as failure:
        if runtime == "onnxruntime" and "bfloat16" in spec.text and failure.diagnostics[0].code in ("CNN305", "CNN307"):
            return None  # ONNX Runtime says that it has no kernel for bfloat16 on the CPU
        raise


def lifted(expected: Any, spec: Spec) -> Array:
    array = np.asarray(expected)
    return array.reshape((1,) * spec.lift + array.shape)


def agree(found: Array, expected: Array, what: str, runtime: str, rough: float) -> None:
    """The reference gives doubles for every float; everything else gives the type of the case."""
    floats = expected.dtype.name in GATES
    if not (floats and runtime == "reference"):
        assert found.dtype == expected.dtype, f"{what}: {found.dtype}, expected {expected.dtype}"
    if not floats:
        assert found.shape == expected.shape, what
        assert np.array_equal(found, expected), what
    elif rough:
        assert found.shape == expected.shape, what
        assert np.abs(found - expected).max() <= rough, what
    else:
        assert_close(found, expected, GATES[expected.dtype.name], what)


# ── nothing is left out ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", KEYS)
def test_every_case_of_the_package_is_listed(key: str) -> None:
    """A new one needs a line in cases.txt, and a fate."""
    names = converted_names(key) if key in CONVERTED else sorted(node_cases(key))
    assert sorted(listed()[key]) == sorted(names)


def test_the_list_is_of_the_translated_operators() -> None:
    assert list(listed()) == KEYS


def test_fates_are_of_cases() -> None:
    names = {name for _, name in EVERY}
    assert set(impossible()) <= names
    assert set(ROUGH) <= names
    assert len(impossible()) == sum(len(found.split()) for found in IMPOSSIBLE.values()), "a case has two reasons"


def test_most_cases_are_expressed() -> None:
    """So that a translator that finds everything impossible does not pass."""
    assert len(EXPRESSED) >= 690
    assert len(REFUSED) <= 170
    for key in KEYS:
        assert any(name not in impossible() for name in listed()[key]), f"no case of {key} is expressed"
