"""`convspec bench`: how fast a network runs on each runtime, side by side, and how near that is to what the machine can do."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from convspec.cli.declare import Argument, Option, command
from convspec.cli.guard import INTERRUPTED, guarded
from convspec.cli.options import AllowMissing, LimitOptions, Model, Root, Seed, Settings, Weights

if TYPE_CHECKING:
    from convspec.bench.plan import Source, Subject, WeightsKind
    from convspec.bench.results import Results
    from convspec.bench.run import Request

EXAMPLES = """Examples:

convspec bench zoo:resnet50 --runtime onnxruntime,pytorch,openvino --batch 1,8

convspec bench net.cnn --against exported.onnx --weights exported.onnx -o chart.svg

convspec bench zoo:mobilenet_v3_large --runtime pytorch,pytorch:compile --precision fp32,bf16 --device cuda"""

_SPECS = "A .cnn file, a network of the zoo (zoo:resnet50) or a compiled .onnx. Several are measured side by side."
_RUNTIME = """onnxruntime, pytorch, tensorflow, openvino or reference, with commas between them. A switch stands behind a colon:
pytorch:compile."""
_DEVICE = "auto, cpu, cuda, cuda:1 or tensorrt."
_BATCH = "Batches, with commas between them: 1,8,32. Each gets a table of its own."
_PRECISION = "fp32, fp16, bf16 or int8, with commas between them."
_OPTIMIZE = "Levels of optimisation, with commas between them: 0,1,2."
_AGAINST = "An .onnx model of the same network, made elsewhere; it becomes the base of all ratios."
_SIZE = "Give symbolic sizes values: h=7,w=7. By default pictures have the size that picture(...) says."
_TIME = "How long a batch is measured, in seconds, loading not counted."
_ROUNDS = "The most rounds for a batch; in each one every subject runs in turn."
_TOLERANCE = "The largest difference of outputs, as a share of the largest output. By default it goes by the precision."
_THREADS = "Threads of each runtime. By default each decides for itself."
_OUTPUT = "Also write the results: a chart as .svg or .png, all numbers as .json."


class BenchFormat(StrEnum):
    """How results are written to stdout."""

    text = "text"
    json = "json"
    svg = "svg"


@command("bench", epilog=EXAMPLES)
@guarded
def bench(
    specs: Annotated[list[str], Argument("SPEC", help=_SPECS)],
    runtimes: Annotated[str, Option("--runtime", metavar="NAME,…", help=_RUNTIME)] = "onnxruntime",
    device: Annotated[str, Option("--device", metavar="DEVICE", help=_DEVICE)] = "auto",
    batches: Annotated[str, Option("--batch", metavar="N,…", help=_BATCH)] = "1",
    precisions: Annotated[str, Option("--precision", metavar="NAME,…", help=_PRECISION)] = "fp32",
    levels: Annotated[str, Option("--optimize", metavar="N,…", help=_OPTIMIZE)] = "1",
    against: Annotated[Path | None, Option("--against", metavar="FILE", help=_AGAINST)] = None,
    sizes: Annotated[list[str] | None, Option("--sizes", metavar="NAME=INT,…", help=_SIZE)] = None,
    time: Annotated[float, Option("--time", metavar="SECONDS", min=0.0, help=_TIME)] = 10.0,
    rounds: Annotated[int, Option("--rounds", metavar="N", min=1, help=_ROUNDS)] = 200,
    tolerance: Annotated[float | None, Option("--tolerance", metavar="X", min=0.0, help=_TOLERANCE)] = None,
    threads: Annotated[int | None, Option("--threads", metavar="N", min=1, help=_THREADS)] = None,
    tf32: Annotated[bool, Option("--tf32", help="Let a GPU round to TF32.")] = False,
    model: Model = None,
    settings: Settings = None,
    weights: Weights = None,
    allow_missing: AllowMissing = None,
    seed: Seed = 0,
    root: Root = None,
    limits: LimitOptions = None,
    output: Annotated[Path | None, Option("-o", "--output", metavar="FILE", help=_OUTPUT)] = None,
    output_format: Annotated[BenchFormat, Option("--format", help="How results are written.")] = BenchFormat.text,
) -> None:
    """Measure how fast networks run.

    Every subject lives in a process of its own; they run in turn, in random order, and their outputs are compared first: one
    whose outputs differ is marked FAILED, has no times, and makes the exit status 1. docs/benchmarking.md says how to read it.
    """
    from convspec.bench.plan import subjects
    from convspec.bench.run import Request
    from convspec.cli.values import parse_sizes

    reads = [Path(spec) for spec in specs] + [path for path in (against, weights) if path]
    _check_output(output, reads)
    sources = _sources(specs, model, settings, weights, seed, root, limits, allow_missing, against)
    ways = (_words(precisions, "--precision"), _numbers(levels, "--optimize", least=0))
    found = [_against(against, device, threads)] if against else []
    for source in sources:
        found += subjects(source, _words(runtimes, "--runtime"), device, *ways, tf32=tf32, threads=threads)
    request = Request(
        found,
        _numbers(batches, "--batch", least=1),
        parse_sizes(sizes or [], "--sizes"),
        rounds=rounds,
        budget=time,
        tolerance=tolerance,
        seed=seed,
    )
    _measure(request, output, output_format)


def _measure(request: Request, output: Path | None, output_format: BenchFormat) -> None:
    """Measure and write; exit status 1 where outputs differ, 130 where it was interrupted."""
    from convspec.bench.run import Hooks, bench

    with _Progress() as progress:
        results = bench(request, Hooks(say=progress.say))
    _write(results, output, output_format)
    if not results.agreed:
        raise click.exceptions.Exit(1)
    if results.interrupted:
        raise click.exceptions.Exit(INTERRUPTED)


def _write(results: Results, output: Path | None, output_format: BenchFormat) -> None:
    import json

    from convspec.bench import report
    from convspec.bench.chart import chart
    from convspec.cli.guard import write_json
    from convspec.files import write_file

    match output_format:
        case BenchFormat.text:
            click.echo(report.text(results), nl=False)
        case BenchFormat.json:
            write_json(report.to_json(results))
        case BenchFormat.svg:
            click.echo(chart(results).svg(), nl=False)
    if output is None:
        return
    content: str | bytes
    match output.suffix.lower():
        case ".svg":
            content = chart(results).svg()
        case ".png":
            content = chart(results).png()
        case _:
            content = json.dumps(report.to_json(results), ensure_ascii=False, indent=2) + "\n"
    write_file(output, content)
    if output_format is BenchFormat.text:
        click.echo(f"wrote {output}")


def _sources(
    specs: list[str],
    model: str | None,
    settings: list[str] | None,
    weights: Path | None,
    seed: int,
    root: Path | None,
    limits: list[str] | None,
    allow_missing: list[str] | None,
    against: Path | None,
) -> list[Source]:
    """The networks. Failure CNN401 for an option that cannot mean all of them."""
    from convspec.bench.plan import Source
    from convspec.cli.values import parse_limits, parse_settings
    from convspec.diagnostics import error, fail

    given = {"--model": model, "--set": settings, "--weights": weights, "--allow-missing": allow_missing}
    useless = [option for option, value in given.items() if value]
    if useless and len(specs) > 1:
        raise fail(
            error("CNN401", f"{useless[0]} speaks of one network, and there are {len(specs)}", hint="measure one at a time")
        )
    compiled = [spec for spec in specs if spec.lower().endswith(".onnx")]
    if useless and compiled:
        raise fail(error("CNN401", f"{useless[0]} says nothing about a compiled model: {compiled[0]} is complete"))
    kind: WeightsKind = "given" if weights else "initial" if against else "drawn"
    values, bounds = parse_settings(settings or []), parse_limits(limits or [])
    stored, top, missing = str(weights) if weights else None, str(root) if root else None, tuple(allow_missing or ())
    return [
        Source(spec) if spec in compiled else Source(spec, model, values, stored, seed, top, bounds, missing, kind)
        for spec in specs
    ]


def _against(path: Path, device: str, threads: int | None) -> Subject:
    from convspec.bench.plan import Source, Subject
    from convspec.diagnostics import error, fail

    if path.suffix.lower() != ".onnx":
        raise fail(error("CNN401", f"--against takes an .onnx model, not {path}"))
    return Subject(Source(str(path)), "onnxruntime", device, level=None, threads=threads, against=True)


def _check_output(path: Path | None, reads: list[Path]) -> None:
    """Failure CNN401 or CNN400 for a file that cannot be written, before anything is measured."""
    from convspec.diagnostics import error, fail
    from convspec.runtime.outputs import check_place

    if path is None:
        return
    if path.suffix.lower() not in (".svg", ".png", ".json"):
        raise fail(error("CNN401", f"cannot tell what to write as {path}", hint="name a .svg, .png or .json file"))
    if not path.parent.is_dir():
        raise fail(
            error("CNN400", f"cannot write {path}: the folder {path.parent} does not exist", hint="make the folder first")
        )
    check_place(path, reads)


def _words(text: str, option: str) -> list[str]:
    from convspec.diagnostics import error, fail

    found = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise fail(error("CNN401", f"{option} names nothing"))
    return found


def _numbers(text: str, option: str, least: int) -> list[int]:
    from convspec.diagnostics import error, fail

    found = _words(text, option)
    wrong = [part for part in found if not (part.isascii() and part.isdigit() and int(part) >= least)]
    if wrong:
        hint = f"for instance {option} {least},{least + 1}"
        raise fail(error("CNN401", f"{option} takes integers of at least {least}, not `{wrong[0]}`", hint=hint))
    return [int(part) for part in found]


class _Progress:
    """One line on stderr that says what goes on, where that is a terminal; gone at the end."""

    def __enter__(self) -> _Progress:
        import sys

        self._stream = sys.stderr if sys.stderr.isatty() else None
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def say(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(f"\r\x1b[K{text[:100]}")
            self._stream.flush()
