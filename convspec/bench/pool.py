"""Subjects in processes of their own, from the side that asks: started together, sampled one at a time, ended together."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from typing import IO, Any, TypeVar

from convspec.bench.messages import Open, Opened, Outputs, Refused, Sample, Sampled, Usage, Used, Written
from convspec.bench.plan import Subject
from convspec.ir.types import Array

_Answer = TypeVar("_Answer")
_PATIENCE = 5.0
"""Seconds that a process has to end by itself."""
_QUIET = 0.005
"""Seconds between one subject's sample and the next one's."""


class LostError(Exception):
    """A subject ended or refused while it was measured."""

    def __init__(self, lane: Lane, refused: Refused) -> None:
        super().__init__(refused.message)
        self.lane, self.refused = lane, refused


@dataclass(eq=False)
class Lane:
    """One subject and its process."""

    subject: Subject
    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    opened: Opened | None = None
    refused: Refused | None = None
    latencies: list[float] = field(default_factory=list)
    """Seconds of every call that counted."""
    device_seconds: list[float] = field(default_factory=list)

    def open(self, arrays: str, sizes: Mapping[str, int]) -> None:
        """Ask it to load; `wait_open` has the answer, so that several load at once."""
        self._send(Open(self.subject, arrays, sizes))

    def wait_open(self) -> None:
        """`opened` or `refused` is set afterwards."""
        answer = self._receive()
        self.opened = answer if isinstance(answer, Opened) else None
        self.refused = answer if isinstance(answer, Refused) else None

    def sample(self, quantum: float, counted: bool = True) -> float:
        """The median seconds of the calls of one sample. LostError where the subject gives up.

        Before it, a moment of quiet: threads of the one before go on spinning for a while after their work is done.
        """
        time.sleep(_QUIET)
        answer = self._ask(Sample(quantum), Sampled)
        if counted:
            self.latencies += answer.seconds
            self.device_seconds += answer.device_seconds or []
        return median(answer.seconds)

    def outputs(self, folder: str) -> dict[str, Array]:
        """What it computes, by name. LostError where it gives up."""
        import numpy as np

        path = os.path.join(folder, f"outputs-{self.process.pid}.npz")
        answer = self._ask(Outputs(path), Written)
        with np.load(path) as stored:
            found = {name: stored[f"{number}"] for number, name in enumerate(answer.names)}
        os.unlink(path)
        return found

    def usage(self) -> Used:
        """The memory it has taken. LostError where it gives up."""
        return self._ask(Usage(), Used)

    def hang_up(self) -> None:
        """Nothing more will be asked."""
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()

    def close(self) -> None:
        """End the process, by force where it does not end by itself."""
        self.hang_up()
        try:
            self.process.wait(_PATIENCE)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def _ask(self, request: object, kind: type[_Answer]) -> _Answer:
        """The answer of that kind. One of another kind is what Ctrl+C kept from being read."""
        self._send(request)
        while True:
            answer = self._receive()
            if isinstance(answer, Refused):
                raise LostError(self, answer)
            if isinstance(answer, kind):
                return answer

    def _send(self, request: object) -> None:
        assert self.process.stdin is not None
        with suppress(OSError):  # it has ended; reading says how
            pickle.dump(request, self.process.stdin)
            self.process.stdin.flush()

    def _receive(self) -> object:
        assert self.process.stdout is not None
        try:
            answer: object = pickle.load(self.process.stdout)  # from the process that was started here
        except (EOFError, OSError, pickle.UnpicklingError):
            return self._ended()
        return answer

    def _ended(self) -> Refused:
        """How the process ended, and the last that it said."""
        code = self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip().splitlines()
        last = f": {said[-1]}" if said else ""
        if code == -getattr(signal, "SIGKILL", 9):
            return Refused(
                "CNN307", "its process was killed, as the system does where memory runs out", "a smaller batch may help"
            )
        how = f"signal {-code}" if code < 0 else f"status {code}"
        return Refused("CNN307", f"its process ended with {how}{last}")


class Lanes:
    """The processes of some subjects; as a context manager it ends them all, whatever happens."""

    def __init__(self) -> None:
        self._all: list[Lane] = []

    def __enter__(self) -> Lanes:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """All end by themselves when nothing more can be asked; after an error, or Ctrl+C, they are killed."""
        for lane in self._all:
            if kind is not None:
                lane.process.kill()
            lane.hang_up()
        for lane in self._all:
            lane.close()

    def start(self, subject: Subject, arrays: str, sizes: Mapping[str, int]) -> Lane:
        """A new process that begins to load; `wait_open` of the lane waits until it is done."""
        lane = _start(subject)
        self._all.append(lane)
        lane.open(arrays, sizes)
        return lane


def _start(subject: Subject) -> Lane:
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"}
    errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by close()
    own: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {}  # so that Ctrl+C does not reach it
    process = subprocess.Popen(
        [sys.executable, "-m", "convspec.bench.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment,
        **own,
    )
    return Lane(subject, process, errors)


__all__ = ["Lane", "Lanes", "LostError"]
