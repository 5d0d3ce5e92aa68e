"""One run of `convspec bench`: for every batch all subjects, in processes of their own, compared in outputs, then in times."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeAlias

from convspec.analysis.sizes import check_sizes
from convspec.bench import agreement
from convspec.bench.gpu import gpu_at
from convspec.bench.inputs import Interface, choose_sizes, draw_arrays, shapes_text, size_names
from convspec.bench.messages import Refused
from convspec.bench.peaks import Peaks, gpu_peaks
from convspec.bench.plan import Source, Subject
from convspec.bench.pool import Lane, Lanes, LostError
from convspec.bench.results import Agreement, Memory, Results, Row, Table, Timing, machine
from convspec.bench.statistics import quantile
from convspec.bench.timing import Comparison, compare
from convspec.diagnostics import Diagnostic, Failure, error
from convspec.runtime.base import ModelFile, RunOptions, find_runtime
from convspec.runtime.signature import signature_of

PeaksFinder: TypeAlias = Callable[[str, Sequence[str], int | None], Mapping[str, Peaks]]
"""From a device, precisions and a number of threads to the peaks by precision."""
CONTROL = "control"
"""The name of the first subject's second process."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. Times are seconds."""

    subjects: Sequence[Subject]
    batches: Sequence[int] = (1,)
    sizes: Mapping[str, int] = field(default_factory=dict)
    rounds: int = 100
    """At most so many for each batch."""
    budget: float = 10.0
    """After which no round begins, for each batch."""
    quantum: float = 0.02
    """How long a subject runs at a time; one call at least."""
    warmup: int = 3
    tolerance: float | None = None
    seed: int = 0
    one_by_one: bool = True
    """On a GPU: load the subjects one after the other, to tell whose memory is whose."""


@dataclass(slots=True)
class Hooks:
    """What a caller may put in: who is told of progress, and what stands for the machine in tests."""

    say: Callable[[str], None] = lambda text: None
    peaks: PeaksFinder | None = None
    """Finds the peaks of a device; by default `find_peaks`."""


def bench(request: Request, hooks: Hooks | None = None) -> Results:
    """Measure everything. Ctrl+C ends it with what was measured so far, if anything was.

    Failure where nothing can be measured: the first subject's own where none could be opened, CNN401 for sizes.
    """
    hooks = hooks or Hooks()
    sources = list(dict.fromkeys(subject.source for subject in request.subjects if not subject.against))
    interfaces = {source: _interface(source) for source in sources}
    _check_sizes(request.sizes, interfaces)
    peaks = _PeaksOnce(request.subjects, hooks.peaks or find_peaks)
    results = Results([], machine(), _weights_text(sources))
    for batch in request.batches:
        for interface in interfaces.values():
            choose_sizes(interface.signature, batch, request.sizes, interface.usual)
    try:
        for batch in request.batches:
            table, interrupted = _Measurement(request, batch, interfaces, peaks, hooks).run()
            results.tables.append(table)
            if interrupted:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        if not any(table.measured for table in results.tables):
            raise
        results.interrupted = True
    if all(row.state == "not run" for row in results.rows):
        raise _nothing(results.rows)
    return results


class _PeaksOnce:
    """The peaks of each device, found out once for all precisions that are asked for."""

    def __init__(self, subjects: Sequence[Subject], find: PeaksFinder) -> None:
        self._precisions = list(dict.fromkeys(subject.arithmetic for subject in subjects))
        self._threads = next((subject.threads for subject in subjects), None)
        self._known: dict[str, Mapping[str, Peaks]] = {}
        self._find = find

    def of(self, device: str, subject: Subject) -> Peaks | None:
        if device not in self._known:
            self._known[device] = self._find(device, self._precisions, self._threads)
        return self._known[device].get(subject.arithmetic)


