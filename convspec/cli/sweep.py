"""`convspec sweep`: every combination of settings of a network, as a table and as a chart of the trade-off."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from convspec.cli.declare import Argument, Option, command
from convspec.cli.guard import guarded
from convspec.cli.networks import NETWORK_HELP
from convspec.cli.options import NETWORK, LimitOptions, Root
from convspec.cli.tabular import Optimizer, Precision, TableFormat, TableFormatOption
from convspec.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convspec.analysis.sweep import Point, Setting
    from convspec.elaborate import Module, Opened

_SET = """Values of a parameter, with commas between: width=16,32,64, depths=[2,2],[3,4], width=16..65..16 (to 64, in steps
of 16). Each --set is another axis."""
_MODEL = "Models or configurations of the file, with commas between."
_SIZES = "Sizes of the inputs: N=1,h=7,w=7. Others are those of a usual picture, one of them."
_COLUMNS = "Columns: params, macs, flops, memory, kept, inference, training, layers, statistics, rf, input."
_OUTPUT = "Write the chart (.svg, .png) or the table (.csv, .md, .json). May be repeated."
_X = "What a combination costs, from left to right in the chart: macs, flops, memory, training, …"
_Y = "What stands upward: params, layers (the more the better), or a cost."
_MOST = "Refuse more combinations than these."
_PICTURES = (".svg", ".png")
_FORMS = {".csv": TableFormat.csv, ".md": TableFormat.markdown, ".json": TableFormat.json}

EXAMPLES = """Examples:

convspec sweep net.cnn --set width=16,32,64 --set depth=2,3

convspec sweep net.cnn --set width=16..129..16 -o sweep.svg -o sweep.csv

