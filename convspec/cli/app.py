"""The commands put together, and `--version`. A command's module is imported when the command is named, or its help."""

from __future__ import annotations

import click

from convspec.cli.declare import Group
from convspec.version import VERSION

EXIT_STATUS = """Exit status: 0 done; 1 a mistake in the spec, the data or an option's value, explained on stderr; 2 a command
line that does not parse; 70 a bug in convspec; 130 interrupted."""

COMMANDS = {
    "check": "convspec.cli.check:check",
    "fmt": "convspec.cli.fmt:fmt",
    "summary": "convspec.cli.summary:summary",
    "diff": "convspec.cli.diff:diff",
    "sweep": "convspec.cli.sweep:sweep",
    "draw": "convspec.cli.draw:draw",
    "rf": "convspec.cli.rf:rf",
    "compile": "convspec.cli.compile:compile_",
    "run": "convspec.cli.run:run",
    "verify": "convspec.cli.verify:verify",
    "bench": "convspec.cli.bench:bench",
    "explain": "convspec.cli.explain:explain",
    "lsp": "convspec.cli.lsp:lsp",
    "weights": "convspec.cli.weights:app",
    "zoo": "convspec.cli.zoo:app",
}

app = Group(
    "convspec",
    "Describe a convolutional network once; compile it exactly to ONNX, PyTorch and Keras, and run it.",
    EXIT_STATUS,
    COMMANDS,
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=lambda ctx, _, asked: _version(ctx) if asked else None,
            help="Print the version and exit.",
        )
    ],
)


def _version(ctx: click.Context) -> None:
    click.echo(f"convspec {VERSION}")
    ctx.exit()
