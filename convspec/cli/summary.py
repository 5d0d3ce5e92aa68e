"""`convspec summary`: the layers of a network as a table, with totals."""

from __future__ import annotations

from typing import Annotated

import click

from convspec.cli.declare import Option, command
from convspec.cli.guard import Format, guarded, write_json
from convspec.cli.options import LimitOptions, Model, OutputFormat, Root, Settings, Spec

_SIZES = "Give symbolic sizes values: N=1,h=7,w=7. Without it they stay symbolic."

EXAMPLES = """Examples:

convspec summary lenet5.cnn

convspec summary resnet.cnn --model ResNet50 --sizes N=1,h=7,w=7"""


@command("summary", epilog=EXAMPLES)
@guarded
def summary(
    spec: Spec,
    model: Model = None,
    settings: Settings = None,
    sizes: Annotated[list[str] | None, Option("--sizes", metavar="NAME=INT,…", help=_SIZES)] = None,
    root: Root = None,
    limits: LimitOptions = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Show the layers, what they cost, and totals.

    A row has a layer's label, its output shape, parameters, MACs (multiply-accumulates) and receptive field.
    """
    from convspec import api
    from convspec.cli.values import parse_limits, parse_settings, parse_sizes

    given, bounds = parse_settings(settings or []), parse_limits(limits or [])
    net = api.load(spec, model=model, settings=given, root=root, limits=bounds)
    table = net.summary(parse_sizes(sizes or []))
    if output_format is Format.json:
        write_json(table.to_json())
    else:
        click.echo(str(table), nl=False)
