"""Prepared sessions: inputs placed once, results that stay until asked for, on every runtime; CUDA graphs in a stand-in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.ir.types import Array
from convspec.runtime.base import RunOptions, find_runtime
from convspec.runtime.devices import Device
from convspec.runtime.onnxbinding import Binding
from convspec.runtime.reference import evaluate
from tests.runtime.helpers import SMALL, TWO, codes, network, random

RUNTIMES = ("onnxruntime", "pytorch", "tensorflow", "reference")


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_prepared_run_computes_what_a_run_does(name: str) -> None:
    small = network(SMALL)
    session = find_runtime(name).open(small, RunOptions("cpu"))
    x, other = random(2, 1, 8, 8), random(3, 1, 8, 8, seed=1)
    prepared, second = session.prepare({"image": x}), session.prepare({"image": other})
    prepared.run()
    second.run()
    prepared.run()
    prepared.wait()
    found = prepared.outputs()["logits"]
    second.run()
    expected = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
    np.testing.assert_array_equal(found, session.run({"image": x})["logits"])
    assert second.outputs()["logits"].shape == (3, 4)


@pytest.mark.parametrize("name", RUNTIMES)
def test_several_outputs_come_by_name(name: str) -> None:
    prepared = find_runtime(name).open(network(TWO), RunOptions("cpu")).prepare(
        {"right": random(1, 2, 4, 6, seed=1), "left": random(1, 2, 4, 6)}
    )  # fmt: skip
    prepared.run()
    outputs = prepared.outputs()
    assert {each: array.shape for each, array in outputs.items()} == {"sum": (1, 2, 4, 6), "max.0": (1, 2, 2, 3)}


def test_a_prepared_run_that_fails_is_told() -> None:
    session = find_runtime("onnxruntime").open(network(SMALL), RunOptions("cpu"))
    prepared = session.prepare({"image": random(1, 1, 9, 9)})
    assert codes(prepared.run) == ["CNN307"]


# ── CUDA graphs: a stand-in for ONNX Runtime ─────────────────────────────────────────────────────────────────


class FakeValue:
    def __init__(self, array: Array, place: tuple[str, int]) -> None:
        self.array, self.place = array.copy(), place

    def update_inplace(self, array: Array) -> None:
        assert array.shape == self.array.shape
        self.array[...] = array


class FakeRunOptions:
    def __init__(self) -> None:
        self.entries: dict[str, str] = {}

    def add_run_config_entry(self, key: str, value: str) -> None:
        self.entries[key] = value


class FakeBound:
    def __init__(self) -> None:
        self.inputs: dict[str, FakeValue] = {}
        self.outputs: dict[str, FakeValue | None] = {}

    def bind_ortvalue_input(self, name: str, value: FakeValue) -> None:
        self.inputs[name] = value

    def bind_output(self, name: str, kind: str, index: int) -> None:
        self.outputs[name] = None

    def bind_ortvalue_output(self, name: str, value: FakeValue) -> None:
        self.outputs[name] = value

    def get_outputs(self) -> list[Any]:
        return list(self.outputs.values())

    def copy_outputs_to_cpu(self) -> list[Array]:
        return [value.array.copy() for value in self.outputs.values() if value is not None]

    def synchronize_outputs(self) -> None:
        pass


class FakeOrt:
    """A session that doubles. A graph replays with the buffers of its first run, whatever is bound later, as CUDA does."""

    OrtValue: Any
    RunOptions = FakeRunOptions

    def __init__(self) -> None:
        self.graphs: dict[str, tuple[FakeValue, FakeValue]] = {}
        self.ran: list[str] = []
        self.OrtValue = self

    def ortvalue_from_numpy(self, array: Array, kind: str, index: int) -> FakeValue:
        return FakeValue(array, (kind, index))

    def io_binding(self) -> FakeBound:
        return FakeBound()

    def run_with_iobinding(self, bound: FakeBound, options: FakeRunOptions | None) -> None:
        number = options.entries["gpu_graph_id"] if options else "none"
        self.ran.append(number)
        source, target = bound.inputs["x"], bound.outputs["y"]
        if target is None:
            assert number in ("-1", "none"), "a graph needs outputs in fixed places"
            bound.outputs["y"] = FakeValue(2 * source.array, source.place)
            return
        if number not in ("-1", "none"):
            source, target = self.graphs.setdefault(number, (source, target))
        target.array[...] = 2 * source.array


def binding(ort: FakeOrt, x: Array) -> Binding:
    return Binding(ort, ort, Device("cuda", 2), {"x": x}, ("y",), graph=True)


def test_a_graph_is_recorded_once_for_each_binding_and_sees_new_data() -> None:
    ort = FakeOrt()
    one, two = binding(ort, random(2, 3)), binding(ort, random(4, 3))
    for bound, x in ((one, random(2, 3, seed=5)), (two, random(4, 3, seed=6)), (one, random(2, 3, seed=7))):
        bound.update({"x": x})
        bound.run()
        np.testing.assert_array_equal(bound.results()["y"], 2 * x)
    assert len(ort.graphs) == 2
    assert ort.ran[:2] == ["-1", "-1"]
    assert all(value.place == ("cuda", 2) for pair in ort.graphs.values() for value in pair)


def test_without_a_graph_there_is_none() -> None:
    ort = FakeOrt()
    bound = Binding(ort, ort, Device("cuda", 0), {"x": random(2, 3)}, ("y",))
    bound.run()
    assert (ort.graphs, ort.ran) == ({}, ["none"])
