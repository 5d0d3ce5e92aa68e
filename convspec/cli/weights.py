"""`convspec weights`: what is in a weights file, and the way of weights from one framework to another."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import click

from convspec.cli.declare import Argument, Group, Option, command
from convspec.cli.guard import Format, guarded, write_json
from convspec.cli.options import AllowMissing, LimitOptions, Model, OutputFormat, Root, Settings, Spec
from convspec.records import dataclass

if TYPE_CHECKING:
    from convspec.api import Net
    from convspec.weights.report import Conversion

LIST = """Examples:

convspec weights list resnet50.pth

convspec weights list model.keras --format json"""

INIT = """Examples:

convspec weights init lenet5.cnn -o lenet5.safetensors --seed 7"""

CONVERT = """Examples:

convspec weights convert resnet.cnn resnet50.pth -o resnet50.safetensors --model ResNet50

convspec weights convert resnet.cnn resnet50.pth -o r.safetensors --model ResNet50 --set classes=10 --allow-missing 'fc.*'

convspec weights convert resnet.cnn checkpoint.pt -o trained.safetensors --map module=

convspec weights convert vgg.cnn vgg16.weights.h5 -o vgg16.onnx --mapping names.toml"""

DIFF = """Examples:

convspec weights diff before.safetensors after.safetensors

convspec weights diff resnet50.pth resnet50.keras --spec resnet.cnn --model ResNet50"""

CHECK = """Examples:

convspec weights check lenet5.cnn lenet5.safetensors"""

_SOURCE = "Weights: .safetensors, .pt, .pth, .weights.h5, .keras or .onnx."
_DEST = "Where to write them; the suffix says how: .safetensors, .pt, .pth, .weights.h5, .keras or .onnx."
_MAPPING = (
    "A .json or .toml file that gives names of the source labels of the spec; either may be whole layers. "
    "Or one that is shipped: zoo:keras/resnet50."
)
_MAP = "One entry of a mapping: conv1_conv=conv1; module= takes levels away, =backbone puts them before. May be repeated."
_MATCH = (
    "How tensors find each other beside the mapping: by their names, or by order and shape, where these leave one way only."
)
_CAST = "Bring floats of another width to the spec's dtype. Without it another dtype is an error."
_SEED = "Where initial weights are drawn from."


class Match(StrEnum):
    """How tensors find each other."""

    exact = "exact"
    structure = "structure"


Source: TypeAlias = Annotated[Path, Argument("SOURCE", help=_SOURCE)]
Mapping: TypeAlias = Annotated[Path | None, Option("--mapping", metavar="FILE", help=_MAPPING)]
Map: TypeAlias = Annotated[list[str] | None, Option("--map", metavar="NAME=LABEL", help=_MAP)]
MatchOption: TypeAlias = Annotated[Match, Option("--match", help=_MATCH)]
Cast: TypeAlias = Annotated[bool, Option("--cast", help=_CAST)]
Seed: TypeAlias = Annotated[int, Option("--seed", metavar="N", min=0, help=_SEED)]

app = Group("weights", "List, draw, convert, compare and check weights, in the formats of every framework.")


@command("list", LIST, app)
@guarded
def list_(source: Source, output_format: OutputFormat = Format.text) -> None:
    """List the tensors in a weights file: name, dtype, shape, bytes, and totals."""
    from convspec.weights.listing import list_tensors
    from convspec.weights.sources import open_source

    listing = list_tensors(open_source(source))
    if output_format is Format.json:
        write_json(listing.to_json())
    else:
        click.echo(listing.text(), nl=False)


@command("init", INIT, app)
@guarded
def init(
    spec: Spec,
    output: Annotated[Path, Option("-o", "--output", metavar="DEST", help=_DEST)],
    seed: Seed = 0,
    model: Model = None,
    settings: Settings = None,
    root: Root = None,
    limits: LimitOptions = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Write the initial weights of a spec."""
    net = _load(spec, model, settings, root, limits, seed=seed)
    written = _write(output, net, [spec], net.weights)
    if output_format is Format.json:
        write_json({"model": net.module.name, "seed": seed, "written": written})
        return
    _say(written)


