"""`convspec lsp`: the language server, started by an editor."""

from __future__ import annotations

from typing import Annotated

import click

from convspec.cli.declare import Option, command
from convspec.cli.guard import guarded
from convspec.diagnostics import error, fail

EXAMPLES = """Examples:

convspec lsp

convspec lsp --check"""

_CHECK = "Say in one line what would run, and end; exit status 1 where something is missing."
_STDIO = "Speak through standard input and output. There is no other way; editors pass it."


@command("lsp", epilog=EXAMPLES)
@guarded
def lsp(
    check: Annotated[bool, Option("--check", help=_CHECK)] = False,
    stdio: Annotated[bool, Option("--stdio", help=_STDIO)] = False,
) -> None:
    """Serve an editor: diagnostics, shapes, completion and the rest, by the Language Server Protocol.

    It speaks through standard input and output and is started by the editor; docs/editor.md says how to set up yours.
    """
    try:
        from convspec.lsp.server import about, run
    except ImportError as problem:
        if not (problem.name or "").startswith(("pygls", "lsprotocol")):
            raise
        hint = "pip install 'convspec[lsp]'"
        raise fail(error("CNN303", "the language server needs pygls, which is not installed", hint=hint)) from None
    if check:
        click.echo(about())
    else:
        run()
