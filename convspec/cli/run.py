"""`convspec run`: a spec or a compiled model, on a runtime and device, with data from files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from convspec.cli.declare import Argument, Option, command
from convspec.cli.guard import Format, guarded
from convspec.cli.options import AllowMissing, LimitOptions, Model, OutputFormat, Root, Seed, Settings, Sizes, Weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convspec.runtime.base import ModelFile, Program

EXAMPLES = """Examples:

convspec run lenet5.cnn digits/7.png --weights lenet5.safetensors --top 3

convspec run resnet50.onnx photos --labels imagenet.txt --device cuda --output classes.csv

convspec run stereo.cnn --input left=a.npy --input right=b.npy --output out.npz"""

_SPEC = "A .cnn file, a network of the zoo (zoo:resnet50), or a compiled .onnx."
_DATA = "Pictures, a folder of them, or a file of arrays: the same as --input."
_INPUT = """An .npy, an .npz, a PNG or JPEG picture, or a folder of pictures; NAME=FILE where there are several inputs.
May be repeated."""
_DEVICE = "auto, cpu, cuda, cuda:1 or tensorrt. auto takes CUDA where it works, and says so."
_TOP = "How many classes to show of an output [N, classes]; 5 for pictures."
_OUTPUT = """Write the outputs to an .npz, an .npy (one output) or a folder of .npy files, where existing files are replaced;
or a row for each picture to a .jsonl, .csv or .parquet file. Repeat the command to go on with rows that were interrupted."""
_BATCH = "How many pictures go in together; auto: as --memory allows."
_MEMORY = "What --batch auto may use for pictures and activations, by an estimate."
_RECURSIVE = "Take the pictures in subfolders too."
_OVERWRITE = "Rows: replace results that are there, and give up an unfinished run that differs."
_OPTIMIZE = """How far the network is rewritten first, exact up to rounding; by default 1, and 0 on the reference. A compiled
model runs as it is."""
_PRECISION = "What it is computed in: fp32, fp16, bf16 or int8, where the runtime can; what it really does is said."
_COMPILE = "Let the framework's own compiler make kernels for this network: torch.compile, XLA."
_CUDA_GRAPH = "Record the kernels once and replay them; for small batches on CUDA."
_THREADS = "How many CPU threads compute; by default as the runtime decides."
_RAW = "Rows: write every output as numbers, also one of [N, classes]."


_HOW = "How it runs"
_RESULTS = "Pictures and results"


class RuntimeName(StrEnum):
    """The runtimes that convspec knows."""

    onnxruntime = "onnxruntime"
    pytorch = "pytorch"
    tensorflow = "tensorflow"
    openvino = "openvino"
    reference = "reference"


@command("run", epilog=EXAMPLES)
@guarded
def run(
    spec: Annotated[Path, Argument("SPEC_OR_MODEL", help=_SPEC)],
    data: Annotated[list[str] | None, Argument("FILE", help=_DATA)] = None,
    inputs: Annotated[list[str] | None, Option("--input", metavar="FILE", help=_INPUT)] = None,
    runtime: Annotated[RuntimeName, Option("--runtime", section=_HOW, help="What runs it.")] = RuntimeName.onnxruntime,
    device: Annotated[str, Option("--device", metavar="DEVICE", section=_HOW, help=_DEVICE)] = "auto",
    top: Annotated[int | None, Option("--top", metavar="K", section=_RESULTS, min=1, help=_TOP)] = None,
    labels: Annotated[
        Path | None,
        Option("--labels", metavar="FILE", section=_RESULTS, help="Names of the classes: one a line, or a JSON list."),
    ] = None,
    output: Annotated[Path | None, Option("-o", "--output", metavar="PATH", section=_RESULTS, help=_OUTPUT)] = None,
    model: Model = None,
    settings: Settings = None,
    sizes: Sizes = None,
    weights: Weights = None,
    allow_missing: AllowMissing = None,
    seed: Seed = 0,
    root: Root = None,
    limits: LimitOptions = None,
    batch: Annotated[str, Option("--batch", metavar="N", section=_RESULTS, help=_BATCH)] = "auto",
    memory: Annotated[str, Option("--memory", metavar="SIZE", section=_RESULTS, help=_MEMORY)] = "2GB",
    recursive: Annotated[bool, Option("--recursive", section=_RESULTS, help=_RECURSIVE)] = False,
    overwrite: Annotated[bool, Option("--overwrite", section=_RESULTS, help=_OVERWRITE)] = False,
    raw: Annotated[bool, Option("--raw", section=_RESULTS, help=_RAW)] = False,
    optimize: Annotated[int | None, Option("--optimize", metavar="0|1|2", section=_HOW, min=0, max=2, help=_OPTIMIZE)] = None,
    precision: Annotated[str, Option("--precision", metavar="NAME", section=_HOW, help=_PRECISION)] = "fp32",
    tf32: Annotated[
        bool, Option("--tf32", section=_HOW, help="Let a GPU round to TF32, which is faster and less exact.")
    ] = False,
    compiled: Annotated[bool, Option("--compile", section=_HOW, help=_COMPILE)] = False,
    cuda_graph: Annotated[bool, Option("--cuda-graph", section=_HOW, help=_CUDA_GRAPH)] = False,
    threads: Annotated[int | None, Option("--threads", metavar="N", section=_HOW, min=1, help=_THREADS)] = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Run a spec or a compiled model on data.

    It says which runtime, device and provider really ran. A device that was asked for and is not there is an error.
    """
    from convspec.cli.running import Request, execute
    from convspec.cli.table import execute_table, is_table
    from convspec.cli.values import parse_batch, parse_memory
    from convspec.runtime.base import ModelFile, RunOptions

    given = [*(data or []), *(inputs or [])]
    if not given:
        raise click.BadParameter("give pictures, a folder of pictures or a file of arrays", param_hint="FILE")
    count, budget = parse_batch(batch), parse_memory(memory)
    program = _program(spec, model, settings, sizes, weights, seed, root, limits, allow_missing, optimize, runtime.value)
    origin: str | None = str(weights) if weights else f"initial values from seed {seed}, not trained"
    if isinstance(program, ModelFile) or not program.weights:
        origin = None
    reads = [spec, *([weights] if weights else [])]
    request = Request(given, count, output, top, labels, reads, origin, budget, recursive, overwrite, raw)
    options = RunOptions(device, tf32, precision, compiled, cuda_graph, threads)
    report = (execute_table if is_table(output) else execute)(program, runtime.value, options, request)
    report.write(as_json=output_format is Format.json)


