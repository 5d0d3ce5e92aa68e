"""Subjects in this process instead of their own, for tests of what surrounds them: a process each takes its time to start."""

from __future__ import annotations

import io
import subprocess
from typing import cast

from convspec.bench.plan import Subject
from convspec.bench.pool import Lane
from convspec.bench.worker import Worker


class _NoProcess:
    """Stands where a lane has its process."""

    pid = 0

    def kill(self) -> None:
        """There is none."""


class LocalLane(Lane):
    """A lane whose worker answers here."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject, cast("subprocess.Popen[bytes]", _NoProcess()), io.BytesIO())
        self.worker = Worker()
        self.pending: object = None

    def _send(self, request: object) -> None:
        self.pending = self.worker.answer(request)

    def _receive(self) -> object:
        return self.pending

    def hang_up(self) -> None:
        """Nothing to hang up."""

    def close(self) -> None:
        """Nothing to end."""
