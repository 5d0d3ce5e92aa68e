"""The commands put together, and `--version`."""

from __future__ import annotations

from typing import Annotated

import typer

from convspec.cli import bench, check, compile, explain, run, summary, verify, weights, zoo
from convspec.version import VERSION

EXIT_STATUS = """Exit status: 0 done; 1 a mistake in the spec, the data or an option's value, explained on stderr; 2 a command
line that does not parse; 70 a bug in convspec; 130 interrupted."""

app = typer.Typer(
    name="convspec",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_STATUS,
)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("summary", epilog=summary.EXAMPLES)(summary.summary)
app.command("compile", epilog=compile.EXAMPLES)(compile.compile_)
app.command("run", epilog=run.EXAMPLES)(run.run)
app.command("verify", epilog=verify.EXAMPLES)(verify.verify)
app.command("bench", epilog=bench.EXAMPLES)(bench.bench)
app.command("explain", epilog=explain.EXAMPLES)(explain.explain)
app.add_typer(weights.app, name="weights")
app.add_typer(zoo.app, name="zoo")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"convspec {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Describe a convolutional network once; compile it exactly to ONNX, PyTorch and Keras, and run it."""
