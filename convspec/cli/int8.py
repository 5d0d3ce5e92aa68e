"""`convspec compile --precision int8`: calibrated, quantised, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import click

from convspec.cli.declare import Option
from convspec.cli.guard import Format, write_json
from convspec.diagnostics import error, fail

if TYPE_CHECKING:
    from convspec.api import Net

_CALIBRATE = "int8: a folder of pictures, an .npy or .npz: what the network will see. Ranges are measured on it."
_KEEP = "int8: layers that stay in float32, by label: head, 'layer4.*'. May be repeated."
_METHOD = "int8: minmax, or percentile: ranges without outliers, slower."
_REDUCE = "int8: weights in 7 bits, for x86 processors without VNNI."
Calibrate: TypeAlias = Annotated[Path | None, Option("--calibrate", metavar="PATH", help=_CALIBRATE)]
Keep: TypeAlias = Annotated[list[str] | None, Option("--keep", metavar="PATTERN", help=_KEEP)]
Method: TypeAlias = Annotated[str | None, Option("--calibration-method", metavar="NAME", help=_METHOD)]
ReduceRange: TypeAlias = Annotated[bool, Option("--reduce-range", help=_REDUCE)]


def check_options(precision: str, target: str, int8: Mapping[str, Any], others: Mapping[str, Any]) -> None:
    """Failure CNN401 where options do not go with the precision. Both mappings are options by name, false ones not given."""
    given = [name for name, value in int8.items() if value]
    if precision != "int8":
        if given:
            raise fail(error("CNN401", f"{given[0]} is for int8", hint="add --precision int8, or leave it out"))
        return
    if target != "onnx":
        raise fail(error("CNN401", f"int8 is for the target onnx, not {target}", hint="use --target onnx"))
    refused = [name for name, value in others.items() if value]
    if refused:
        raise fail(error("CNN401", f"{refused[0]} does not go with int8", hint="leave it out"))
    if not int8["--calibrate"]:
        hint = "add --calibrate FOLDER, with pictures like those that the network will see"
        raise fail(error("CNN401", "int8 needs data to measure ranges on", hint=hint))


def compile_int8(
    net: Net, output: Path | None, optimize: int, options: Mapping[str, Any], report: bool, output_format: Format
) -> None:
    """Write the model and say what was quantised and lost. `options` are `calibration` and fields of QuantiseOptions."""
    written, made = net.compile_int8(path=output, optimize=optimize, **options)
    reports = net.optimise(max(1, optimize), "onnx").reports if report else ()
    if output_format is Format.json:
        files = [{"path": str(path), "bytes": path.stat().st_size} for path in written]
        told = {"rewriting": [each.to_json() for each in reports]} if report else {}
        write_json({"model": net.module.name, "target": "onnx", "files": files, **told, "quantisation": made.to_json()})
        return
    click.echo("\n".join([*(each.text() for each in reports), made.text()]), nl=False)
    for path in written:
        click.echo(f"wrote {path}")
