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


def guarded(command: Callable[_P, None]) -> Callable[_P, None]:
    """The command with its mistakes explained. It takes an option `output_format` (a Format), which says how."""

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
            _report(failure.diagnostics, kwargs.get("output_format") == Format.json)
        except MemoryError:
            _report([error("CNN307", "there is not enough memory for this")], kwargs.get("output_format") == Format.json)
        except OSError as problem:
            _output_failed(problem)
        except Exception:
            _bug()

    return run


def _report(diagnostics: Sequence[Diagnostic], as_json: bool) -> None:
    """Diagnostics to stderr, or as JSON to stdout; exit status 1."""
    from convspec.diagnostics.render import render, to_json

    if as_json:
        write_json({"diagnostics": to_json(diagnostics)})
    else:
        sys.stderr.write(render(diagnostics, colour=_colourful()))
    raise click.exceptions.Exit(1)


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
        _report([error("CNN400", f"cannot write the results: {(problem.strerror or str(problem)).lower()}")], as_json=False)
    _bug()


def _bug() -> None:
    import traceback

    from convspec.version import VERSION

    sys.stderr.write(
        f"convspec {VERSION} has failed; this is a bug in convspec, not a mistake of yours.\n"
        "Please report it with the spec, the command and these lines:\n\n" + traceback.format_exc()
    )
    raise click.exceptions.Exit(BUG)