def _program(
    path: Path,
    model: str | None,
    settings: list[str] | None,
    sizes: list[str] | None,
    weights: Path | None,
    seed: int,
    root: Path | None,
    limits: list[str] | None,
    allow_missing: list[str] | None,
    optimize: int | None,
    runtime: str,
) -> Program:
    """The spec with its weights, or the compiled model. Failure CNN306 for what is neither, CNN401 for a useless option."""
    from convspec.diagnostics import error, fail
    from convspec.runtime.base import Network

    if path.suffix.lower() in (".keras", ".pt", ".pt2", ".pth", ".h5", ".py", ".safetensors", ".npz"):
        raise fail(
            error("CNN306", f"cannot run {path}: it is no spec and no ONNX model", hint="run takes a .cnn or an .onnx file")
        )
    if path.suffix.lower() == ".onnx":
        of_specs = {
            "--model": model,
            "--set": settings,
            "--sizes": sizes,
            "--weights": weights,
            "--seed": seed,
            "--root": root,
            "--limit": limits,
            "--allow-missing": allow_missing,
            "--optimize": optimize,
        }
        return _compiled(path, of_specs)
    from convspec import api
    from convspec.cli.values import parse_limits, parse_settings, parse_sizes, say_left_out
    from convspec.runtime.base import TARGETS

    given, bounds = parse_settings(settings or []), parse_limits(limits or [])
    net = api.load(path, model, given, weights, seed, root, bounds, allow_missing or (), parse_sizes(sizes or []))
    say_left_out(net)
    level = optimize if optimize is not None else 0 if runtime == "reference" else 1
    net = net.optimise(level, TARGETS[runtime]) if level else net
    return Network(net.module, net.weights)


def _compiled(path: Path, of_specs: Mapping[str, Any]) -> ModelFile:
    """A compiled model. Failure CNN401 for an option that means something for specs only."""
    from convspec.diagnostics import error, fail
    from convspec.runtime.base import ModelFile

    useless = [option for option, value in of_specs.items() if value]
    if useless:
        message = f"{useless[0]} says nothing about a compiled model: {path} is complete"
        raise fail(error("CNN401", message, hint="leave it out, or run the .cnn spec"))
    return ModelFile(path)
