"""`convspec compile`: a spec becomes the files of a target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from convspec.cli.declare import Option, command
from convspec.cli.guard import Format, guarded, write_diagnostics, write_json
from convspec.cli.int8 import Calibrate, Keep, Method, ReduceRange, check_options, compile_int8
from convspec.cli.options import (
    AllowMissing,
    LimitOptions,
    Model,
    Optimize,
    OutputFormat,
    Precision,
    Root,
    Seed,
    Settings,
    Sizes,
    Spec,
    Weights,
)

if TYPE_CHECKING:
    from convspec.api import Net

EXAMPLES = """Examples:

convspec compile lenet5.cnn --target onnx --weights lenet5.safetensors

convspec compile resnet.cnn --model ResNet50 --target pytorch -o resnet50.py

convspec compile zoo:resnet50 --target onnx --optimize 2 --report

convspec compile zoo:resnet50 --target onnx --weights resnet50.safetensors --precision int8 --calibrate photos/"""

_PATH = "The main file, or a folder that exists. By default a file in the current folder, named like the spec, or like --model."
_EMIT = """Also write: pt2 (pytorch: a torch.export program), deploy (pytorch: one file tuned for inference), savedmodel or
keras (tensorflow). May be repeated."""
_REPORT = "Say what was optimised, at which lines of the spec, and what it saved."
_REUSE = "onnx: write the model alone; its weights are those of FILE beside it, which an earlier --external-data wrote."


@command("compile", epilog=EXAMPLES)
@guarded
def compile_(
    spec: Spec,
    target: Annotated[str, Option("--target", metavar="NAME", help="onnx, pytorch or tensorflow.")],
    output: Annotated[Path | None, Option("-o", "--output", metavar="PATH", help=_PATH)] = None,
    model: Model = None,
    settings: Settings = None,
    sizes: Sizes = None,
    weights: Weights = None,
    allow_missing: AllowMissing = None,
    seed: Seed = 0,
    opset: Annotated[int | None, Option("--opset", metavar="N", help="onnx: the operator set version.")] = None,
    external_data: Annotated[
        bool, Option("--external-data", help="onnx: write weights to a file of their own, whatever their size.")
    ] = False,
    reuse_data: Annotated[Path | None, Option("--reuse-data", metavar="FILE", help=_REUSE)] = None,
    straight: Annotated[
        bool, Option("--straight", help="pytorch, tensorflow: one statement a layer, without blocks and loops.")
    ] = False,
    emit: Annotated[list[str] | None, Option("--emit", metavar="KIND", help=_EMIT)] = None,
    optimize: Optimize = 0,
    precision: Precision = "fp32",
    calibrate: Calibrate = None,
    keep: Keep = None,
    method: Method = None,
    reduce_range: ReduceRange = False,
    report: Annotated[bool, Option("--report", help=_REPORT)] = False,
    root: Root = None,
    limits: LimitOptions = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Compile a spec to ONNX, PyTorch or TensorFlow.

    Files are written whole or not at all; existing ones are replaced. What a target cannot express exactly is an error.
    """
    from convspec import api
    from convspec.cli.values import parse_limits, parse_settings, parse_sizes, say_left_out

    asked = {"opset": opset, "external_data": external_data, "reuse_data": reuse_data, "straight": straight, "emit": emit}
    options: dict[str, Any] = {name: value for name, value in asked.items() if value}
    quantised = {"--calibrate": calibrate, "--keep": keep, "--calibration-method": method, "--reduce-range": reduce_range}
    others = {"--external-data": external_data, "--reuse-data": reuse_data, "--straight": straight, "--emit": emit}
    check_options(precision, target, quantised, others)
    given, bounds = parse_settings(settings or []), parse_limits(limits or [])
    net = api.load(spec, model, given, weights, seed, root, bounds, allow_missing or (), parse_sizes(sizes or []))
    say_left_out(net)
    _warn(net)
    if precision == "int8":
        how = {"calibration": calibrate, "exclude": tuple(keep or ()), "method": method or "minmax", "opset": opset}
        compile_int8(net, output, optimize, {**how, "reduce_range": reduce_range}, report, output_format)
        return
    net = net.tuned(target, optimize, precision)
    written = net.compile(target, output, **options)
    lengths = [_bytes(path) for path in written]
    if output_format is Format.json:
        files = [{"path": str(path), "bytes": size} for path, size in zip(written, lengths, strict=True)]
        told = {"rewriting": [each.to_json() for each in net.reports]} if report else {}
        write_json({"model": net.module.name, "target": target, "files": files, **told})
        return
    if report:
        click.echo("\n".join(each.text() for each in net.reports) or "not rewritten: --optimize is 0")
    for path, size in zip(written, lengths, strict=True):
        click.echo(f"wrote {path} ({_shown(size)})")


def _warn(net: Net) -> None:
    """What is suspicious in the author's own files, to stderr: what is compiled is what was written."""
    from convspec.lint import warnings

    write_diagnostics(warnings(net.module))


def _bytes(path: Path) -> int:
    """The size of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size


def _shown(count: int) -> str:
    """`512 bytes`, `3.2 kB`, `102.5 MB`, in powers of 1000."""
    if count < 1000:
        return f"{count} bytes"
    unit = 1 if count < 999_950 else 2 if count < 999_950_000 else 3
    return f"{count / 1000**unit:.1f} {('kB', 'MB', 'GB')[unit - 1]}"
