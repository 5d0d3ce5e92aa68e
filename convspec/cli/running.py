"""One run from data to report: batches in, outputs collected, classes ranked, files written."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from convspec.cli.report import Report
from convspec.diagnostics import error, fail
from convspec.ir.types import FLOATS, Array
from convspec.records import dataclass
from convspec.runtime.base import ModelFile, Network, Program, RunOptions, Session, find_runtime
from convspec.runtime.batches import DEFAULT_MEMORY, memory_of
from convspec.runtime.classify import rank_classes, read_labels
from convspec.runtime.inputs import BATCH, Batch, Feed, read_inputs
from convspec.runtime.outputs import Statistics, check_destination, joined, write_outputs
from convspec.runtime.pictures import fixed_size
from convspec.runtime.signature import Signature, TensorSpec, signature_of

DEFAULT_TOP = 5


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. `reads` are files that must not be overwritten; `weights` says where they came from."""

    inputs: Sequence[str]
    batch: int | None
    output: Path | None
    top: int | None
    labels: Path | None
    reads: Sequence[Path]
    weights: str | None
    memory: int = DEFAULT_MEMORY
    """What batches may take, in bytes, where `batch` is None."""
    recursive: bool = False
    overwrite: bool = False
    raw: bool = False
    """In a table: every output as numbers, none as classes."""


def execute(program: Program, runtime: str, options: RunOptions, request: Request) -> Report:
    """Check everything that can be checked, run every batch, write `--output`. Failure where any of it cannot be."""
    for option, given in (("--overwrite", request.overwrite), ("--raw", request.raw)):
        if given:
            hint = "leave it out, or name a .jsonl, .csv or .parquet file with --output"
            raise fail(error("CNN401", f"{option} is about rows, which are not asked for", hint=hint))
    feed: Feed | None = None
    if isinstance(program, Network):  # data can be checked before a runtime is started
        feed = _read(program, signature_of(program.module.graph), runtime, options.device, request)
    session = find_runtime(runtime).open(program, options)
    feed = feed or _read(program, session.signature, runtime, session.about.device, request)
    if request.output is not None:
        check_destination(request.output, session.signature, [*request.reads, *feed.files])
    scores = scores_output(session.signature, request, feed.items is not None)
    labels = labels_of(request, scores)
    run = _Collected(scores.name if scores else None, request.output is not None)
    for batch in _with_progress(feed):
        run.add(batch, session.run(batch.arrays))
    report = _report(session, request, feed, run)
    report.labels = labels
    return report


def _read(program: Program, signature: Signature, runtime: str, device: str, request: Request) -> Feed:
    batch = request.batch or _batch(program, signature, runtime, device, request.memory)
    return read_inputs(request.inputs, signature, batch, request.recursive)


def _batch(program: Program, signature: Signature, runtime: str, device: str, budget: int) -> int:
    """How many pictures go in together where nobody said it: as memory allows, where the pictures' size is known."""
    spec = signature.inputs[0]
    size = fixed_size(spec) if len(signature.inputs) == 1 and spec.type.rank == 4 else None
    if size is None or isinstance(program, ModelFile):
        return BATCH
    memory = memory_of(program, signature, "cpu" if device == "auto" else device, budget, wide=runtime == "reference")
    return min(BATCH, memory.largest((int(str(spec.type.channels)), *size)))


@dataclass(slots=True)
class _Collected:
    """What is kept of the batches: ranges, the scores of classes, and whole outputs only where they are to be written."""

    scores: str | None
    keep: bool
    rows: list[str] = field(default_factory=list)
    statistics: dict[str, Statistics] = field(default_factory=dict)
    kept: list[dict[str, Array]] = field(default_factory=list)

    def add(self, batch: Batch, outputs: Mapping[str, Array]) -> None:
        self.rows.extend(batch.rows)
        for name, array in outputs.items():
            self.statistics.setdefault(name, Statistics()).add(array)
        self.kept.append({name: array for name, array in outputs.items() if self.keep or name == self.scores})


def _report(session: Session, request: Request, feed: Feed, run: _Collected) -> Report:
    notes = [*session.about.notes, *feed.notes]
    report = Report(session.signature.name, session.about, request.weights, notes, run.rows, run.statistics)
    outputs = joined(run.kept)
    if run.scores is not None:
        scores = outputs[run.scores]
        report.ranking, report.scores = rank_classes(scores, request.top or DEFAULT_TOP), run.scores
    if request.output is not None:
        report.written = write_outputs(request.output, outputs)
    return report


def labels_of(request: Request, scores: TensorSpec | None) -> list[str] | None:
    """The names of the classes, read before anything is computed."""
    if request.labels is None or scores is None:
        return None
    return read_labels(request.labels, scores.type.channels)


def scores_output(signature: Signature, request: Request, pictures: bool) -> TensorSpec | None:
    """The output to read classes from: the only one of [N, classes], if pictures went in or classes were asked for."""
    asked = request.top is not None or request.labels is not None
    found = [s for s in signature.outputs if s.type.dtype in FLOATS and s.type.rank == 2 and s.type.channels != 1]
    if len(found) == 1 and (asked or pictures):
        return found[0]
    if asked:
        outputs = ", ".join(f"`{spec.name}` {spec.type}" for spec in signature.outputs)
        option = "--top" if request.top is not None else "--labels"
        message = f"{option} needs one output of shape [N, classes]; {signature.name} gives {outputs}"
        raise fail(error("CNN401", message))
    return None


def _with_progress(feed: Feed) -> Iterator[Batch]:
    """The batches; for many pictures with a progress bar on stderr, where that is a terminal."""
    if feed.items is None or feed.items < 2 or not sys.stderr.isatty():
        yield from feed.batches
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("pictures", total=feed.items)
        for batch in feed.batches:
            yield batch
            progress.advance(task, len(batch.rows))
