"""The process of one subject: what it answers, on a clock of its own."""

from __future__ import annotations

import gc
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from convspec import loads
from convspec.bench.messages import Open, Opened, Outputs, Refused, Sample, Sampled, Usage, Used, Written
from convspec.bench.plan import Source, Subject
from convspec.bench.worker import Worker, fit_arrays, open_session, serve
from convspec.diagnostics import Failure, error, fail
from tests.bench.clocks import Clock

NET = """model Net {
    input x: float32[N, 3, 8, 8]
    y = x -> conv(4, 3x3) -> batchnorm -> relu
    output y
    output z = y -> global_avgpool -> flatten
}
"""


TWO = """model Net {
    input a: float32[N, 2]
    input b: float32[N, 3]
    output c = a -> relu
    output d = b -> relu
}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Source:
    (tmp_path / "net.cnn").write_text(NET)
    return Source(str(tmp_path / "net.cnn"))


@pytest.fixture
def arrays(tmp_path: Path) -> str:
    np.savez(tmp_path / "in.npz", x=np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32))
    return str(tmp_path / "in.npz")


def running(clock: Clock, subject: Callable[[], object]) -> Worker:
    worker = Worker(clock)
    worker.runner = subject
    return worker


def sampled(worker: Worker, quantum: float) -> list[float]:
    found = worker.answer(Sample(quantum))
    assert isinstance(found, Sampled) and found.device_seconds is None
    return found.seconds


def test_it_loads_runs_and_writes_what_the_reference_computes(spec: Source, arrays: str, tmp_path: Path) -> None:
    worker = Worker()
    opened = worker.answer(Open(Subject(spec, "reference", level=0), arrays, {"N": 2}))
    assert isinstance(opened, Opened) and opened.about.runtime == "reference" and opened.loading > 0
    assert opened.work is not None and opened.work.layers[0].op == "conv"
    assert sampled(worker, 0.0)
    assert worker.answer(Outputs(str(tmp_path / "out.npz"))) == Written(["y", "z"])
    with np.load(tmp_path / "out.npz") as found:
        y, z = found["0"], found["1"]
    assert y.shape == (2, 4, 6, 6) and np.allclose(y.mean((2, 3)), z, atol=1e-6) and y.std() > 0
    used = worker.answer(Usage())
    assert isinstance(used, Used) and used.running and used.ever and used.running <= used.ever
    gc.unfreeze()


def test_weights_are_those_that_were_asked_for(spec: Source) -> None:
    from convspec.bench.worker import load_network

    drawn, initial = load_network(spec), load_network(Source(spec.path, kind="initial"))
    norm = next(name for name in initial.weights if name.endswith("running_mean"))
    assert not initial.weights[norm].any(), "fresh batch norms do nothing"
    assert drawn.weights[norm].all()
    assert load_network(spec).weights[norm].tolist() == drawn.weights[norm].tolist()


def test_a_sample_fills_its_time_and_what_is_slow_runs_once() -> None:
    clock = Clock()
    assert sampled(running(clock, clock.subject(0.25)), 1.0) == [0.25] * 4
    assert sampled(running(clock, clock.subject(5.0)), 1.0) == [5.0]


def test_what_is_quick_is_woken_up_first() -> None:
    """The first call after a pause is not counted where it is short; one that takes long is not run twice."""
    clock = Clock()
    worker = running(clock, clock.subject(0.1))
    sampled(worker, 1.0)
    before = clock.now
    assert len(sampled(worker, 1.0)) * 0.1 < clock.now - before
    slow = running(clock, clock.subject(5.0))
    sampled(slow, 1.0)
    before = clock.now
    sampled(slow, 1.0)
    assert clock.now - before == 5.0


def test_a_sample_has_an_end_even_if_the_clock_stands_still() -> None:
    assert len(sampled(running(Clock(), lambda: None), 1.0)) == 1000


def test_no_garbage_is_collected_while_it_runs() -> None:
    clock = Clock()
    seen: list[bool] = []

    def run() -> None:
        seen.append(gc.isenabled())
        clock.now += 1

    sampled(running(clock, run), 3.0)
    assert seen and not any(seen) and gc.isenabled()


def test_failures_and_exhausted_memory_are_answers() -> None:
    def refused() -> None:
        raise fail(error("CNN307", "out of memory on cuda", hint="less"))

    def exhausted() -> None:
        raise MemoryError

    assert running(Clock(), refused).answer(Sample(1.0)) == Refused("CNN307", "out of memory on cuda", "less")
    found = running(Clock(), exhausted).answer(Sample(1.0))
    assert isinstance(found, Refused) and found.code == "CNN307" and gc.isenabled()


def test_bugs_are_told_and_the_next_request_is_served() -> None:
    requests = io.BytesIO(pickle.dumps("nonsense") + pickle.dumps(Usage()))
    answers = io.BytesIO()
    serve(requests, answers)
    answers.seek(0)
    first, second = pickle.load(answers), pickle.load(answers)
    assert isinstance(first, Refused) and "a bug in convspec: TypeError" in first.message
    assert "Traceback" in first.trace and isinstance(second, Used)


def test_an_option_that_a_runtime_does_not_have(spec: Source) -> None:
    with pytest.raises(Failure) as caught:
        open_session(Subject(spec, "reference", level=0, switches=("fly",)), {})
    assert caught.value.diagnostics[0].code == "CNN305"


def test_data_goes_in_by_name_or_else_in_order() -> None:
    net = loads(TWO)
    session = net.session("reference")
    one, other = np.ones((1, 2), np.float32), np.zeros((1, 3), np.float32)
    assert fit_arrays(session, {"b": other, "a": one})["a"].shape == (1, 2)
    assert fit_arrays(session, {"first": one, "second": other})["b"].shape == (1, 3)
    with pytest.raises(Failure) as caught:
        fit_arrays(session, {"a": one})
    assert caught.value.diagnostics[0].code == "CNN302"