def find_peaks(device: str, precisions: Sequence[str], threads: int | None) -> dict[str, Peaks]:
    """The peaks of a device by precision, as far as they are known: measured for a CPU, from data sheets for a GPU."""
    from convspec.bench.processes import ChildError, fresh

    gpu = gpu_at(device)
    if gpu is not None:
        return {name: found for name in precisions if (found := gpu_peaks(gpu.name, name))}
    if device != "cpu":
        return {}
    environment = {} if threads is None else dict.fromkeys(_THREADS, str(threads))
    arguments = {"precisions": list(precisions), "threads": threads}
    try:
        rows = fresh("convspec.bench.peaks:measure", arguments, environment=environment).value
    except ChildError:
        return {}
    return {row["precision"]: Peaks(**row) for row in rows}


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class _Measurement:
    """All subjects at one batch."""

    def __init__(
        self, request: Request, batch: int, interfaces: Mapping[Source, Interface], peaks: _PeaksOnce, hooks: Hooks
    ) -> None:
        self.request, self.batch, self.interfaces, self.peaks, self.hooks = request, batch, interfaces, peaks, hooks
        self.rows = {subject: Row(subject, batch) for subject in request.subjects}
        self.sizes = {s: choose_sizes(i.signature, batch, request.sizes, i.usual) for s, i in interfaces.items()}
        self.lanes: dict[Subject, Lane] = {}

    def run(self) -> tuple[Table, bool]:
        """The table, and whether Ctrl+C ended it early."""
        shapes = {s.title: shapes_text(i.signature, self.sizes[s]) for s, i in self.interfaces.items()}
        table = Table(self.batch, shapes, list(self.rows.values()))
        with tempfile.TemporaryDirectory(prefix="convspec-bench-", ignore_cleanup_errors=True) as folder, Lanes() as lanes:
            arrays = {source: self._draw(source, folder) for source in self.interfaces}
            self._open(lanes, arrays)
            self._find_peaks()
            self._compare_outputs(folder)
            measured = self._measure(lanes, arrays)
            if measured is not None:
                table.rounds, table.noise = measured.rounds, measured.noise()
                self._fill(measured)
        return table, bool(measured and measured.interrupted)

    def _home(self, subject: Subject) -> Source:
        """The network that a subject is a way to run: for the file of --against the first."""
        return subject.source if subject.source in self.interfaces else next(iter(self.interfaces))

    def _draw(self, source: Source, folder: str) -> str:
        import numpy as np

        arrays = draw_arrays(self.interfaces[source], self.sizes[source], self.request.seed)
        path = os.path.join(folder, f"inputs-{list(self.interfaces).index(source)}.npz")
        np.savez(path, **arrays)  # type: ignore[arg-type]
        return path

    def _open(self, lanes: Lanes, arrays: Mapping[Source, str]) -> None:
        """Load every subject: all at once on a CPU, one after the other on a GPU, to tell whose memory is whose."""
        on_gpu = any(subject.device != "cpu" for subject in self.rows) and gpu_at("cuda:0") is not None
        shared = on_gpu and self.request.one_by_one
        for subject, row in self.rows.items():
            before = gpu_at(_gpu_of(subject)) if shared else None
            self.hooks.say(f"batch {self.batch}: loading {subject.name}")
            home = self._home(subject)
            self.lanes[subject] = lanes.start(subject, arrays[home], self.sizes[home])
            if shared:
                self._opened(subject, row)
                after = gpu_at(_gpu_of(subject))
                if before and after and row.about and row.about.device != "cpu":
                    row.memory = Memory(device=max(0, after.used - before.used))
        for subject, row in self.rows.items():
            if not shared:
                self._opened(subject, row)

    def _opened(self, subject: Subject, row: Row) -> None:
        lane = self.lanes[subject]
        lane.wait_open()
        if lane.opened is None:
            del self.lanes[subject]
            self._leave_out(row, lane.refused or Refused("", "it gave no answer"))
            return
        row.about, row.loading, row.work = lane.opened.about, lane.opened.loading, lane.opened.work

    def _find_peaks(self) -> None:
        """Once all subjects have loaded, and the machine is quiet."""
        for subject in self.lanes:
            row = self.rows[subject]
            if row.about is not None:
                self.hooks.say(f"batch {self.batch}: peaks of {row.about.device}")
                row.peaks = self.peaks.of(row.about.device, subject)

    def _leave_out(self, row: Row, refused: Refused) -> None:
        row.state, row.code, row.reason, row.hint = "not run", refused.code, refused.message, refused.hint
        row.trace = refused.trace
        row.timing = None

    def _compare_outputs(self, folder: str) -> None:
        """Hold every subject against the reference subject of its network; who differs is not measured."""
        for source in self.interfaces:
            own = [subject for subject in self.lanes if self._home(subject) == source]
            outputs = {}
            for subject in own:
                try:
                    outputs[subject] = self.lanes[subject].outputs(folder)
                except LostError as lost:
                    self._drop(subject, lost.refused)
            if not outputs:
                continue
            reference = agreement.reference_of(list(outputs))
            for subject, arrays in outputs.items():
                if subject != reference:
                    limit = agreement.allowed(subject, reference, self.request.tolerance, self.interfaces[source].dtypes)
                    self._judge(self.rows[subject], agreement.agreement(arrays, outputs[reference], reference.name, limit))

    def _judge(self, row: Row, found: Agreement) -> None:
        row.agreement = found
        if not found.holds:
            row.state, row.reason = "failed", f"its outputs are not those of {found.reference}"

    def _drop(self, subject: Subject, refused: Refused) -> None:
        self._leave_out(self.rows[subject], refused)
        self.lanes.pop(subject)

    def _measure(self, lanes: Lanes, arrays: Mapping[Source, str]) -> Comparison | None:
        """Rounds over all that can be measured; begun anew without a subject that gives up. None where there is nothing."""
        while True:
            running = [subject for subject in self.lanes if self.rows[subject].state != "failed"]
            if not running:
                return None
            first = running[0]
            self.hooks.say(f"batch {self.batch}: loading {first.name} once more, as the control")
            control = lanes.start(first, arrays[self._home(first)], self.sizes[self._home(first)])
            control.wait_open()
            everyone = {self._key(subject): self.lanes[subject] for subject in running}
            if control.opened is not None:  # there may be no memory for it
                everyone[CONTROL] = control
            try:
                return self._rounds(everyone)
            except LostError as lost:
                if lost.lane is not control:
                    self._drop(lost.lane.subject, lost.refused)
                control.close()
                for lane in self.lanes.values():
                    lane.latencies.clear()
                    lane.device_seconds.clear()

    def _rounds(self, lanes: Mapping[str, Lane]) -> Comparison:
        quantum = self.request.quantum
        for _ in range(self.request.warmup):
            for lane in lanes.values():
                lane.sample(quantum, counted=False)
        samplers = {name: partial(lane.sample, quantum) for name, lane in lanes.items()}
        return compare(
            samplers,
            self.request.rounds,
            warmup=0,
            control=CONTROL if CONTROL in lanes else False,
            budget=self.request.budget,
            seed=self.request.seed,
            timers=dict.fromkeys(samplers, _own_time),
            after_round=lambda number: self.hooks.say(f"batch {self.batch}: round {number}"),
        )

    def _key(self, subject: Subject) -> str:
        """Two networks may have one title; their subjects' numbers tell them apart."""
        return f"{list(self.rows).index(subject)} {subject.name}"

    def _fill(self, comparison: Comparison) -> None:
        """Times, ratios and memory of every subject that was measured."""
        bases: dict[Source, Subject] = {}
        for subject, lane in self.lanes.items():
            row = self.rows[subject]
            if row.state == "failed":
                continue
            base = bases.setdefault(self._home(subject), subject)
            row.state = "measured"
            row.timing = _timing(comparison, lane, self._key(subject), self._key(base), base.name)
            with suppress(LostError):
                used = lane.usage()
                row.memory = replace(row.memory, running=used.running, ever=used.ever, device=row.memory.device or used.device)


