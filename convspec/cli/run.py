"""`convspec run`: a spec or a compiled model, on a runtime and device, with data from files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convspec.cli.guard import Format, guarded
from convspec.cli.options import AllowMissing, LimitOptions, Model, OutputFormat, Root, Seed, Settings, Weights

if TYPE_CHECKING:
    from convspec.runtime.base import Program

EXAMPLES = """Examples:

convspec run lenet5.cnn --weights lenet5.safetensors --input digits/7.png --top 3

convspec run resnet50.onnx --input photos --labels imagenet.txt --device cuda

convspec run stereo.cnn --input left=a.npy --input right=b.npy --output out.npz"""

_INPUT = """An .npy, an .npz, a PNG or JPEG picture, or a folder of pictures; NAME=FILE where there are several inputs.
May be repeated."""
_DEVICE = "auto, cpu, cuda, cuda:1 or tensorrt. auto takes CUDA where it works, and says so."
_TOP = "How many classes to show of an output [N, classes]; 5 for pictures."
_OUTPUT = "Write the outputs to an .npz, an .npy (one output) or a folder of .npy files; existing files are replaced."


class RuntimeName(StrEnum):
    """The runtimes that convspec knows."""

    onnxruntime = "onnxruntime"
    pytorch = "pytorch"
    tensorflow = "tensorflow"
    reference = "reference"


@guarded
def run(
    spec: Annotated[Path, typer.Argument(metavar="SPEC_OR_MODEL", help="A .cnn file or a compiled .onnx.", show_default=False)],
    inputs: Annotated[list[str], typer.Option("--input", metavar="FILE", help=_INPUT, show_default=False)],
    runtime: Annotated[RuntimeName, typer.Option("--runtime", help="What runs it.")] = RuntimeName.onnxruntime,
    device: Annotated[str, typer.Option("--device", metavar="DEVICE", help=_DEVICE)] = "auto",
    top: Annotated[int | None, typer.Option("--top", metavar="K", min=1, help=_TOP)] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", metavar="FILE", help="Names of the classes: one a line, or a JSON list.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PATH", help=_OUTPUT)] = None,
    model: Model = None,
    settings: Settings = None,
    weights: Weights = None,
    allow_missing: AllowMissing = None,
    seed: Seed = 0,
    root: Root = None,
    limits: LimitOptions = None,
    batch: Annotated[int, typer.Option("--batch", metavar="N", min=1, help="Pictures that go in together.")] = 16,
    tf32: Annotated[bool, typer.Option("--tf32", help="Let a GPU round to TF32, which is faster and less exact.")] = False,
    output_format: OutputFormat = Format.text,
) -> None:
    """Run a spec or a compiled model on data.

    It says which runtime, device and provider really ran. A device that was asked for and is not there is an error.
    """
    from convspec.cli.running import Request, execute
    from convspec.runtime.base import ModelFile, RunOptions

    program = _program(spec, model, settings, weights, seed, root, limits, allow_missing)
    origin: str | None = str(weights) if weights else f"initial values from seed {seed}, not trained"
    if isinstance(program, ModelFile) or not program.weights:
        origin = None
    request = Request(inputs, batch, output, top, labels, reads=[spec, *([weights] if weights else [])], weights=origin)
    report = execute(program, runtime.value, RunOptions(device, tf32), request)
    report.write(as_json=output_format is Format.json)


def _program(
    path: Path,
    model: str | None,
    settings: list[str] | None,
    weights: Path | None,
    seed: int,
    root: Path | None,
    limits: list[str] | None,
    allow_missing: list[str] | None,
) -> Program:
    """The spec with its weights, or the compiled model. Failure CNN306 for what is neither, CNN401 for a useless option."""
    from convspec.diagnostics import error, fail
    from convspec.runtime.base import ModelFile, Network

    if path.suffix.lower() in (".keras", ".pt", ".pt2", ".pth", ".h5", ".py", ".safetensors", ".npz"):
        raise fail(
            error("CNN306", f"cannot run {path}: it is no spec and no ONNX model", hint="run takes a .cnn or an .onnx file")
        )
    if path.suffix.lower() == ".onnx":
        given_options: dict[str, Any] = {
            "--model": model,
            "--set": settings,
            "--weights": weights,
            "--seed": seed or None,
            "--root": root,
            "--limit": limits,
            "--allow-missing": allow_missing,
        }
        useless = [option for option, value in given_options.items() if value]
        if useless:
            message = f"{useless[0]} says nothing about a compiled model: {path} is complete"
            raise fail(error("CNN401", message, hint="leave it out, or run the .cnn spec"))
        return ModelFile(path)
    from convspec import api
    from convspec.cli.values import parse_limits, parse_settings, say_left_out

    given, bounds = parse_settings(settings or []), parse_limits(limits or [])
    net = api.load(path, model, given, weights, seed, root, bounds, allow_missing or ())
    say_left_out(net)
    return Network(net.module, net.weights)
