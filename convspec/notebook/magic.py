"""`%%cnn`: a cell of a notebook is a spec, and becomes a network.

Imported by `load_ipython_extension` alone: it needs IPython.
"""

from __future__ import annotations

from argparse import Namespace
from keyword import iskeyword
from pathlib import Path
from shlex import split
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

from convspec import api
from convspec.cli.values import parse_settings, parse_sizes
from convspec.diagnostics import Failure
from convspec.diagnostics.render import render
from convspec.lint import warnings
from convspec.records import dataclass

_ABOUT = """Compile the cell, a whole spec, and give its network to a variable. Other cells are not seen: what they share goes
into a file (%%writefile blocks.cnn), from which they `use` it. Where the cell is wrong, the variable keeps what it had."""


@dataclass(eq=False)
class CellFailure(Failure):
    """What was wrong with a cell. IPython shows the diagnostics, where it would show a traceback; the cell has failed."""

    colour: bool = True

    def _render_traceback_(self) -> list[str]:
        """What IPython asks of an exception that shows itself: lines, with ANSI codes where it has colours."""
        return render(self.diagnostics, colour=self.colour).rstrip("\n").split("\n")


def register(shell: Any) -> None:
    """Give an IPython shell the cell magic."""
    parser = _parser()

    def cnn(line: str, cell: str) -> Any:
        return compile_cell(shell, _parsed(parser, line), cell)

    cnn.__doc__ = parser.format_help()  # what `%%cnn?` shows
    shell.register_magic_function(cnn, "cell", "cnn")


def compile_cell(shell: Any, chosen: Namespace, cell: str) -> api.Net | None:
    """The network of a cell, given to the variable and shown. CellFailure where there is a mistake in it."""
    try:
        net = _network(cell, f"In [{shell.displayhook.prompt_count}]", chosen)
    except Failure as failure:
        raise CellFailure(failure.diagnostics, _in_colour(shell)) from None
    shell.push({chosen.name: net})
    suspicious = warnings(net.module)
    if suspicious:
        print(render(suspicious, colour=_in_colour(shell)))
    return None if chosen.quiet else net


def _in_colour(shell: Any) -> bool:
    return str(shell.colors).lower() != "nocolor"


def _network(cell: str, name: str, chosen: Namespace) -> api.Net:
    net = api.loads(
        "\n" + cell,  # lines are counted as the notebook counts them: the first is that of the magic
        name,
        chosen.model,
        parse_settings(chosen.set or []),
        None if chosen.weights is None else Path(chosen.weights).expanduser(),
        chosen.seed,
        sizes=parse_sizes(chosen.sizes or []),
        root=Path(chosen.root).expanduser(),
    )
    if chosen.weights is not None:
        _ = net.conversion  # weights that do not fit are an error of this cell, and not of a later one
    return net


def _parser() -> Any:
    parser = MagicArgumentParser("%%cnn", description=_ABOUT)
    add = parser.add_argument
    add("name", nargs="?", default="net", help="The variable that the network is given to; net by default.")
    add("--model", metavar="NAME", help="The model or configuration, where the cell has several.")
    add("--set", metavar="NAME=VALUE", action="append", help="Give a parameter of the model a value. May be repeated.")
    add("--sizes", metavar="NAME=INT,…", action="append", help="Fix symbolic sizes of the inputs: N=1,h=7,w=7.")
    add("--weights", metavar="FILE", help="A file with weights by label; without it they are drawn from the seed.")
    add("--seed", metavar="N", type=int, default=0, help="Where initial weights are drawn from.")
    add("--root", metavar="DIR", default=".", help="The folder that imports begin in and stay inside; the current one.")
    add("--quiet", action="store_true", help="Do not show the network, only what is wrong.")
    return parser


def _parsed(parser: Any, line: str) -> Namespace:
    """The options of a line, in words as a shell reads them. UsageError, which IPython shows as a sentence, for others."""
    try:
        chosen: Namespace = parser.parse_args(split(line))
    except ValueError as problem:  # a quote that is not closed
        raise UsageError(f"%%cnn: {problem}") from None
    if not chosen.name.isidentifier() or iskeyword(chosen.name):
        raise UsageError(f"%%cnn takes the name of a variable, not `{chosen.name}`")
    if chosen.seed < 0:
        raise UsageError("%%cnn --seed takes an integer of at least 0")
    return chosen
