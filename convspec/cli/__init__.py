"""The command line. `main` is what the console script calls; one file a command, which imports only what it uses."""

from __future__ import annotations

from typing import NoReturn

_OBJECTS = 100_000
"""After how many new objects Python looks for cycles. Most commands are imports and a small graph, all of which stays."""


def main() -> NoReturn:
    """Run the command line on `sys.argv` and exit: 0 done, 1 the user's mistake, 2 usage, 70 a bug, 130 interrupted."""
    import gc
    import io
    import sys

    gc.set_threshold(_OBJECTS)
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no reason to fail
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        from convspec.cli.app import app

        app()
    except KeyboardInterrupt:  # before a command took charge
        sys.exit(130)
    finally:
        gc.freeze()  # Python looks for cycles as it exits; all memory goes back at once anyway
    raise AssertionError("click always exits")  # pragma: no cover