def _timing(comparison: Comparison, lane: Lane, name: str, base: str, base_name: str) -> Timing:
    own = name == base
    return Timing(
        seconds=comparison.seconds(name),
        p95=quantile([lane.latencies], 0.95),
        p99=quantile([lane.latencies], 0.99),
        calls=len(lane.latencies),
        device_seconds=median(lane.device_seconds) if lane.device_seconds else None,
        speedup=None if own else comparison.speedup(name, over=base),
        verdict=None if own else comparison.verdict(name, over=base),
        base=base_name,
    )


def _own_time(subject: Callable[[], object]) -> float:
    """The subject's own process times it, and says so."""
    seconds = subject()
    assert isinstance(seconds, float)
    return seconds


def _gpu_of(subject: Subject) -> str:
    return subject.device if subject.device not in ("auto", "cpu") else "cuda:0"


def _interface(source: Source) -> Interface:
    """What goes into a network. The Failures of `convspec.load`, or CNN303 and CNN306 for a compiled model."""
    if source.compiled:
        return Interface(find_runtime("onnxruntime").open(ModelFile(Path(source.path)), RunOptions("cpu")).signature)
    from convspec import api

    net = api.load(source.path, source.model, source.settings, seed=source.seed, root=source.root, limits=source.limits)
    return Interface(signature_of(net.module.graph), net.module.graph, _usual(source, net.module.name))


def _usual(source: Source, model: str) -> Mapping[str, int]:
    """The sizes that the zoo states for one of its networks."""
    if not source.path.startswith("zoo:"):
        return {}
    from convspec.zoo.catalogue import networks

    return next((network.sizes for network in networks() if network.name == model), {})


def _check_sizes(sizes: Mapping[str, int], interfaces: Mapping[Source, Interface]) -> None:
    check_sizes(sizes, {name: 1 for interface in interfaces.values() for name in size_names(interface.signature)})


def _weights_text(sources: Sequence[Source]) -> str:
    kinds = {
        "given": "as given",
        "initial": "initial values from seed {seed}, as compile writes them",
        "drawn": "drawn from seed {seed} so that every layer matters",
    }
    found = [kinds[s.kind].format(seed=s.seed) for s in sources if not s.compiled]
    return "; ".join(dict.fromkeys(found)) or "those of the compiled models"


def _nothing(rows: Sequence[Row]) -> Failure:
    """Why nothing was measured: the reasons, each once. RuntimeError for a bug."""
    for row in rows:
        if row.trace:
            raise RuntimeError(row.trace)
    found: dict[str, Diagnostic] = {}
    for row in rows:
        found.setdefault(row.reason, error(row.code or "CNN307", row.reason, hint=row.hint))
    return Failure(list(found.values()))


__all__ = ["CONTROL", "Hooks", "Request", "bench", "find_peaks"]
