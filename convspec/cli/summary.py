"""`convspec summary`: the layers of a network as a table, with totals; or several networks, a row each."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import click

from convspec.cli.declare import Argument, Option, command
from convspec.cli.guard import guarded
from convspec.cli.networks import NETWORK_HELP
from convspec.cli.options import NETWORK, LimitOptions, Model, Root, Settings
from convspec.cli.tabular import Optimizer, OutputFile, Precision, TableFormat, TableFormatOption
from convspec.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convspec.analysis.batch import Largest
    from convspec.analysis.networks import Entry
    from convspec.analysis.summary import Summary
    from convspec.cli.networks import Named
    from convspec.diagnostics import Diagnostic

_T = TypeVar("_T")
_Made = TypeVar("_Made")
_SIZES = "Give symbolic sizes values: N=1,h=7,w=7. Without it they stay symbolic; several networks are counted at usual ones."
_COLUMNS = """Which columns: label, layer, layers, input, shape, dtype, params, statistics, macs, flops, memory, kept, rf, jump,
offset, and macs% and the like for shares; of several networks: network, input, layers, params, statistics, macs, flops, memory,
kept, inference, training, rf, train_batch, infer_batch."""
_BY = "A row for each layer, or for each use of a block; --depth says how deep blocks are told apart."
_DEPTH = "Fold labels to so many levels (with --by block: blocks inside each other). Rows add up to the totals."
_SORT = "The largest first, with its share: params, macs, flops, memory, kept, statistics or layers."
_PRECISION = "fp32, fp16 or bf16: 16 bits in inference, mixed in training."
_OPTIMIZER = "Whose state training holds: sgd, momentum, rmsprop, adam or adamw."
_MEMORY = "Find the largest batch that fits: 8GB is 8 * 10^9 bytes, 8GiB 8 * 2^30."
_MEM = "Memory"

EXAMPLES = """Examples:

convspec summary lenet5.cnn

convspec summary resnet.cnn --model ResNet50 --sizes N=1,h=7,w=7 --depth 1

convspec summary zoo:resnet50 --by block --sort macs --columns label,layer,params,macs,macs%

convspec summary zoo:resnet50 zoo:mobilenet_v2 --format markdown

convspec summary zoo:resnet50 --memory 8GB --train --precision bf16"""


class By(StrEnum):
    """What a row stands for."""

    layer = "layer"
    block = "block"


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked about every network alike."""

    sizes: dict[str, int]
    columns: list[str]
    by: By
    depth: int | None
    sort: str | None
    precision: str
    optimizer: str
    budget: int | None
    modes: tuple[bool, ...]
    """Whether in training, of each batch to find."""
    form: TableFormat


