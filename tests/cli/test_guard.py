"""What surrounds every command: bugs are called bugs, interruptions and closed pipes are quiet, full disks are told."""

from __future__ import annotations

import errno
import json
import sys

import pytest

from tests.cli.helpers import convspec


def failing(monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise problem

    monkeypatch.setattr("convspec.elaborate.opened", fail)


def test_a_bug_is_called_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ZeroDivisionError("division by zero"))
    done = convspec("check", "small.cnn")
    assert (done.code, done.out) == (70, "")
    lines = done.err.splitlines()
    assert lines[:2] == [
        "convspec 0.1.0 has failed; this is a bug in convspec, not a mistake of yours.",
        "Please report it with the spec, the command and these lines:",
    ]
    assert lines[3] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_an_interruption_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    done = convspec("check", "small.cnn")
    assert (done.code, done.out, done.err) == (130, "", "")


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_want_of_memory_is_told(monkeypatch: pytest.MonkeyPatch, output_format: str) -> None:
    failing(monkeypatch, MemoryError())
    done = convspec("check", "small.cnn", "--format", output_format)
    assert done.code == 1
    if output_format == "text":
        assert done.err == "error[CNN307]: there is not enough memory for this\n"
    else:
        assert [d["code"] for d in json.loads(done.out)["diagnostics"]] == ["CNN307"]


def test_a_full_disk_behind_stdout_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    done = convspec("check", "small.cnn")
    assert (done.code, done.err) == (1, "error[CNN400]: cannot write the results: no space left on device\n")


def test_other_errors_of_the_system_are_bugs(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, PermissionError(errno.EACCES, "Permission denied"))
    assert convspec("check", "small.cnn").code == 70


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    from convspec.cli.guard import _colourful

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert _colourful()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not _colourful()
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not _colourful()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    assert not _colourful()


@pytest.mark.parametrize("command", ["check", "summary", "compile", "run"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = convspec(command, "--help")
    assert done.code == 0
    assert f"convspec {command} " in done.out.partition("Examples:")[2]


def test_the_version() -> None:
    assert convspec("--version").out == "convspec 0.1.0\n"
