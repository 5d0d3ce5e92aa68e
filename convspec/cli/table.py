"""`convspec run` into a table: a row for each picture, in a file that an interrupted run continues."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import click

from convspec.cli.guard import INTERRUPTED, write_json
from convspec.cli.progress import Progress
from convspec.cli.running import DEFAULT_TOP, Request, labels_of, scores_output
from convspec.diagnostics import Diagnostic, Failure, error, fail
from convspec.diagnostics.render import render
from convspec.files import explained
from convspec.records import dataclass
from convspec.runtime.base import Network, Program, RunOptions, Session, find_runtime
from convspec.runtime.batches import Memory, memory_of
from convspec.runtime.folder import Work
from convspec.runtime.inputs import picture_sources
from convspec.runtime.listing import Listing, find_pictures
from convspec.runtime.makes import what_makes
from convspec.runtime.outputs import check_place
from convspec.runtime.pictures import fixed_size
from convspec.runtime.rows import Columns, shown_name
from convspec.runtime.signature import Signature, signature_of
from convspec.runtime.stores import KINDS
from convspec.runtime.unfinished import Unfinished, start_or_continue

TERMINATED = 143
_BATCHES = 8
"""At least so many batches, where there are as many pictures."""


def is_table(output: Path | None) -> bool:
    """Whether `--output` takes a row for each picture."""
    return output is not None and output.suffix.lower() in KINDS


@dataclass(frozen=True, slots=True)
class TableReport:
    """What a run into a table shows at its end."""

    work: Work
    request: Request
    notes: Sequence[str]
    before: int
    progress: Progress

    @property
    def session(self) -> Session:
        return self.work.session

    @property
    def run(self) -> Unfinished:
        return self.work.run

    @property
    def columns(self) -> Columns:
        return self.work.columns

    def write(self, as_json: bool) -> None:
        """To stdout; pictures that could not be run to stderr, and exit status 1 where there are any."""
        if as_json:
            write_json(self._json())
        else:
            sys.stdout.write("\n".join(self._lines()) + "\n")
        if self.run.errors:
            sys.stdout.flush()
            sys.stderr.write(render([self._errors()]))
            raise click.exceptions.Exit(1)

    def _errors(self) -> Diagnostic:
        count, where = self.run.errors, shown_name(str(self.run.target))
        more = ["…"] if count > len(self.work.problems) else []
        message = f"{count:,} of {len(self.run.files):,} pictures could not be run; `error` in {where} says why"
        return error("CNN300", message, notes=[*map(shown_name, self.work.problems), *more])

    def _lines(self) -> Iterator[str]:
        about = self.session.about
        yield f"{self.session.signature.name} on {about.runtime} {about.version}, device {about.device} ({about.provider})"
        yield from self.notes
        if self.request.weights is not None:
            yield f"weights: {self.request.weights}"
        if self.columns.scores is not None and self.run.softmax is not None:
            how = "softmax of" if self.run.softmax else "as they stand in"
            yield f"probabilities: {how} `{self.columns.scores.name}`"
        before = f", {self.before:,} of them before" if self.before else ""
        yield f"pictures: {len(self.run.files):,}{before}, in batches of {self.run.batch}"
        yield f"wrote {self.run.target}"

    def _json(self) -> dict[str, Any]:
        about = self.session.about
        return {
            "model": self.session.signature.name,
            "runtime": about.runtime,
            "version": about.version,
            "device": about.device,
            "provider": about.provider,
            "weights": self.request.weights,
            "notes": list(self.notes),
            "softmax": self.run.softmax,
            "classes_from": self.columns.scores.name if self.columns.scores else None,
            "pictures": len(self.run.files),
            "errors": self.run.errors,
            "before": self.before,
            "batch": self.run.batch,
            "seconds": self.progress.seconds,
            "pictures_per_second": self.progress.speed,
            "written": [str(self.run.target)],
        }


def execute_table(program: Program, runtime: str, options: RunOptions, request: Request) -> TableReport:
    """Run every picture that has no row yet, and put the table in place. Failure where any of it cannot be."""
    assert request.output is not None
    if request.output.suffix.lower() == ".parquet":
        from convspec.runtime.parquet import require_pyarrow

        require_pyarrow()
    sources: list[Path] | None = None
    if isinstance(program, Network):  # data can be checked before a runtime is started
        sources = _sources(request, signature_of(program.module.graph))
    session = find_runtime(runtime).open(program, options)
    sources = sources or _sources(request, session.signature)
    listing = find_pictures(sources, request.recursive)
    _leave_out_repeated(listing)
    check_place(request.output, [*request.reads, *sources])
    columns = _columns(session.signature, request)
    memory = memory_of(program, session.signature, session.about.device, request.memory, wide=runtime == "reference")
    usual, notes = _usual_batch(memory, len(listing.files))
    makes = what_makes(program, session, options, columns, sources, request.recursive)
    asked = memory.declared or request.batch
    run = start_or_continue(request.output, makes, listing.files, asked, usual, columns, request.overwrite)
    adapt = request.batch is None
    notes = [*session.about.notes, *listing.notes, *(notes if adapt else ()), *run.notes]
    full = (options.compile or options.cuda_graph) and fixed_size(session.signature.inputs[0]) is not None
    work = Work(session, memory, columns, run, adapt, full)
    return _do(work, request, notes)


def _do(work: Work, request: Request, notes: list[str]) -> TableReport:
    run = work.run
    before = run.done
    if before:
        sys.stderr.write(f"continuing: {before:,} of {len(run.files):,} pictures are done\n")
    try:
        with _told(run), _stoppable(), Progress(len(run.files), before) as progress:
            with explained(run.folder):
                work.do(progress.update)
            run.finish()
    finally:
        run.leave()
    progress.summary()
    return TableReport(work, request, [*notes, *work.notes], before, progress)


def _sources(request: Request, signature: Signature) -> list[Path]:
    """The pictures and folders. Failure CNN401 for arrays: their rows have no names that a later run would know."""
    sources = picture_sources(request.inputs, signature)
    if sources is None:
        message = f"{request.output} takes a row for each picture, but the data is arrays"
        raise fail(error("CNN401", message, hint="name an .npz file, an .npy file or a folder"))
    return sources


def _leave_out_repeated(listing: Listing) -> None:
    once = list({file.name: file for file in listing.files}.values())
    if len(once) < len(listing.files):
        count = len(listing.files) - len(once)
        what = "picture that was named more than once has" if count == 1 else "pictures that were named more than once have"
        listing.notes.append(f"{count} {what} one row")
        listing.files[:] = once


def _columns(signature: Signature, request: Request) -> Columns:
    if request.raw and (request.top is not None or request.labels is not None):
        option = "--top" if request.top is not None else "--labels"
        raise fail(error("CNN401", f"{option} is about classes, but --raw writes every output as numbers"))
    scores = None if request.raw else scores_output(signature, request, pictures=True)
    labels = labels_of(request, scores)
    if labels is not None:  # JSON lists can hold what no text file can
        labels = [label.encode("utf-8", "backslashreplace").decode() for label in labels]
    top = request.top or DEFAULT_TOP
    if scores is not None and isinstance(scores.type.channels, int):
        top = min(top, scores.type.channels)
    batch = signature.inputs[0].type.shape[0]
    for spec in signature.outputs:
        if not spec.type.shape or (isinstance(spec.type.shape[0], int) and spec.type.shape[0] != batch):
            message = f"the output `{spec.name}` is {spec.type}: it has no row for each picture"
            raise fail(error("CNN401", message, spec.span, hint="write .npz, which takes outputs as they are"))
    return Columns(scores, top, labels, tuple(spec for spec in signature.outputs if spec is not scores))


def _usual_batch(memory: Memory, count: int) -> tuple[int, list[str]]:
    """The batch that the memory allows, and a note where it does not allow even one of `count` pictures.

    A few pictures go in by fewer: while the first batch is decoded, nothing runs.
    """
    spec = memory.signature.inputs[0]
    size = fixed_size(spec)
    if size is None:  # each picture's own size decides; this is how many are looked at together
        return memory.declared or memory.most, []
    few = memory.declared or max(1, count // _BATCHES)
    shape = (int(str(spec.type.channels)), *size)
    each = memory.each(shape)
    notes = []
    if each is not None and each > memory.budget:
        notes.append(f"one picture takes about {_size(each)}, which is more than --memory allows")
    return min(few, memory.largest(shape)), notes


def _size(count: float) -> str:
    """Bytes as `5.2 kB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} GB"


# ── interruption ─────────────────────────────────────────────────────────────────────────────────────────────


class _Terminated(KeyboardInterrupt):
    """SIGTERM."""


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM stops the run as Ctrl+C does: what is done is kept."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Terminated

    previous = None
    with suppress(ValueError):  # not in the main thread, where signals cannot be had
        previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)


@contextmanager
def _told(run: Unfinished) -> Iterator[None]:
    """Say what is kept where the run does not come to its end."""
    try:
        yield
    except KeyboardInterrupt as problem:
        sys.stderr.write(f"interrupted: {_kept(run)}\n")
        raise click.exceptions.Exit(TERMINATED if isinstance(problem, _Terminated) else INTERRUPTED) from None
    except (Failure, MemoryError):
        sys.stderr.write(f"stopped: {_kept(run)}\n")
        raise


def _kept(run: Unfinished) -> str:
    if not run.done:
        return "no picture was done yet"
    return f"{run.done:,} of {len(run.files):,} pictures are done and kept; the same command continues"


__all__ = ["TableReport", "execute_table", "is_table"]
