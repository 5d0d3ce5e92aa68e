"""`convspec diff`: what changed between two networks, and what that costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import click

from convspec.cli.declare import Argument, Option, command
from convspec.cli.guard import guarded
from convspec.cli.networks import NETWORK_HELP
from convspec.cli.options import NETWORK, LimitOptions, Root, Settings
from convspec.cli.tabular import Optimizer, Precision, TableFormat

_B = "The network that A became. Left out: A's file, for --model-b and --set-b."
_MODEL = "The model of {}, where its file has several."
_SET = "Give a parameter of {} alone a value, after --set. May be repeated."
_SIZES = "Sizes of the inputs of both: N=1,h=7,w=7. Others are those of a usual picture, one of them."
_OUTPUT = "Write it to a file; .md and .json say in which form."
_FORMAT = "How the difference is written; it has no form in CSV."
_EXIT = "Exit status 1 where the networks differ, as diff has it."

EXAMPLES = """Examples:

convspec diff old.cnn new.cnn

convspec diff resnet.cnn:ResNet18 resnet.cnn:ResNet34

convspec diff net.cnn --set-b width=128 --format markdown

convspec diff zoo:resnet50 zoo:wide_resnet50_2 --sizes N=8"""


@command("diff", epilog=EXAMPLES)
@guarded
def diff(
    a: Annotated[str, Argument("A", help=NETWORK_HELP)],
    b: Annotated[str | None, Argument("B", help=_B)] = None,
    model_a: Annotated[str | None, Option("--model-a", metavar="NAME", section=NETWORK, help=_MODEL.format("A"))] = None,
    model_b: Annotated[str | None, Option("--model-b", metavar="NAME", section=NETWORK, help=_MODEL.format("B"))] = None,
    settings: Settings = None,
    set_a: Annotated[list[str] | None, Option("--set-a", metavar="NAME=VALUE", section=NETWORK, help=_SET.format("A"))] = None,
    set_b: Annotated[list[str] | None, Option("--set-b", metavar="NAME=VALUE", section=NETWORK, help=_SET.format("B"))] = None,
    sizes: Annotated[list[str] | None, Option("--sizes", metavar="NAME=INT,…", section=NETWORK, help=_SIZES)] = None,
    root: Root = None,
    limits: LimitOptions = None,
    exit_code: Annotated[bool, Option("--exit-code", help=_EXIT)] = False,
    precision: Annotated[Precision, Option("--precision", help="In which memory is counted.")] = Precision.fp32,
    optimizer: Annotated[Optimizer, Option("--optimizer", help="Whose state training holds.")] = Optimizer.adam,
    output: Annotated[Path | None, Option("-o", "--output", metavar="FILE", help=_OUTPUT)] = None,
    output_format: Annotated[TableFormat, Option("--format", help=_FORMAT)] = TableFormat.text,
) -> None:
    """Show what changed between two networks, by structure, and what that does to their cost.

    Layers are found by label, then by place. + is added, - removed, ~ changed, = renamed, > moved. Comments, layout and
    documentation are no change.
    """
    from convspec.analysis.difference import difference
    from convspec.cli.networks import all_sizes, check_known, load_named, split_name
    from convspec.cli.tabular import form_of, write
    from convspec.cli.values import parse_limits, parse_settings, parse_sizes

    form = form_of(output_format, output)
    _check_form(form)
    both, bounds, given = parse_settings(settings or []), parse_limits(limits or []), parse_sizes(sizes or [])
    second = b if b is not None else split_name(a)[0] if model_b else a
    mine = both | parse_settings(set_a or [], "--set-a"), both | parse_settings(set_b or [], "--set-b")
    old = load_named(a, model_a, mine[0], root, bounds, _title(a, model_a, set_a))
    new = load_named(second, model_b if b is not None else model_b or model_a, mine[1], root, bounds)
    names = (old.title, _title(new.title, None, set_b))
    check_known(given, (old, new))
    found = difference(
        old.net.module,
        new.net.module,
        all_sizes(old, given),
        all_sizes(new, given),
        precision=precision,
        optimizer=optimizer,
    )
    write(_rendered(found, names, form), output, (a, second))
    if exit_code and not found.same:
        raise click.exceptions.Exit(1)


def _check_form(form: TableFormat) -> None:
    from convspec.diagnostics import error, fail

    if form is TableFormat.csv:
        raise fail(error("CNN401", "a difference has no form in CSV", hint="--format text, markdown or json"))


def _title(name: str, model: str | None, settings: list[str] | None) -> str:
    """The network as it was asked for, with what was set."""
    chosen = f"{name}:{model}" if model else name
    return f"{chosen} with {', '.join(settings)}" if settings else chosen


def _rendered(found: Any, names: tuple[str, str], form: TableFormat) -> str:
    from convspec.analysis import difference_text
    from convspec.cli.tabular import json_text

    match form:
        case TableFormat.json:
            return json_text(difference_text.to_json(found, names))
        case TableFormat.markdown:
            return difference_text.render_markdown(found, names)
    return difference_text.render_text(found, names)
