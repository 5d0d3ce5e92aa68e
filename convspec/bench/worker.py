"""The process in which one subject lives: it opens the network, prepares its data, and is asked for samples.

`python -m convspec.bench.worker` reads pickled requests from stdin and writes pickled answers to what was stdout; whatever the
frameworks print goes to stderr. So subjects share no thread pool, allocator or crash, and each has a memory peak of its own.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

from convspec.bench.memory import peak_memory, resident_memory
from convspec.bench.messages import Open, Opened, Outputs, Refused, Sample, Sampled, Usage, Used, Written
from convspec.bench.plan import Source, Subject, switched
from convspec.bench.processes import find
from convspec.bench.roofline import Work, work_of
from convspec.diagnostics import Failure, error, fail
from convspec.ir.types import Array
from convspec.runtime.base import TARGETS, About, ModelFile, RunOptions, Session, find_runtime

_MOST_CALLS = 1000
"""In one sample."""
_FRESH = 0.25
"""A call that takes less than this share of a sample is first made once without counting: waking up costs it too much."""


class Runner:
    """A prepared network that can be run, and what it computed."""

    def __init__(self, session: Session, arrays: Mapping[str, Array]) -> None:
        """`session.prepare` places the data on the device once; a runtime without it gets them with each call."""
        self._session = session
        prepare = getattr(session, "prepare", None)
        self._prepared = prepare(arrays) if prepare is not None else None
        self._arrays = arrays
        self._last: Mapping[str, Array] = {}

    def __call__(self) -> None:
        """Once, until the results are there."""
        if self._prepared is None:
            self._last = self._session.run(self._arrays)
            return
        self._prepared.run()
        self._prepared.wait()

    def outputs(self) -> Mapping[str, Array]:
        return self._last if self._prepared is None else self._prepared.outputs()


def open_session(subject: Subject, sizes: Mapping[str, int]) -> tuple[Session, Callable[[], Work | None]]:
    """The session of a subject, and what tells its work. The Failures of runtimes; CNN305 for an option that there is not."""
    options = _options(subject)
    if subject.source.compiled:
        return find_runtime(subject.runtime).open(ModelFile(Path(subject.source.path)), RunOptions(**options)), lambda: None
    net = load_network(subject.source)
    session: Session
    if subject.maker:
        session = find(subject.maker)(subject, net)
    else:
        session = net.session(subject.runtime, optimize=subject.level, **options)

    def work() -> Work:
        made = net.optimise(subject.level, TARGETS[subject.runtime]) if subject.level else net
        return work_of(made.module.graph, sizes, subject.arithmetic)

    return session, work


def load_network(source: Source) -> Any:
    """The network (an api.Net) with the weights that the source says."""
    from convspec import api

    net = api.load(
        source.path,
        source.model,
        source.settings,
        source.weights,
        source.seed,
        source.root,
        source.limits,
        source.allow_missing,
    )
    if source.kind != "drawn":
        return net
    from convspec.weights.randomised import randomised

    return api.Net(net.module, weights=randomised(net.module.graph, source.seed))


def _options(subject: Subject) -> dict[str, Any]:
    """The fields of RunOptions that differ from their defaults, so that a runtime is asked for nothing it need not know."""
    wanted: dict[str, Any] = {"device": subject.device, "tf32": subject.tf32, **switched(subject.switches)}
    if subject.precision != "fp32":
        wanted["precision"] = subject.precision
    if subject.threads is not None:
        wanted["threads"] = subject.threads
    unknown = wanted.keys() - {each.name for each in fields(RunOptions)}
    if unknown:
        said = {"precision": f"the precision {subject.precision}"}.get(unknown.pop(), "that option")
        raise fail(error("CNN305", f"{subject.runtime} does not have {said}"))
    return wanted


class Worker:
    """Answers requests, one after the other."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.runner: Callable[[], object] | None = None
        self._events: Any = None
        self._running: int | None = None
        self._last = 0.0
        self._anew = False
        self._loading: int | None = None

    def answer(self, request: object) -> object:
        """The answer to one request. Failures and exhausted memory become Refused; nothing else is caught."""
        try:
            match request:
                case Open():
                    return self._open(request)
                case Sample(quantum):
                    return self._sample(quantum)
                case Outputs(path):
                    return self._write(path)
                case Usage():
                    return Used(self._running, max(self._loading or 0, peak_memory() or 0) or None, _torch_reserved())
        except Failure as failure:
            first = failure.diagnostics[0]
            return Refused(first.code, first.message, first.hint)
        except MemoryError:
            return Refused("CNN307", "there is not enough memory for this", "a smaller batch may help")
        raise TypeError(f"no request: {request!r}")

    def _open(self, request: Open) -> Opened:
        import numpy as np

        start = self.clock()
        session, work = open_session(request.subject, request.sizes)
        with np.load(request.arrays) as stored:
            given = {name: stored[name] for name in stored.files}
        self.runner = Runner(session, fit_arrays(session, given))
        self.runner()
        loading = self.clock() - start
        found = work()
        self._events = _cuda_events(session.about)
        del work  # and the network with it
        gc.collect()
        gc.freeze()
        _give_back()
        self._loading = peak_memory()
        self._anew = reset_peak()
        return Opened(session.about, loading, found)

    def _sample(self, quantum: float) -> Sampled:
        assert self.runner is not None
        seconds: list[float] = []
        events: list[float] = []
        gc.collect()
        gc.disable()
        try:
            if self._last < _FRESH * quantum:
                self.runner()
            end = self.clock() + quantum
            while True:
                self._last = self._one(seconds, events)
                if self.clock() >= end or len(seconds) >= _MOST_CALLS:
                    break
        finally:
            gc.enable()
        self._running = peak_memory() if self._anew else resident_memory()
        return Sampled(seconds, events or None)

    def _one(self, seconds: list[float], events: list[float]) -> float:
        """One call, timed by the clock and, where there are such, by the device's events."""
        assert self.runner is not None
        if self._events is not None:
            self._events[0].record()
        start = self.clock()
        self.runner()
        took = self.clock() - start
        if self._events is not None:
            self._events[1].record()
            self._events[1].synchronize()
            events.append(self._events[0].elapsed_time(self._events[1]) / 1000)
        seconds.append(took)
        return took

    def _write(self, path: str) -> Written:
        import numpy as np

        assert isinstance(self.runner, Runner)
        found = {name: _plain(np.asarray(array)) for name, array in self.runner.outputs().items()}
        np.savez(path, **{f"{number}": array for number, array in enumerate(found.values())})  # type: ignore[arg-type]
        return Written(list(found))


