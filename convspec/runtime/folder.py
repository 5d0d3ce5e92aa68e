"""A run over many pictures: decoded ahead by threads, run here in batches, and their rows written by one more thread."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from threading import Thread

from convspec.diagnostics import Failure, error, fail
from convspec.ir.types import Array
from convspec.runtime.base import Session
from convspec.runtime.batches import Memory
from convspec.runtime.checks import check_arrays
from convspec.runtime.classify import needs_softmax
from convspec.runtime.decoding import Decoded, decode_in_order
from convspec.runtime.listing import PictureFile
from convspec.runtime.pictures import fixed_size
from convspec.runtime.rows import Columns, Part, make_rows
from convspec.runtime.unfinished import Unfinished

SYNC_SECONDS = 10.0
"""How much work a power cut may cost, beside what the last batches took."""
_TOO_MANY = 20
_WAITING = 4
"""Parts that may wait to be written."""

Progress = Callable[[int, int], None]
"""Is told how many pictures are done, and how many of them could not be run."""


@dataclass(slots=True)
class Work:
    """All that a run over pictures needs. `adapt`: batches get smaller where the runtime gives up on them.

    `full`: a batch that is not full is filled up, since the runtime makes kernels anew for each size.
    """

    session: Session
    memory: Memory
    columns: Columns
    run: Unfinished
    adapt: bool
    full: bool
    problems: list[str] = field(default_factory=list)
    """The first few messages about pictures that could not be run."""
    notes: list[str] = field(default_factory=list)
    _fitting: dict[tuple[int, ...], Failure | None] = field(default_factory=dict)
    _vanished: int = 0
    _most: int | None = None
    """The largest batch that the runtime did not give up on, once it did."""

    def do(self, progress: Progress) -> None:
        """Run every picture that has no row yet. Failure where the run cannot go on; what is done is kept."""
        run, spec = self.run, self.session.signature.inputs[0]
        paths = [file.path for file in run.files[run.done :]]
        room = None if fixed_size(spec) is not None else self.memory.budget // 4
        place, errors = run.done, run.errors
        held: list[Part] = []  # no row says "gone" of pictures that a disk took with it when it went away
        with closing(decode_in_order(paths, spec, 2 * run.batch, room)) as pictures, _Writer(run, self.columns) as writer:
            while place < len(run.files):
                after = min(len(run.files), (place // run.batch + 1) * run.batch)
                part = self._part(pictures, run.files[place:after])
                held.append(part)
                place, errors = after, errors + sum(problem is not None for problem in part.errors)
                if not self._vanished or place == len(run.files):
                    for each in held:
                        writer.put(each)
                    held.clear()
                progress(place, errors)

    def _part(self, pictures: Iterator[Decoded], files: Sequence[PictureFile]) -> Part:
        """The next pictures, run: together while they have one shape and there is memory for them."""
        results: dict[int, Mapping[str, Array] | Failure] = {}
        waiting: dict[int, Array] = {}

        def run() -> None:
            results.update(zip(waiting, self._run(list(waiting.values())), strict=True))
            waiting.clear()

        for place, file in enumerate(files):
            picture = self._checked(next(pictures))
            self._watch(picture, file)
            if isinstance(picture, Failure):
                results[place] = picture
                continue
            if waiting and (len(waiting) >= self._largest(picture) or next(iter(waiting.values())).shape != picture.shape):
                run()
            waiting[place] = picture
        if waiting:
            run()
        return self._described([file.name for file in files], [results[place] for place in range(len(files))])

    def _watch(self, picture: Decoded, file: PictureFile) -> None:
        """Stop where one picture after another is gone that was there when this command began: a disk that went away."""
        gone = isinstance(picture, Failure) and file.name not in self.run.gone and not os.path.lexists(file.path)
        self._vanished = self._vanished + 1 if gone else 0
        if self._vanished >= _TOO_MANY:
            message = f"{_TOO_MANY} pictures in a row are not there any more, the last of them {file.path}"
            raise fail(error("CNN300", message, hint="bring them back, or repeat the command without them"))

    def _described(self, names: Sequence[str], results: Sequence[Mapping[str, Array] | Failure]) -> Part:
        errors = [self._message(result) if isinstance(result, Failure) else None for result in results]
        good = [result for result in results if not isinstance(result, Failure)]
        outputs = {spec.name: [result[spec.name] for result in good] for spec in self.session.signature.outputs}
        return Part(names, errors, outputs)

    def _largest(self, picture: Array) -> int:
        largest = self.memory.largest(picture.shape[1:]) if self.adapt else self.run.batch
        return min(largest, self._most or largest)

    def _checked(self, picture: Decoded) -> Decoded:
        """The picture, or why the network does not take one of its shape."""
        if isinstance(picture, Failure):
            return picture
        shape = picture.shape
        if shape not in self._fitting:
            spec, failure = self.session.signature.inputs[0], None
            batch = picture.repeat(self.memory.declared or 1, axis=0)
            try:
                check_arrays(self.session.signature, {spec.name: batch}, {spec.name: "the picture"})
            except Failure as found:
                failure = found
            self._fitting[shape] = failure
        return self._fitting[shape] or picture

    def _message(self, failure: Failure) -> str:
        diagnostic = failure.diagnostics[0]
        message = "; ".join([diagnostic.message, *diagnostic.notes])
        if len(self.problems) < 5:
            self.problems.append(message)
        return message

    # ── inference ────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self, pictures: Sequence[Array]) -> list[Mapping[str, Array] | Failure]:
        """The outputs of each picture; a Failure where the runtime gave up on one alone whose size is its own."""
        results: list[Mapping[str, Array] | Failure] = []
        while len(results) < len(pictures):
            size = self._most or len(pictures)
            some = pictures[len(results) : len(results) + size]
            try:
                results += self._run_together(some)
            except Failure as failure:
                if failure.diagnostics[0].code != "CNN307" or self.memory.declared is not None:
                    raise
                if len(some) > 1 and self.adapt:
                    self._most = len(some) // 2
                    self.notes.append(f"the runtime gave up on a batch of {len(some)}, so that {self._most} went in together")
                elif len(some) == 1 and fixed_size(self.session.signature.inputs[0]) is None:
                    results.append(failure)
                else:
                    raise
        return results

    def _run_together(self, pictures: Sequence[Array]) -> list[Mapping[str, Array] | Failure]:
        import numpy as np

        usual = min(self.run.batch, self._most or self.run.batch) if self.full else len(pictures)
        fill = (self.memory.declared or max(usual, len(pictures))) - len(pictures)
        filled = [*pictures, *([pictures[-1]] * fill)]
        batch = np.concatenate(filled) if len(filled) > 1 else pictures[0]
        outputs = self.session.run({self.session.signature.inputs[0].name: batch})
        for name, array in outputs.items():
            self._check_output(name, array, len(batch))
        return [{name: array[place] for name, array in outputs.items()} for place in range(len(pictures))]

    def _check_output(self, name: str, array: Array, count: int) -> None:
        if array.ndim == 0 or len(array) != count:
            shape = ", ".join(map(str, array.shape))
            message = f"the output `{name}` of {count} pictures is [{shape}]: it has no row for each picture"
            raise fail(error("CNN401", message, hint="write .npz, which takes outputs as they are"))
        scores, labels = self.columns.scores, self.columns.labels
        if scores is not None and labels is not None and name == scores.name and array.shape[1] != len(labels):
            message = f"there are {len(labels)} labels, but the network has {array.shape[1]} classes"
            raise fail(error("CNN401", message, hint="write one label a line, in the order of the classes"))


class _Writer:
    """The thread that makes rows and writes them, in the order in which parts are put."""

    def __init__(self, run: Unfinished, columns: Columns) -> None:
        self._run, self._columns = run, columns
        self._parts: Queue[Part | None] = Queue(_WAITING)
        self._problem: BaseException | None = None
        self._thread = Thread(target=self._work, name="convspec-write", daemon=True)

    def __enter__(self) -> _Writer:
        self._thread.start()
        return self

    def put(self, part: Part | None) -> None:
        """Hand over a part; waits while others wait. Raises what has stopped the writer."""
        while self._problem is None:
            try:
                return self._parts.put(part, timeout=0.5)
            except Full:
                continue
        raise self._problem

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Wait until everything that was put is written, also where the run was interrupted."""
        while self._thread.is_alive():
            with suppress(Full):
                self._parts.put(None, timeout=0.5)
                break
        self._thread.join()
        if self._problem is not None and kind is None:
            raise self._problem

    def _work(self) -> None:
        try:
            self._write_all()
        except BaseException as problem:  # raised by `put`, or when the run ends
            self._problem = problem

    def _write_all(self) -> None:
        last = time.monotonic()
        while True:
            try:
                part = self._parts.get(timeout=SYNC_SECONDS)
                if part is None:
                    break
                self._write(part)
            except Empty:
                pass
            if time.monotonic() - last >= SYNC_SECONDS:
                self._run.store.sync()
                last = time.monotonic()
        self._run.store.sync()

    def _write(self, part: Part) -> None:
        import numpy as np

        scores = self._scores(part)
        if scores and self._run.softmax is None:
            self._run.settle_softmax(needs_softmax(np.stack(scores)))
        self._run.store.add(make_rows(part, self._columns, bool(self._run.softmax)))

    def _scores(self, part: Part) -> Sequence[Array]:
        return [] if self._columns.scores is None else part.outputs[self._columns.scores.name]


__all__ = ["Progress", "Work"]
