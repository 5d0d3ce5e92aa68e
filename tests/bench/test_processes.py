"""Functions in processes of their own: results, memory, failures."""

from __future__ import annotations

import subprocess

import pytest

from convspec.bench.memory import peak_memory, resident_memory
from convspec.bench.processes import ChildError, compare_in_processes, fresh

HERE = "tests.bench.subjects"


def test_the_result_comes_back_whatever_the_function_prints() -> None:
    assert fresh(f"{HERE}:add", {"one": 2, "other": 3}).value == 5
    assert fresh(f"{HERE}:chatter").value == [1, 2]


def test_the_environment_is_added_to() -> None:
    assert fresh(f"{HERE}:environment", {"name": "CONVSPEC_X"}, environment={"CONVSPEC_X": "yes"}).value == "yes"
    assert fresh(f"{HERE}:environment", {"name": "PATH"}).value


def test_the_peak_is_that_of_the_child_alone() -> None:
    """Not of this process, which a child's `ru_maxrss` would begin with."""
    block = bytearray(300 * 2**20)
    block[:: 2**10] = b"x" * len(block[:: 2**10])
    small, large = fresh(f"{HERE}:large", {"megabytes": 1}).peak, fresh(f"{HERE}:large", {"megabytes": 101}).peak
    del block
    assert small is not None and large is not None
    assert small < 200 * 2**20
    assert large - small == pytest.approx(100 * 2**20, rel=0.1)


def test_memory_of_this_process() -> None:
    peak, now = peak_memory(), resident_memory()
    assert peak is not None and now is not None and 2**20 < now <= peak


def test_failures_are_told_with_what_the_child_said() -> None:
    with pytest.raises(ChildError, match="no such thing") as caught:
        fresh(f"{HERE}:failing")
    assert "Traceback" in caught.value.said
    with pytest.raises(ChildError, match="ended with 9"):
        fresh(f"{HERE}:dying")


def test_a_child_that_takes_too_long_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        fresh(f"{HERE}:add", {"one": 1, "other": 1}, timeout=0.001)


def test_a_comparison_in_processes_is_pooled() -> None:
    done: list[int] = []
    found = compare_in_processes(
        f"{HERE}:sleepers", {"factor": 20.0}, processes=2, rounds=6, warmup=1, calls=20, after_process=done.append
    )
    assert done == [1, 2]
    assert len(found.groups) == 2 and found.rounds == 12 and found.subjects == ["base", "other"]
    assert found.control == "base (again)"
    # Twenty times the work: this holds on any machine, however busy, and shows that the pairs are not swapped.
    assert found.speedup("other").value < 0.5