def fit_arrays(session: Session, given: Mapping[str, Array]) -> dict[str, Array]:
    """The data by the names of this session's inputs: by name where they agree, else in order. Failure CNN302, CNN301.

    A model that another tool made from the same network may call its inputs something else.
    """
    from convspec.runtime.checks import check_arrays

    inputs = session.signature.inputs
    if {spec.name for spec in inputs} != given.keys():
        if len(inputs) != len(given):
            message = f"{session.signature.name} has {len(inputs)} inputs, and there is data for {len(given)}"
            raise fail(error("CNN302", message, hint="compare models of the same network"))
        given = {spec.name: array for spec, array in zip(inputs, given.values(), strict=True)}
    typed = {spec.name: _typed(given[spec.name], spec.type.dtype) for spec in inputs}
    return check_arrays(session.signature, typed).arrays


def _typed(array: Array, dtype: str) -> Array:
    """An `.npz` keeps bfloat16 as two bytes of nothing in particular."""
    if dtype == "bfloat16" and array.dtype.kind == "V":
        from convspec.weights.dtypes import numpy_dtype

        return array.view(numpy_dtype("bfloat16"))
    return array


def _plain(array: Array) -> Array:
    """A dtype that an `.npz` keeps."""
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


# ── What the machine says ────────────────────────────────────────────────────────────────────────────────────


def reset_peak() -> bool:
    """Let the peak of memory begin anew: loading is over, running begins. False where the system cannot (only Linux can)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _give_back() -> None:
    """Return to the system what was freed after loading, where the C library can (glibc)."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _cuda_events(about: About) -> Any:
    """Two events of PyTorch's, where it is PyTorch that runs on a GPU; None elsewhere."""
    if about.runtime != "pytorch" or not about.device.startswith("cuda"):
        return None
    import torch

    make: Any = torch.cuda.Event
    return [make(enable_timing=True) for _ in range(2)]


def _torch_reserved() -> int | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_reserved())


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer every request until there are no more."""
    worker = Worker()
    while True:
        try:
            request = pickle.load(requests)  # from the process that started this one
        except EOFError:
            return
        try:
            answer = worker.answer(request)
        except Exception as problem:  # a bug; the one who asked tells it
            import traceback

            answer = Refused("", f"a bug in convspec: {type(problem).__name__}: {problem}", trace=traceback.format_exc())
        pickle.dump(answer, answers)
        answers.flush()


def main() -> None:
    """Requests from stdin, answers to stdout, and all that is printed to stderr. Ctrl+C is the other process's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