@command("summary", epilog=EXAMPLES)
@guarded
def summary(
    specs: Annotated[list[str], Argument("SPEC", help=f"{NETWORK_HELP} Several are set side by side.")],
    model: Model = None,
    settings: Settings = None,
    sizes: Annotated[list[str] | None, Option("--sizes", metavar="NAME=INT,…", section=NETWORK, help=_SIZES)] = None,
    root: Root = None,
    limits: LimitOptions = None,
    columns: Annotated[list[str] | None, Option("--columns", metavar="NAME,…", help=_COLUMNS)] = None,
    by: Annotated[By, Option("--by", help=_BY)] = By.layer,
    depth: Annotated[int | None, Option("--depth", metavar="N", min=1, help=_DEPTH)] = None,
    sort: Annotated[str | None, Option("--sort", metavar="NAME", help=_SORT)] = None,
    precision: Annotated[Precision, Option("--precision", section=_MEM, help=_PRECISION)] = Precision.fp32,
    optimizer: Annotated[Optimizer, Option("--optimizer", section=_MEM, help=_OPTIMIZER)] = Optimizer.adam,
    memory: Annotated[str | None, Option("--memory", metavar="SIZE", section=_MEM, help=_MEMORY)] = None,
    train: Annotated[bool, Option("--train", section=_MEM, help="With --memory: the batch of training alone.")] = False,
    infer: Annotated[bool, Option("--infer", section=_MEM, help="With --memory: the batch of inference alone.")] = False,
    output: OutputFile = None,
    output_format: TableFormatOption = TableFormat.text,
) -> None:
    """Show the layers, what they cost, and totals; or several networks side by side.

    A row has a layer's label, its output shape, parameters, MACs (multiply-accumulates) and receptive field. --model, --set and
    --sizes hold for every network that is named.
    """
    from convspec.cli.networks import load_named
    from convspec.cli.tabular import form_of, write
    from convspec.cli.values import parse_limits, parse_memory, parse_settings, parse_sizes

    request = _Request(
        parse_sizes(sizes or []),
        columns or [],
        by,
        depth,
        sort,
        precision,
        optimizer,
        parse_memory(memory) if memory is not None else None,
        tuple(mode for mode, asked in ((True, train), (False, infer)) if asked or train == infer),
        form_of(output_format, output),
    )
    _check(request, len(specs) > 1, train or infer)
    given, bounds = parse_settings(settings or []), parse_limits(limits or [])

    def load(spec: str) -> Named:
        return load_named(spec, model, given, root, bounds)

    if len(specs) == 1:
        write(_one(load(specs[0]), request), output, tuple(specs))
        return
    text, wrong = _several(specs, load, request)
    if text:
        write(text, output, tuple(specs))
    if text and output_format is TableFormat.json and wrong:
        raise click.exceptions.Exit(1)  # the errors stand in the JSON
    _fail_with(wrong)


def _check(request: _Request, several: bool, mode_asked: bool) -> None:
    """Failure CNN401 for options that do not go together."""
    from convspec.diagnostics import error, fail

    if several and (request.by is By.block or request.depth is not None):
        option = "--by block" if request.by is By.block else "--depth"
        raise fail(error("CNN401", f"{option} is about the layers of one network, and several are named"))
    if mode_asked and request.budget is None:
        raise fail(error("CNN401", "--train and --infer say which batch --memory is about", hint="for instance --memory 8GB"))


def _fail_with(wrong: Sequence[Diagnostic]) -> None:
    from convspec.diagnostics import Failure

    if wrong:
        raise Failure(list(wrong))


# ── one network ──────────────────────────────────────────────────────────────────────────────────────────────


def _one(named: Named, request: _Request) -> str:
    """The summary of one network in the form that is asked for."""
    from convspec.analysis import summary_text
    from convspec.analysis.columns import names_of_columns, parse_columns
    from convspec.cli.tabular import json_text

    names = parse_columns(request.columns, names_of_columns())
    table = _summary(named, request, bool(names))
    batches = _batches(named, request)
    match request.form:
        case TableFormat.json:
            answers = {"largest_batch": {_mode(each): _batch_json(each) for each in batches}} if batches else {}
            return json_text(table.to_json() | answers)
        case TableFormat.csv:
            return summary_text.render_csv(table, names)
        case TableFormat.markdown:
            said = "".join(f"- {line}\n" for line in _said(named, request, batches))
            return summary_text.render_markdown(table, names) + said
    said = "".join(f"\n{line}" for line in _said(named, request, batches))
    return summary_text.render_text(table, names) + (f"{said}\n" if said else "")


def _summary(named: Named, request: _Request, shares: bool) -> Summary:
    from dataclasses import replace

    from convspec.analysis.columns import SHARED, parse_columns
    from convspec.analysis.folding import folded, ordered
    from convspec.analysis.summary import summarise
    from convspec.cli.networks import all_sizes

    made = summarise(named.net.module, request.sizes, request.precision, request.optimizer)
    if request.by is By.block or request.depth is not None:
        made = folded(made, named.net.module, request.by is By.block, request.depth)
    if request.sort is not None:
        (by,) = parse_columns([request.sort.removesuffix("%")], SHARED, "--sort")[:1]
        made = ordered(made, by, all_sizes(named, request.sizes))
    elif shares:
        made = replace(made, basis=all_sizes(named, request.sizes))
    return made


