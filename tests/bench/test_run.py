"""Whole runs of a small network on the reference and ONNX Runtime: rows, refusals, wrong outputs, Ctrl+C, lost processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from convspec import load
from convspec.bench import pool
from convspec.bench.messages import Refused
from convspec.bench.peaks import Peaks
from convspec.bench.plan import Source, Subject, subjects
from convspec.bench.pool import Lane
from convspec.bench.run import Hooks, Request, bench
from convspec.diagnostics import Failure
from tests.bench.local import LocalLane

NET = """model Net {
    input x: float32[N, 3, 8, 8]
    output y = x -> conv(4, 3x3) -> batchnorm -> relu
}
"""
PEAKS = Peaks("CPU", "fp32", 1e12, 1e11, "for tests")


@pytest.fixture
def spec(tmp_path: Path) -> Source:
    (tmp_path / "net.cnn").write_text(NET)
    return Source(str(tmp_path / "net.cnn"))


@pytest.fixture(autouse=True)
def _here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "process" not in request.node.name:
        monkeypatch.setattr("convspec.bench.pool._start", LocalLane)


def quick(found: list[Subject], **settings: object) -> Request:
    request = Request(found, rounds=3, budget=60.0, quantum=0.0, warmup=1)
    return replace(request, **settings)  # type: ignore[arg-type]


def hooks(say: Callable[[str], None] = lambda text: None) -> Hooks:
    return Hooks(say, lambda device, precisions, threads: dict.fromkeys(precisions, PEAKS))


def test_two_runtimes_at_two_batches(spec: Source) -> None:
    results = bench(quick(subjects(spec, ["onnxruntime", "reference"]), batches=[1, 4]), hooks())
    assert [table.batch for table in results.tables] == [1, 4] and results.agreed and not results.interrupted
    for table in results.tables:
        assert [row.state for row in table.rows] == ["measured", "measured"]
        assert table.rounds == 3 and table.noise is not None and table.shapes == {"net.cnn": f"x [{table.batch}, 3, 8, 8]"}
        first, other = table.rows
        assert first.timing is not None and first.timing.speedup is None and first.timing.calls == 3
        assert other.timing is not None and other.timing.speedup is not None and other.timing.base == first.subject.name
        assert first.work is not None and first.peaks == PEAKS and first.roofline is not None
        assert first.roofline == pytest.approx(first.work.seconds(PEAKS) / first.timing.seconds.value)
        assert other.agreement is not None and other.agreement.error < 1e-5 and first.agreement is None
        assert first.memory.running and first.loading and first.about is not None
    # Work grows with the batch, and so does what is moved, less the weights.
    one, four = (table.rows[0].work for table in results.tables)
    assert one is not None and four is not None and four.flops == 4 * one.flops and one.bytes < four.bytes < 4 * one.bytes


def test_what_cannot_run_is_a_row_and_the_others_go_on(spec: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [replace(subjects(spec, ["reference"])[0], device="cuda"), *subjects(spec, ["reference"])]
    refused, measured = bench(quick(found), hooks()).rows
    assert (refused.state, refused.timing) == ("not run", None) and refused.code and "cuda" in refused.reason
    assert measured.state == "measured" and measured.timing is not None and measured.timing.speedup is None


def test_asked_for_alone_it_is_an_error(spec: Source) -> None:
    with pytest.raises(Failure) as caught:
        bench(quick([replace(subjects(spec, ["reference"])[0], device="cuda")]), hooks())
    assert caught.value.diagnostics[0].code in ("CNN304", "CNN305") and "cuda" in str(caught.value)


def test_another_network_fails_and_gets_no_speed(spec: Source, tmp_path: Path) -> None:
    """A file made from other weights is another network, however fast."""
    net = load(spec.path, seed=1)
    net.to_onnx(tmp_path / "other.onnx")
    against = Subject(Source(str(tmp_path / "other.onnx")), "onnxruntime", level=None, against=True)
    results = bench(quick([against, *subjects(replace(spec, kind="initial"), ["reference"])]), hooks())
    wrong, ours = results.rows
    assert wrong.state == "failed" and wrong.timing is None and wrong.agreement is not None and not wrong.agreement.holds
    assert ours.state == "measured" and not results.agreed
    assert ours.timing is not None and ours.timing.speedup is None, "what failed is no base of ratios"


def test_the_file_of_another_tool_is_the_base(spec: Source, tmp_path: Path) -> None:
    load(spec.path).to_onnx(tmp_path / "same.onnx")
    against = Subject(Source(str(tmp_path / "same.onnx")), "onnxruntime", level=None, against=True)
    results = bench(quick([against, *subjects(replace(spec, kind="initial"), ["reference"])]), hooks())
    theirs, ours = results.rows
    assert results.agreed and ours.timing is not None and ours.timing.base == theirs.subject.name
    assert theirs.agreement is not None and theirs.agreement.reference == ours.subject.name


def test_a_compiled_model_is_measured_by_itself(spec: Source, tmp_path: Path) -> None:
    load(spec.path).to_onnx(tmp_path / "net.onnx")
    (row,) = bench(quick(subjects(Source(str(tmp_path / "net.onnx")), ["onnxruntime"])), hooks()).rows
    assert row.state == "measured" and row.work is None and row.roofline is None and row.flops is None


def test_an_allowance_of_nothing_fails_what_rounds_otherwise(spec: Source) -> None:
    results = bench(quick(subjects(spec, ["reference", "onnxruntime"]), tolerance=0.0), hooks())
    assert not results.agreed


def test_a_network_of_several_inputs_in_bfloat16(tmp_path: Path) -> None:
    """Which no .npz has a name for."""
    text = "input x: bfloat16[N, 3]\n    input m: bool[N, 3]\n    output y = where(m, x -> relu, x * 2.0)"
    (tmp_path / "low.cnn").write_text(f"model Low {{\n    {text}\n}}\n")
    results = bench(quick(subjects(Source(str(tmp_path / "low.cnn")), ["reference"]), batches=[2]), hooks())
    assert [row.state for row in results.rows] == ["measured"] and results.rows[0].timing is not None


def test_ctrl_c_keeps_what_was_measured(spec: Source) -> None:
    def say(text: str) -> None:
        if text == "batch 2: round 2":
            raise KeyboardInterrupt

    results = bench(quick(subjects(spec, ["reference"]), batches=[1, 2, 3]), hooks(say))
    assert results.interrupted and [(table.batch, table.rounds) for table in results.tables] == [(1, 3), (2, 2)]
    assert all(row.timing is not None for row in results.rows)


def test_ctrl_c_before_anything_was_measured_is_passed_on(spec: Source) -> None:
    def say(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench(quick(subjects(spec, ["reference"])), hooks(say))


def test_a_process_that_is_killed_is_a_row_and_the_rest_is_measured_anew(spec: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the system does where memory runs out; and no process is left behind."""
    lanes: list[Lane] = []
    start = pool.Lanes.start

    def remembered(self: pool.Lanes, subject: Subject, arrays: str, sizes: dict[str, int]) -> Lane:
        lanes.append(start(self, subject, arrays, sizes))
        return lanes[-1]

    def say(text: str) -> None:
        if text == "batch 1: round 2" and lanes[1].process.poll() is None:
            os.kill(lanes[1].process.pid, signal.SIGKILL)
            lanes[1].process.wait()

    monkeypatch.setattr(pool.Lanes, "start", remembered)
    found = [*subjects(spec, ["reference"]), *subjects(replace(spec, seed=0, kind="initial"), ["reference"])]
    results = bench(quick(found), hooks(say))
    assert [row.state for row in results.rows] == ["measured", "not run"]
    assert results.rows[1].code == "CNN307" and "memory" in results.rows[1].reason
    assert results.tables[0].rounds == 3 and results.rows[0].timing is not None and results.rows[0].timing.calls == 3
    assert all(lane.process.poll() is not None for lane in lanes)


def test_a_batch_that_memory_does_not_hold_is_a_row(spec: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Lane.wait_open

    def too_large(self: Lane) -> None:
        opened(self)
        if self.subject.precision == "fp16":
            self.opened, self.refused = None, Refused("CNN307", "out of memory", "a smaller batch may help")

    monkeypatch.setattr(Lane, "wait_open", too_large)
    one = subjects(spec, ["reference"])[0]
    rows = bench(quick([one, replace(one, precision="fp16")]), hooks()).rows
    assert [(row.state, row.reason) for row in rows] == [("measured", ""), ("not run", "out of memory")]


@pytest.mark.parametrize(("sizes", "message"), [({"h": 3}, "no symbolic size `h`"), ({"N": 3}, "is the batch")])
def test_sizes_are_checked_before_anything_runs(spec: Source, sizes: dict[str, int], message: str) -> None:
    with pytest.raises(Failure, match=message):
        bench(quick(subjects(spec, ["reference"]), sizes=sizes), hooks())