convspec sweep resnet.cnn --model ResNet18,ResNet34,ResNet50 --set classes=10,100 --sort macs"""


@dataclass(frozen=True, slots=True)
class _Request:
    """What holds for every combination."""

    sizes: dict[str, int]
    precision: str
    optimizer: str
    zoo: bool


@command("sweep", epilog=EXAMPLES)
@guarded
def sweep(
    spec: Annotated[str, Argument("SPEC", help=NETWORK_HELP)],
    settings: Annotated[list[str] | None, Option("--set", metavar="NAME=VALUE,…", section=NETWORK, help=_SET)] = None,
    model: Annotated[str | None, Option("--model", metavar="NAME,…", section=NETWORK, help=_MODEL)] = None,
    sizes: Annotated[list[str] | None, Option("--sizes", metavar="NAME=INT,…", section=NETWORK, help=_SIZES)] = None,
    root: Root = None,
    limits: LimitOptions = None,
    columns: Annotated[list[str] | None, Option("--columns", metavar="NAME,…", help=_COLUMNS)] = None,
    sort: Annotated[str | None, Option("--sort", metavar="NAME", help="The largest of a column first.")] = None,
    x: Annotated[str, Option("--x", metavar="NAME", help=_X)] = "macs",
    y: Annotated[str, Option("--y", metavar="NAME", help=_Y)] = "params",
    precision: Annotated[Precision, Option("--precision", help="In which memory is counted.")] = Precision.fp32,
    optimizer: Annotated[Optimizer, Option("--optimizer", help="Whose state training holds.")] = Optimizer.adam,
    most: Annotated[int, Option("--most", metavar="N", min=1, help=_MOST)] = 1000,
    outputs: Annotated[list[Path] | None, Option("-o", "--output", metavar="FILE", help=_OUTPUT)] = None,
    output_format: TableFormatOption = TableFormat.text,
) -> None:
    """Count every combination of settings, and show which ones no other beats.

    One that fails, or breaks a budget of the spec, is a row with the reason, and the exit status is 1. A * marks the front: no
    other has as much of --y for as little of --x.
    """
    from convspec.analysis import sweep as analysis
    from convspec.cli.values import parse_limits, parse_sizes

    names, by, across, upward = _names(columns, sort, x, y)
    _check_outputs(outputs or [], spec)
    swept = _swept(spec, model, settings or [], root, parse_limits(limits or []))
    request = _Request(parse_sizes(sizes or []), precision, optimizer, spec.startswith("zoo:"))
    points = _all_counted(swept, analysis.combinations(swept.axes, most), request)
    _check_any(points)
    if by is not None:
        points = analysis.ordered(points, by)
    best = analysis.front(points, across, upward)
    shown = _Shown(spec, points, best, names, (across, upward))
    sys.stdout.write(shown.text(output_format))
    shown.write(outputs or [], told=output_format is TableFormat.text)
    if any(point.note for point in points):
        raise click.exceptions.Exit(1)


def _names(columns: list[str] | None, sort: str | None, x: str, y: str) -> tuple[tuple[str, ...], str | None, str, str]:
    """Columns by name. Failure CNN401 for one that there is not, or that has no numbers where they are needed."""
    from convspec.analysis.columns import parse_columns
    from convspec.analysis.networks import NETWORK_COLUMNS
    from convspec.analysis.sweep import DEFAULT
    from convspec.diagnostics import error, fail

    known = [name for name in NETWORK_COLUMNS if name != "network" and not name.endswith("_batch")]
    numbers = [name for name in known if NETWORK_COLUMNS[name].number]
    found = {}
    for option, text in (("--x", x), ("--y", y), ("--sort", sort)):
        if text is None:
            continue
        (name,) = parse_columns([text], known, option)[:1]
        if name not in numbers:
            raise fail(error("CNN401", f"{option}: `{name}` is no number", hint=f"there are {', '.join(numbers)}"))
        found[option] = name
    return parse_columns(columns or [], known) or DEFAULT, found.get("--sort"), found["--x"], found["--y"]


def _check_outputs(outputs: Sequence[Path], spec: str) -> None:
    from convspec.diagnostics import error, fail
    from convspec.files import same_file

    for path in outputs:
        if path.suffix.lower() not in (*_PICTURES, *_FORMS):
            hint = "name an .svg or .png file for the chart, .csv, .md or .json for the table"
            raise fail(error("CNN401", f"cannot tell what to write as {path}", hint=hint))
        if not path.parent.is_dir():
            raise fail(error("CNN400", f"cannot write {path}: the folder {path.parent} does not exist"))
        if same_file(path, Path(spec)):
            raise fail(error("CNN400", f"cannot write {path}: it is read by this command", hint="name another file"))


# ── what is combined ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Swept:
    """The file, the model where it is always the same, and every value of each setting."""

    file: Opened
    model: str | None
    axes: list[list[Setting]]


def _swept(spec: str, model: str | None, settings: Sequence[str], root: Path | None, limits: Any) -> _Swept:
    from convspec.analysis.sweep import MODEL, Setting
    from convspec.cli.networks import resolved, split_name
    from convspec.diagnostics import error, fail
    from convspec.elaborate import opened

    path, named = split_name(spec)
    if named is not None and model is not None:
        raise fail(error("CNN401", f"--model and {spec} both name a model"))
    place, found = resolved(path, named)
    models = [part.strip() for part in model.split(",") if part.strip()] if model is not None else []
    chosen: list[str | None] = list(dict.fromkeys(models)) or [found]
    given = [_axis(text) for text in settings]
    twice = [axis[0].name for i, axis in enumerate(given) if axis[0].name in {other[0].name for other in given[:i]}]
    if twice:
        raise fail(error("CNN401", f"--set gives `{twice[0]}` twice", hint="put all its values into one --set"))
    several = [[Setting(MODEL, name or "", name) for name in chosen]] if len(chosen) > 1 else []
    return _Swept(opened(place, limits, root), chosen[0], [*several, *given])


def _axis(text: str) -> list[Setting]:
    """`width=16,32` as two settings, `width=16..65..16` as four. Failure CNN401 for what is no `NAME=VALUES`."""
    from convspec.analysis.sweep import Setting
    from convspec.cli.values import parse_value
    from convspec.diagnostics import error, fail

    name, equals, values = text.partition("=")
    name = name.strip()
    if not equals or not name.isidentifier():
        raise fail(error("CNN401", f"--set takes NAME=VALUE,…, not `{text}`", hint="for instance --set width=16,32,64"))
    found: dict[str, Setting] = {}
    for part in _parts(values):
        for each in _range(part, name) or [part]:
            found.setdefault(each, Setting(name, each, parse_value(name, each)))
    return list(found.values())


def _parts(text: str) -> list[str]:
    """What stands between commas that are in no brackets and no quotes."""
    parts, depth, quoted = [""], 0, False
    for place, char in enumerate(text):
        if char == '"' and text[place - 1 : place] != "\\":
            quoted = not quoted
        if not quoted:
            depth += (char in "[(") - (char in "])")
        if char == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _range(text: str, name: str) -> list[str]:
    """`16..65..16` as its numbers, the end excluded as in a spec; nothing for what is no range."""
    import re

    from convspec.diagnostics import error, fail

    match = re.fullmatch(r"(-?\d{1,18})\s*\.\.\s*(-?\d{1,18})(?:\s*\.\.\s*(-?\d{1,18}))?", text)
    if match is None:
        return []
    start, end, step = int(match[1]), int(match[2]), int(match[3] or 1)
    count = len(range(start, end, step)) if step else 0
    if not count:
        raise fail(error("CNN401", f"--set {name}: the range {text} is empty", hint="start..end..step, the end excluded"))
    if count > 100_000:
        raise fail(error("CNN401", f"--set {name}: the range {text} has {count:,} values"))
    return [str(number) for number in range(start, end, step)]


# ── one combination ──────────────────────────────────────────────────────────────────────────────────────────


def _all_counted(swept: _Swept, combined: Sequence[tuple[Setting, ...]], request: _Request) -> list[Point]:
    """Every combination counted; how many are done is told on a terminal."""
    told = sys.stderr.isatty()
    points = []
    try:
        for number, settings in enumerate(combined, 1):
            points.append(_counted(swept, settings, request))
            if told:
                sys.stderr.write(f"\r{number:,} of {len(combined):,}")
                sys.stderr.flush()
    finally:
        if told:
            sys.stderr.write("\r\x1b[K")
    return points


def _counted(swept: _Swept, settings: tuple[Setting, ...], request: _Request) -> Point:
    from convspec.analysis.budgets import check_asserts
    from convspec.analysis.networks import Entry
    from convspec.analysis.summary import summarise
    from convspec.analysis.sweep import MODEL, Point
    from convspec.diagnostics import Failure

    model = next((each.value for each in settings if each.name == MODEL), swept.model)
    try:
        module = swept.file.module(model, {each.name: each.value for each in settings if each.name != MODEL})
        made = summarise(module, _sizes(module, request), request.precision, request.optimizer)
    except Failure as failure:
        return Point(settings, problem=failure.diagnostics[0])
    try:
        check_asserts(module)
    except Failure as failure:
        return Point(settings, Entry(module.name, made), tuple(failure.diagnostics))
    return Point(settings, Entry(module.name, made))


def _sizes(module: Module, request: _Request) -> dict[str, int]:
    from convspec.analysis.sizes import check_sizes, symbolic_sizes
    from convspec.draw.basis import choose_basis

    known = symbolic_sizes(module.graph)
    check_sizes(request.sizes, known)
    usual: dict[str, int] = {}
    if request.zoo:
        from convspec.zoo import networks

        usual = dict(next((each.sizes for each in networks() if each.name == module.name), {}))
    mine = {name: value for name, value in {**usual, **request.sizes}.items() if name in known}
    return choose_basis(module.graph, known, mine)


def _check_any(points: Sequence[Point]) -> None:
    """Failure with what is wrong where nothing can be counted."""
    from convspec.diagnostics import Failure

    if all(point.entry is None for point in points):
        problems = {(p.problem.code, p.problem.message): p.problem for p in points if p.problem is not None}
        raise Failure(list(problems.values()))


# ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Shown:
    """The combinations in the order in which they are shown."""

    spec: str
    points: Sequence[Point]
    best: set[int]
    columns: tuple[str, ...]
    axes: tuple[str, str]

    def text(self, form: TableFormat) -> str:
        from convspec.analysis import sweep as analysis
        from convspec.analysis.tables import markdown_lines, text_lines
        from convspec.cli.tabular import json_text

        if form is TableFormat.json:
            return json_text(analysis.sweep_json(self.spec, self.points, self.best, self.axes))
        if form is TableFormat.csv:
            return analysis.sweep_csv(self.points, self.best, self.columns)
        table = analysis.sweep_table(self.points, self.best, self.columns)
        lines = markdown_lines(table) if form is TableFormat.markdown else text_lines(table)
        return "\n".join([*lines, "", self._about()]) + "\n"

    def _about(self, mark: str = "*") -> str:
        """At which sizes, and what the front is."""
        from convspec.analysis.networks import NETWORK_COLUMNS
        from convspec.analysis.sweep import CAPACITY

        x, y = (NETWORK_COLUMNS[name].heading for name in self.axes)
        much = "as many" if self.axes[1] in CAPACITY else "as few"
        inputs = dict.fromkeys(
            ", ".join(f"{name}: {kind}" for name, kind in point.entry.summary.inputs) for point in self.points if point.entry
        )
        at = f"At {next(iter(inputs))}. " if len(inputs) == 1 else ""
        failed = sum(point.entry is None for point in self.points)
        said = f" {failed:,} of {len(self.points):,} combinations failed." if failed else ""
        return f"{at}{'Memory is in bytes. ' if mark == '*' else ''}{mark}: no other has {much} {y} for as few {x}.{said}"

    def write(self, outputs: Sequence[Path], told: bool) -> None:
        from convspec.files import write_file

        for path in outputs:
            suffix = path.suffix.lower()
            if suffix in _PICTURES:
                canvas = self._chart()
                write_file(path, canvas.svg() if suffix == ".svg" else canvas.png())
            else:
                write_file(path, self.text(_FORMS[suffix]))
            click.echo(f"wrote {path}", err=not told)

    def _chart(self) -> Any:
        from convspec.analysis.networks import NETWORK_COLUMNS
        from convspec.bench.tradeoff import Spot, tradeoff

        spots = []
        for index, point in enumerate(self.points):
            if point.entry is None:
                continue
            x, y = (point.entry.number(name) for name in self.axes)
            first = point.settings[0] if point.settings else None
            group = first.title if first else ""
            spots.append(Spot(point.title, group, x, y, index in self.best, bool(point.broken)))
        names = NETWORK_COLUMNS[self.axes[0]].heading, NETWORK_COLUMNS[self.axes[1]].heading
        about = self._about("Filled") + (" Red: breaks a budget." if any(spot.broken for spot in spots) else "")
        return tradeoff(self.spec, about, names, spots)