# ── the largest batch ────────────────────────────────────────────────────────────────────────────────────────


def _batches(named: Named, request: _Request) -> tuple[Largest, ...]:
    from convspec.analysis.batch import largest_batch
    from convspec.analysis.training import plan
    from convspec.cli.networks import all_sizes

    if request.budget is None:
        return ()
    planned, sizes = plan(named.graph), all_sizes(named, request.sizes)
    return tuple(
        largest_batch(planned, request.budget, sizes, training=mode, precision=request.precision, optimizer=request.optimizer)
        for mode in request.modes
    )


def _said(named: Named, request: _Request, batches: Sequence[Largest]) -> list[str]:
    """A line for each batch that was asked for."""
    from convspec.analysis.batch import MOST
    from convspec.analysis.units import exact_bytes
    from convspec.cli.networks import all_sizes

    lines = []
    for each in batches:
        others = {name: size for name, size in all_sizes(named, request.sizes).items() if name != each.name}
        at = "".join(f", {name} = {size:,}" for name, size in others.items())
        how = f"{_mode(each)} in {each.precision}{f' with {each.optimizer}' if each.training else ''}{at}"
        if each.use is None:
            line = f"none: {each.name} = {each.least} takes {exact_bytes(each.beyond.total)} of {exact_bytes(each.budget)}"
        elif each.batch >= MOST:
            line = f"any {each.name}: memory does not depend on it"
        else:
            line = f"{each.name} = {each.batch:,} takes {exact_bytes(each.use.total)}; one more takes {each.beyond.total:,}"
        lines.append(f"largest batch      {line} ({how})")
    return lines


def _mode(each: Largest) -> str:
    return "training" if each.training else "inference"


def _batch_json(each: Largest) -> object:
    from convspec.analysis.networks import batch_json

    return batch_json(each)


# ── several networks ─────────────────────────────────────────────────────────────────────────────────────────


def _several(specs: Sequence[str], load: Callable[[str], Named], request: _Request) -> tuple[str, list[Diagnostic]]:
    """The table of those that are right, and what is wrong with the others."""
    from convspec.analysis import networks
    from convspec.analysis.columns import parse_columns
    from convspec.cli.networks import check_known
    from convspec.cli.tabular import json_text

    names = parse_columns(request.columns, networks.NETWORK_COLUMNS)
    by = parse_columns([request.sort], networks.NETWORK_COLUMNS, "--sort")[0] if request.sort is not None else None
    found, wrong = gathered(specs, load)
    if found:
        check_known(request.sizes, found)
    entries, more = gathered(found, lambda named: _entry(named, request))
    wrong += more
    if by is not None:
        entries = networks.sorted_entries(entries, by)
    if not entries:
        return "", wrong
    match request.form:
        case TableFormat.json:
            from convspec.diagnostics.render import to_json

            found_json = {"networks": [networks.entry_json(entry) for entry in entries], "diagnostics": to_json(wrong)}
            return json_text(found_json), wrong
        case TableFormat.csv:
            return networks.networks_csv(entries, names), wrong
        case TableFormat.markdown:
            return networks.networks_markdown(entries, names), wrong
    return networks.networks_text(entries, names), wrong


def gathered(items: Sequence[_T], make: Callable[[_T], _Made]) -> tuple[list[_Made], list[Diagnostic]]:
    """What was made of the items, and the mistakes of those of which nothing could be made."""
    from convspec.diagnostics import Failure

    made: list[_Made] = []
    wrong: list[Diagnostic] = []
    for item in items:
        try:
            made.append(make(item))
        except Failure as failure:
            wrong += failure.diagnostics
    return made, wrong


def _entry(named: Named, request: _Request) -> Entry:
    from convspec.analysis.networks import Entry
    from convspec.analysis.summary import summarise
    from convspec.cli.networks import all_sizes

    made = summarise(named.net.module, all_sizes(named, request.sizes), request.precision, request.optimizer)
    return Entry(named.title, made, _batches(named, request))
