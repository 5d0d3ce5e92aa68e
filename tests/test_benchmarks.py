"""The benchmark scripts hang together, and the README says what was measured."""

from __future__ import annotations

import importlib
import json
import math
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import readme
from benchmarks.figures import Figure, figure, read, render, skipped, write


def test_the_readme_has_the_figures_that_were_measured() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert readme.renewed(text) == text, "python -m benchmarks.readme"


def test_the_readme_says_what_ran_on_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    for name, processor in {"compile": "Fast", "memory": "Slow", "pytorch": "Fast", "page": "Slow", "int8": "Slow"}.items():
        about = {"processor": processor, "cores": 2, "system": "Linux", "python": "3.11"}
        (tmp_path / f"{name}.json").write_text(json.dumps({"machine": about, "figures": []}))
    first = readme.table().splitlines()[1]
    fast = "benchmarks/compile.py, benchmarks/pytorch.py on Fast, 2 cores, Linux, Python 3.11"
    assert first == f"Measured on Slow, 2 cores, Linux, Python 3.11; {fast}."


@pytest.mark.parametrize("name", command.SCRIPTS)
def test_every_script_is_there(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").figures)


def test_a_goal_decides_in_its_direction() -> None:
    assert figure("a", 2.0, 1.5).verdict == "PASS"
    assert figure("a", 1.4, 1.5).verdict == "FAIL"
    assert figure("a", 2.0, 1.5, direction="at most").verdict == "FAIL"
    assert figure("a", 2.0).verdict == ""
    assert skipped("a", "there is no GPU", 1.5).verdict == "SKIPPED"


def test_nothing_passes_that_verify_did_not() -> None:
    assert figure("a", 100.0, 1.5, verified=False).verdict == "FAIL"


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    given = [figure("a", 1.25, 1.0, interval=(1.2, 1.3), control=1.01, unit="x"), skipped("b", "no GPU", 2.0)]
    write(tmp_path / "f.json", given)
    found = read(tmp_path / "f.json")
    assert found[0] == given[0]
    assert math.isnan(found[1].value) and found[1].note == "no GPU"
    assert render(found) == render(given)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([[Figure("a", 1.0, 0.5, True)]], 0),
        ([[Figure("a", 1.0, 2.0, False)]], 1),
        ([[Figure("a", 1.0, 0.5, True)], None], 1),
        ([[skipped("a", "no GPU", 1.0)]], 0),
    ],
    ids=["met", "missed", "a script broke", "not measured"],
)
def test_the_verdict(results: list[list[Figure] | None], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert command._verdict(results) == code
    assert "passed" in capsys.readouterr().out


def test_an_unknown_script_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["nonsense"])
    assert "nonsense" in capsys.readouterr().err
