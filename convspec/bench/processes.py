"""Functions run in fresh processes, and a comparison repeated in several of them and pooled.

A fresh process has its own memory layout, allocator state and clock speed, which differ from one to the next by more than the
rounds inside one: a ratio that is to hold for others is measured in at least three. Memory too is measured in a process that
did nothing else before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from convspec.bench.timing import Comparison, compare, pooled

PROCESSES = 3


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a function returned in a process of its own, and the most memory that this process had resident, in bytes."""

    value: Any
    peak: int | None


class ChildError(Exception):
    """The process ended without a result. `code` is its exit status, negative for a signal; `said` the end of its stderr."""

    def __init__(self, function: str, code: int, said: str) -> None:
        last = said.strip().splitlines()[-1] if said.strip() else "it said nothing"
        super().__init__(f"{function} ended with {code} in its own process: {last}")
        self.code, self.said = code, said


def fresh(
    function: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Fresh:
    """Call `function` ("package.module:name") with keyword `arguments` in a new process.

    Arguments and result are plain JSON values. `environment` is added to this process's own. Modules are found as they are
    here. ChildError where the process fails; subprocess.TimeoutExpired after `timeout` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="convspec-bench-", ignore_cleanup_errors=True) as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "convspec.bench.child", function, json.dumps(dict(arguments or {})), str(result)]
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        child = {**os.environ, "PYTHONPATH": path, **(environment or {})}
        # What it prints is the frameworks' chatter; results come through the file.
        done = subprocess.run(
            command, env=child, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=timeout, check=False
        )
        if done.returncode != 0 or not result.exists():
            raise ChildError(function, done.returncode, done.stderr.decode(errors="replace")[-8000:])
        answer = json.loads(result.read_text())
    return Fresh(answer["value"], answer["peak"])


def compare_in_processes(
    subjects: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    processes: int = PROCESSES,
    rounds: int = 10,
    warmup: int = 1,
    baseline: str | None = None,
    control: bool = True,
    budget: float | None = None,
    least_rounds: int = 5,
    calls: int | Mapping[str, int] = 1,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    after_process: Callable[[int], None] | None = None,
) -> Comparison:
    """The comparison that `compare` makes, in each of `processes` fresh processes one after the other, pooled.

    `subjects` ("package.module:name") is a function that returns the subjects by name when it is called with `arguments`;
    `rounds`, `warmup`, `budget` and the others hold for each process, each with its own random order. The errors of `fresh`.
    """
    found = []
    for number in range(processes):
        settings = {
            "rounds": rounds, "warmup": warmup, "baseline": baseline, "control": control, "budget": budget,
            "least_rounds": least_rounds, "calls": calls if isinstance(calls, int) else dict(calls), "seed": number,
        }  # fmt: skip
        request = {"subjects": subjects, "arguments": dict(arguments or {}), "settings": settings}
        answer = fresh("convspec.bench.processes:_compare", request, environment=environment, timeout=timeout).value
        found.append(Comparison(answer["baseline"], answer["control"], (answer["group"],), answer["interrupted"]))
        if after_process is not None:
            after_process(number + 1)
    return pooled(found)


def _compare(subjects: str, arguments: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What `compare_in_processes` runs in each process."""
    done = compare(find(subjects)(**arguments), **settings)
    group = {name: list(seconds) for name, seconds in done.groups[0].items()}
    return {"baseline": done.baseline, "control": done.control, "group": group, "interrupted": done.interrupted}


def find(function: str) -> Callable[..., Any]:
    """The function that "package.module:name" names."""
    module, _, name = function.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


__all__ = ["PROCESSES", "ChildError", "Fresh", "compare_in_processes", "find", "fresh"]
