"""`convspec rf`: what the units of a network see of its input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from convspec.cli.declare import Argument, Option, command
from convspec.cli.guard import guarded
from convspec.cli.networks import NETWORK_HELP
from convspec.cli.options import NETWORK, AllowMissing, LimitOptions, Model, Root, Settings, Weights
from convspec.cli.tabular import TableFormat, TableFormatOption

if TYPE_CHECKING:
    from convspec.api import Net

_SIZES = "Sizes of the inputs: N=1,h=7,w=7. Others are those of a usual picture."
_AT = "The exact window of a unit: a label and a place, 'conv3[4,7]'; without a place the unit in the middle. May be repeated."
_EFFECTIVE = "How much each cell counts, by gradients (needs torch). Of --at, or of the last layer with space."
_OUTPUT = "With --effective: the map beside the window, .png or .svg."
EXAMPLES = """Examples:

convspec rf resnet.cnn --model ResNet50

convspec rf zoo:resnet18 --at "layer2.1.conv2[0,0]" --sizes h=7,w=7

convspec rf lenet5.cnn --effective --at "c3[5,5]" --weights lenet5.safetensors -o field.png"""


@command("rf", epilog=EXAMPLES)
@guarded
def rf(
    spec: Annotated[str, Argument("SPEC", help=NETWORK_HELP)],
    at: Annotated[list[str] | None, Option("--at", metavar="UNIT", help=_AT)] = None,
    effective: Annotated[bool, Option("--effective", help=_EFFECTIVE)] = False,
    samples: Annotated[int, Option("--samples", min=1, max=10_000, metavar="N", help="How many inputs are drawn.")] = 16,
    seed: Annotated[int, Option("--seed", min=0, metavar="N", help="Where inputs, and weights without a file, come from.")] = 0,
    picture: Annotated[Path | None, Option("--picture", metavar="FILE", help="A picture to draw the window on.")] = None,
    output: Annotated[Path | None, Option("-o", "--output", metavar="FILE", help=_OUTPUT)] = None,
    model: Model = None,
    settings: Settings = None,
    sizes: Annotated[list[str] | None, Option("--sizes", metavar="NAME=INT,…", section=NETWORK, help=_SIZES)] = None,
    weights: Weights = None,
    allow_missing: AllowMissing = None,
    root: Root = None,
    limits: LimitOptions = None,
    output_format: TableFormatOption = TableFormat.text,
) -> None:
    """Show what the units of each layer see of the input: the receptive field.

    Its size, its jump from unit to unit and its offset (where the middle of the first lies), in cells of the input, over all
    ways through the network: `all` is a whole axis. The narrowest way is the one that sees least, such as the shortcuts of a
    ResNet. Cells of padding count. --at gives the cells that one unit sees, exactly; --effective how much each counts.
    """
    from convspec import api
    from convspec.cli.networks import Named, all_sizes, split_name
    from convspec.cli.values import parse_limits, parse_settings, parse_sizes

    path, named = split_name(spec)
    given, bounds = parse_settings(settings or []), parse_limits(limits or [])
    chosen, wanted = named or model, parse_sizes(sizes or [])
    net = api.load(path, chosen, given, weights, seed, root, bounds, allow_missing=allow_missing or [])
    concrete = all_sizes(Named(spec, net, _zoo(path, net)), _checked(net, wanted))
    if effective:
        _effective(net, at or [], concrete, samples, seed, picture, output, output_format)
    elif output is not None or picture is not None:
        raise _needs_effective("-o" if output is not None else "--picture")
    elif at:
        _windows(net, at, concrete, output_format)
    else:
        fixed = api.load(path, chosen, given, root=root, limits=bounds, sizes=wanted) if wanted else net
        _table(fixed, output_format)


def _zoo(path: str, net: Net) -> dict[str, int]:
    if not path.startswith("zoo:"):
        return {}
    from convspec.zoo import networks

    return dict(next((each.sizes for each in networks() if each.name == net.module.name), {}))


def _checked(net: Net, given: dict[str, int]) -> dict[str, int]:
    from convspec.analysis.sizes import check_sizes, symbolic_sizes

    check_sizes(given, symbolic_sizes(net.module.graph))
    return given


def _needs_effective(option: str) -> Exception:
    from convspec.diagnostics import error, fail

    return fail(error("CNN401", f"{option} says nothing without --effective", hint="add --effective, or leave it out"))


def _table(net: Net, form: TableFormat) -> None:
    from convspec.analysis import field_report, tables

    if form is TableFormat.json:
        _json({"name": net.module.name, "layers": field_report.fields_json(net.module.graph)})
        return
    table = field_report.field_table(net.module.graph)
    if not table.rows:
        raise _no_space()
    match form:
        case TableFormat.csv:
            click.echo(tables.csv_text(table.headings, table.rows), nl=False)
        case TableFormat.markdown:
            click.echo("\n".join(tables.markdown_lines(table)))
        case _:
            click.echo("\n".join(tables.text_lines(table)))


def _windows(net: Net, at: list[str], sizes: dict[str, int], form: TableFormat) -> None:
    from convspec.analysis.field_report import window_lines, windows_json
    from convspec.analysis.places import find_unit
    from convspec.analysis.window import seen_by_units, unit_windows

    _text_or_json(form)
    graph = net.module.graph
    units = [find_unit(graph, text, sizes) for text in at]
    seen = seen_by_units(graph, sizes)
    found = [(unit, unit_windows(graph, unit.value, unit.position, sizes, seen[unit.value])) for unit in units]
    if form is TableFormat.json:
        _json([windows_json(unit, windows, sizes) for unit, windows in found])
        return
    click.echo("\n\n".join("\n".join(window_lines(unit, windows, sizes)) for unit, windows in found))


def _effective(
    net: Net,
    at: list[str],
    sizes: dict[str, int],
    samples: int,
    seed: int,
    picture: Path | None,
    output: Path | None,
    form: TableFormat,
) -> None:
    from convspec.analysis.places import find_unit
    from convspec.field import effective_field

    _text_or_json(form)
    graph = net.module.graph
    if output is not None and (output.suffix.lower() not in (".png", ".svg") or len(at) > 1):
        from convspec.diagnostics import error, fail

        message = (
            f"{output}: a map is written as .png or .svg" if len(at) < 2 else "one file cannot hold the maps of several units"
        )
        raise fail(error("CNN401", message, hint="-o field.png, and one --at"))
    units = [find_unit(graph, text, sizes) for text in at or [_last(net)]]
    fields = [field for unit in units for field in effective_field(net, unit, sizes, samples, seed)]
    if output is not None:
        _write(output, fields[0], picture)
    if form is TableFormat.json:
        _json([_as_json(field) for field in fields])
        return
    for field in fields:
        held, spread = "x".join(map(str, field.held)), " x ".join(f"{each:.1f}" for each in field.spread)
        window = "x".join(str(axis.high - axis.low + 1) for axis in field.window.axes)
        click.echo(f"{field.unit} on {field.window.name}, {samples} inputs from seed {seed}")
        click.echo(f"  window          {window}, with {field.inside:.2%} of the gradient")
        click.echo(f"  95 % of it      lies in {held}")
        click.echo(f"  as wide as      a Gaussian with a standard deviation of {spread} cells")
    if output is not None:
        click.echo(f"wrote {output}")


def _last(net: Net) -> str:
    """The last tensor that has more than one place in space."""
    nodes = [node for node in net.module.graph.nodes if any(str(size) != "1" for size in node.outputs[0].type.spatial)]
    if not nodes:
        raise _no_space()
    return nodes[-1].outputs[0].name


def _no_space() -> Exception:
    from convspec.diagnostics import error, fail

    return fail(error("CNN401", "no layer has an axis of space", hint="a receptive field is one of space"))


def _write(output: Path, field: Any, picture: Path | None) -> None:
    from convspec.field.heat import to_png, to_svg
    from convspec.files import write_file

    ground = _opened(picture) if picture is not None else None
    made = to_png(field, ground) if output.suffix.lower() == ".png" else to_svg(field, ground).encode()
    write_file(output, made)


def _opened(path: Path) -> Any:
    from PIL import Image, UnidentifiedImageError

    from convspec.diagnostics import error, fail

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as problem:
        raise fail(error("CNN300", f"{path} cannot be read as a picture: {problem}")) from None


def _as_json(field: Any) -> dict[str, Any]:
    return {
        "unit": str(field.unit),
        "input": field.window.name,
        "window": [[axis.low, axis.high] for axis in field.window.axes],
        "inside": field.inside,
        "held_95": list(field.held),
        "standard_deviation": list(field.spread),
        "samples": field.samples,
        "seed": field.seed,
        "map": field.map.tolist(),
    }


def _text_or_json(form: TableFormat) -> None:
    if form not in (TableFormat.text, TableFormat.json):
        from convspec.diagnostics import error, fail

        raise fail(error("CNN401", f"--format {form.value} is for the table of layers", hint="windows are text or json"))


def _json(value: Any) -> None:
    from convspec.cli.tabular import json_text

    click.echo(json_text(value), nl=False)


__all__ = ["rf"]
