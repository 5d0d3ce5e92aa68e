"""What a run of many pictures says while it works."""

from __future__ import annotations

import sys

import pytest

from convspec.cli import progress as shown


def test_plain_lines_are_sparse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    monkeypatch.setattr("convspec.cli.progress.time.monotonic", lambda: now[0])
    with shown.Progress(1000, 200) as progress:
        for done in range(200, 1001):
            now[0] = (done - 200) * 0.5
            progress.update(done, errors=3 if done > 500 else 0)
    progress.summary()
    assert capsys.readouterr().err.splitlines() == [
        "220 of 1,000 pictures, 2.0 a second, 6 min 30 s left",
        "340 of 1,000 pictures, 2.0 a second, 5 min 30 s left",
        "460 of 1,000 pictures, 2.0 a second, 4 min 30 s left",
        "580 of 1,000 pictures, 2.0 a second, 3 min 30 s left, 3 could not be run",
        "700 of 1,000 pictures, 2.0 a second, 2 min 30 s left, 3 could not be run",
        "820 of 1,000 pictures, 2.0 a second, 1 min 30 s left, 3 could not be run",
        "940 of 1,000 pictures, 2.0 a second, 30 s left, 3 could not be run",
        "800 pictures in 6 min 40 s, 2.0 a second",
    ]


def test_a_short_run_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with shown.Progress(3, 0) as progress:
        progress.update(3, 0)
    progress.summary()
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with shown.Progress(10, 0) as progress:
        progress.update(10, 1)
    progress.summary()
    assert "10 pictures in " in capsys.readouterr().err
    assert shown.span(3700) == "1 h 1 min"
