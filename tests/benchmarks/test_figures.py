"""A figure is held to its goal, and says so."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.figures import figure, main, read, skipped, speedup, write
from convspec.bench.timing import Comparison


def test_goals() -> None:
    assert figure("a", 10.0, 10).passed is True
    assert figure("a", 9.99, 10).passed is False
    assert figure("a", 9.99, 10, direction="at most").passed is True
    assert figure("a", 10.1, 10, direction="at most").passed is False
    assert figure("a", 5.0).passed is None


def test_nothing_passes_without_verify() -> None:
    found = figure("a", 100.0, 10, verified=False)
    assert found.passed is False and found.verdict == "FAIL" and "verify" in found.note


def test_what_cannot_be_measured_does_not_pass() -> None:
    found = skipped("a", "no GPU", 10)
    assert found.passed is None and found.verdict == "SKIPPED" and "not measured" in str(found)


def test_speedup_is_of_pairs() -> None:
    group = {"slow": (10.0, 20.0, 30.0), "quick": (1.0, 2.0, 3.0), "slow (again)": (11.0, 20.0, 30.0)}
    found = speedup("a", Comparison("slow", "slow (again)", (group, group)), "quick", 10)
    assert found.value == pytest.approx(10) and found.interval == pytest.approx((10, 10)) and found.control == pytest.approx(1)
    assert str(found).startswith("PASS") and "at least 10" in str(found)


def test_round_trip(tmp_path: Path) -> None:
    figures = [figure("a", 12.5, 10, interval=(12.0, 13.0), control=1.01, unit="x", note="n"), figure("b", 1.0)]
    write(tmp_path / "results" / "f.json", [*figures, skipped("c", "why", 3)])
    again = read(tmp_path / "results" / "f.json")
    assert again[:2] == figures and math.isnan(again[2].value) and again[2].goal == 3


def test_exit_status(tmp_path: Path) -> None:
    assert main("x", lambda quick: [figure("a", 1.0, 2)], ["--quick"]) == 1
    assert main("x", lambda quick: [figure("a", 3.0, 2), skipped("b", "why", 1)], ["--json", str(tmp_path / "x.json")]) == 0
    assert [each.name for each in read(tmp_path / "x.json")] == ["a", "b"]
