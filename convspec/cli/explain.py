"""`convspec explain`: a layer, an error code or a library of blocks, in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

from convspec.cli.declare import Argument, command
from convspec.cli.guard import Format, guarded, write_json
from convspec.cli.options import OutputFormat

EXAMPLES = """Examples:

convspec explain conv

convspec explain CNN031

convspec explain std:attention"""

_TOPIC = "A layer, an error code, a library or a block in one. Without it: the list of all."


@command("explain", epilog=EXAMPLES)
@guarded
def explain(
    topic: Annotated[str | None, Argument("TOPIC", help=_TOPIC)] = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Explain a layer, an error code, or a library of blocks."""
    from convspec.explain.topics import index, page

    found = index() if topic is None else page(topic)
    text = found.markdown()
    if output_format is Format.json:
        write_json({"title": found.title, "markdown": text})
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        sys.stdout.write(text)