@command("convert", CONVERT, app)
@guarded
def convert(
    spec: Spec,
    source: Source,
    output: Annotated[Path, Option("-o", "--output", metavar="DEST", help=_DEST)],
    mapping: Mapping = None,
    entries: Map = None,
    match: MatchOption = Match.exact,
    allow_missing: AllowMissing = None,
    cast: Cast = False,
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help="Where what is missing is drawn from.")] = 0,
    model: Model = None,
    settings: Settings = None,
    root: Root = None,
    limits: LimitOptions = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Bring weights into a spec's names and layouts, and into another format.

    Every tensor is reported: its name in the source, the spec's label, the shape, and how its axes were permuted. What does not
    fit is an error that names it; then nothing is written.
    """
    net = _load(spec, model, settings, root, limits)
    found = _converted(net, source, _Names(mapping, entries or (), match), allow_missing, cast, seed)
    written = _write(output, net, [spec, source, *([mapping] if mapping else [])], found.weights)
    if output_format is Format.json:
        write_json({**found.to_json(), "written": written})
        return
    click.echo(found.report())
    _say(written)


@command("diff", DIFF, app)
@guarded
def diff(
    first: Annotated[Path, Argument("A", help=_SOURCE)],
    second: Annotated[Path, Argument("B", help="Weights in any of these formats.")],
    spec: Annotated[
        Path | None, Option("--spec", metavar="SPEC", help="Compare in the names and layouts of this spec.")
    ] = None,
    model: Model = None,
    settings: Settings = None,
    root: Root = None,
    limits: LimitOptions = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Compare two weights files: tensors added, removed and changed, with the greatest difference. Exit status 1 if any differ.

    Without --spec names and layouts are compared as they stand in the files.
    """
    from convspec.weights.convert import arrays_source
    from convspec.weights.diff import compare
    from convspec.weights.sources import open_source

    if spec is None:
        found = compare(open_source(first), open_source(second))
    else:
        net = _load(spec, model, settings, root, limits)
        weights = (_converted(net, path, _Names()).weights for path in (first, second))
        found = compare(*(arrays_source(arrays, path) for arrays, path in zip(weights, (first, second), strict=True)))
    if output_format is Format.json:
        write_json(found.to_json())
    else:
        click.echo(found.text(), nl=False)
    if found.different:
        raise click.exceptions.Exit(1)


@command("check", CHECK, app)
@guarded
def check(
    spec: Spec,
    source: Source,
    mapping: Mapping = None,
    entries: Map = None,
    match: MatchOption = Match.exact,
    allow_missing: AllowMissing = None,
    cast: Cast = False,
    model: Model = None,
    settings: Settings = None,
    root: Root = None,
    limits: LimitOptions = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Say whether weights fit a spec and are undamaged; every misfit is named."""
    net = _load(spec, model, settings, root, limits)
    found = _converted(net, source, _Names(mapping, entries or (), match), allow_missing, cast)
    if output_format is Format.json:
        write_json({**found.to_json(), "fits": True})
        return
    click.echo(f"{source} fits {net.module.name}: {len(found.rows)} tensors")
    click.echo("".join(f"{line}\n" for line in found.left_out()), nl=False)


def _load(
    spec: Path, model: str | None, settings: list[str] | None, root: Path | None, limits: list[str] | None, seed: int = 0
) -> Net:
    from convspec import api
    from convspec.cli.values import parse_limits, parse_settings

    given, bounds = parse_settings(settings or []), parse_limits(limits or [])
    return api.load(spec, model=model, settings=given, seed=seed, root=root, limits=bounds)


@dataclass(frozen=True, slots=True)
class _Names:
    """How names find each other: `--mapping`, `--map`, `--match`."""

    mapping: Path | None = None
    entries: Sequence[str] = ()
    match: Match = Match.exact

    def given(self, source: Any) -> dict[str, str]:
        """The mapping of the file with the entries of `--map`, which go before it. Failure CNN204 or CNN401."""
        from convspec.diagnostics import error, fail
        from convspec.weights.convert import entries

        found = entries(self.mapping, source)
        for entry in self.entries:
            name, equals, label = entry.rpartition("=")
            if not equals:
                raise fail(
                    error("CNN401", f"--map takes NAME=LABEL, not `{entry}`", hint="for instance --map conv1_conv=conv1")
                )
            found[name] = label
        return found


def _converted(
    net: Net, path: Path, names: _Names, allow_missing: list[str] | None = None, cast: bool = False, seed: int = 0
) -> Conversion:
    from convspec.weights.convert import convert
    from convspec.weights.sources import open_source

    source = open_source(path)
    given = names.given(source)
    return convert(
        net.module, source, mapping=given, match=names.match.value, allow_missing=allow_missing or (), cast=cast, seed=seed
    )


def _write(output: Path, net: Net, reads: list[Path], weights: Any) -> list[dict[str, Any]]:
    """Write weights in the format of the suffix; paths and sizes. Failure CNN400 where that would replace what was read."""
    from convspec.diagnostics import error, fail
    from convspec.files import same_file
    from convspec.weights import sinks

    used = [file.span.file.path for file in net.module.files]
    if any(same_file(output, path) for path in (*reads, *used) if path is not None):
        raise fail(error("CNN400", f"cannot write {output}: it is read by this command", hint="name another file"))
    return [{"path": str(path), "bytes": path.stat().st_size} for path in sinks.write(output, net.module, weights)]


def _say(written: list[dict[str, Any]]) -> None:
    for file in written:
        click.echo(f"wrote {file['path']} ({file['bytes']} bytes)")
