"""What surrounds every command: mistakes become diagnostics and exit status 1, bugs are called bugs; never a bare traceback.

Exit status: 0 done; 1 the user's mistake; 2 usage (click's own); 70 a bug in convspec; 130 interrupted; 141 the reader of our
output went away (as a shell reports SIGPIPE).
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import wraps
from typing import ParamSpec

import click

from convspec.diagnostics import Diagnostic, Failure, error

BUG, INTERRUPTED, PIPE_CLOSED = 70, 130, 141
_P = ParamSpec("_P")


class Format(StrEnum):
    """How results and diagnostics are written."""

    text = "text"
    json = "json"


class ReportFormat(StrEnum):
    """How diagnostics are written where they are all that there is: SARIF for code scanning, github for a workflow's log."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


def guarded(command: Callable[_P, None]) -> Callable[_P, None]:
    """The command with its mistakes explained. Its option `output_format`, if it has one, says how."""

    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except (click.exceptions.Exit, click.Abort, click.BadParameter):
            raise
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except Failure as failure:
            _report(failure.diagnostics, kwargs.get("output_format"))
        except MemoryError:
            _report([error("CNN307", "there is not enough memory for this")], kwargs.get("output_format"))
        except OSError as problem:
            _output_failed(problem)
        except Exception:
            _bug()

    return run


def _report(diagnostics: Sequence[Diagnostic], output_format: object = None) -> None:
    """Diagnostics to stderr, or to stdout in a form for programs; exit status 1."""
    write_diagnostics(diagnostics, output_format)
    raise click.exceptions.Exit(1)


def write_diagnostics(diagnostics: Sequence[Diagnostic], output_format: object = None) -> None:
    """Diagnostics as text to stderr, or to stdout in a form for programs, a member of Format or ReportFormat."""
    from convspec.diagnostics import reports
    from convspec.diagnostics.render import render, to_json

    match output_format:
        case Format.json | ReportFormat.json:
            write_json({"diagnostics": to_json(diagnostics)})
        case ReportFormat.sarif:
            write_json(reports.to_sarif(diagnostics))
        case ReportFormat.github:
            sys.stdout.write(reports.to_github(diagnostics))
        case _:
            sys.stderr.write(render(diagnostics, colour=_colourful()))


def write_json(value: object) -> None:
    """One JSON value to stdout, ended by a newline."""
    import json

    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def _colourful() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _output_failed(problem: OSError) -> None:
    """A pipe that was closed is no mistake; a stdout that cannot take the results (a full disk) is."""
    if problem.errno == errno.EPIPE:
        # What is still buffered would raise again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(PIPE_CLOSED)
    if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        _report([error("CNN400", f"cannot write the results: {(problem.strerror or str(problem)).lower()}")])
    _bug()


def _bug() -> None:
    import traceback

    from convspec.version import VERSION

    sys.stderr.write(
        f"convspec {VERSION} has failed; this is a bug in convspec, not a mistake of yours.\n"
        "Please report it with the spec, the command and these lines:\n\n" + traceback.format_exc()
    )
    raise click.exceptions.Exit(BUG)
