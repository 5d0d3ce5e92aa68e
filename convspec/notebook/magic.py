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
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from convspec import api
from convspec.cli.values import parse_settings, parse_sizes
from convspec.diagnostics import Failure
from convspec.diagnostics.render import render
from convspec.records import dataclass


@dataclass(eq=False)
class CellFailure(Failure):
    """What was wrong with a cell. IPython shows the diagnostics, where it would show a traceback; the cell has failed."""

    def _render_traceback_(self) -> list[str]:
        """What IPython asks of an exception that shows itself: lines, with ANSI colours."""
        return render(self.diagnostics, colour=True).rstrip("\n").split("\n")


@magics_class
class CnnMagics(Magics):  # type: ignore[misc]
    """The magics of convspec."""

    @magic_arguments()
    @argument("name", nargs="?", default="net", help="The variable that the network is given to.")
    @argument("--model", metavar="NAME", help="The model or configuration, where the cell has several.")
    @argument("--set", metavar="NAME=VALUE", action="append", help="Give a parameter of the model a value. May be repeated.")
    @argument("--sizes", metavar="NAME=INT,…", action="append", help="Fix symbolic sizes of the inputs: N=1,h=7,w=7.")
    @argument("--weights", metavar="FILE", help="A file with weights by label; without it they are drawn from the seed.")
    @argument("--seed", metavar="N", type=int, default=0, help="Where initial weights are drawn from.")
    @argument("--root", metavar="DIR", default=".", help="The folder that imports begin in and stay inside; the current one.")
    @argument("--quiet", action="store_true", help="Show the network's errors and warnings alone.")
    @cell_magic  # type: ignore[untyped-decorator]
    def cnn(self, line: str, cell: str) -> Any:
        """Compile the cell, a whole spec, and give its network to a variable.

        Other cells are not seen: what several cells need goes into a file (`%%writefile blocks.cnn`), from which they
        `use` it. Where the cell is wrong, the variable keeps what it had.
        """
        chosen = _parsed(self.cnn, line)
        try:
            net = self._compiled(cell, chosen)
        except Failure as failure:
            raise CellFailure(failure.diagnostics) from None
        self.shell.push({chosen.name: net})
        return None if chosen.quiet else net

    def _compiled(self, cell: str, chosen: Namespace) -> api.Net:
        net = api.loads(
            "\n" + cell,  # lines are counted as the notebook counts them: the first is that of the magic
            f"In [{self.shell.displayhook.prompt_count}]",
            chosen.model,
            parse_settings(chosen.set or []),
            _path(chosen.weights),
            chosen.seed,
            sizes=parse_sizes(chosen.sizes or []),
            root=Path(chosen.root),
        )
        if chosen.weights is not None:
            _ = net.conversion  # weights that do not fit are an error of this cell, and not of a later one
        return net


def _parsed(magic: Any, line: str) -> Namespace:
    """The options of a line. UsageError, which IPython shows as a sentence, for what is none."""
    try:
        # Words as a shell reads them. IPython's own way leaves quotes in the values.
        chosen: Namespace = magic.parser.parse_args(split(line))
    except ValueError as problem:  # a quote that is not closed
        raise UsageError(f"%%cnn: {problem}") from None
    if not chosen.name.isidentifier() or iskeyword(chosen.name):
        raise UsageError(f"%%cnn takes the name of a variable, not `{chosen.name}`")
    if chosen.seed < 0:
        raise UsageError("%%cnn --seed takes an integer of at least 0")
    return chosen


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()
