"""`convspec zoo`: published networks that the package ships; which there are, one to read, one to take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from convspec.cli.declare import Argument, Group, Option, command
from convspec.cli.guard import Format, guarded, write_json
from convspec.cli.options import OutputFormat

if TYPE_CHECKING:
    from convspec.zoo import Network

EXAMPLES = """Examples:

convspec zoo list

convspec zoo show resnet50

convspec zoo get resnet50 -o my.cnn

convspec compile zoo:resnet50 --target onnx"""

app = Group("zoo", "Published networks, as specs: list them, read one, take one.", EXAMPLES)

_NAME = "A network: resnet50, mobilenet_v2, … Case, `_` and `-` do not matter."


@command("list", group=app)
@guarded
def list_(
    words: Annotated[
        list[str] | None,
        Argument("WORD", help="Only networks whose name, file or paper has all these."),
    ] = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Show every network: its paper, learnable parameters, multiply-accumulates and receptive field.

    MACs are those of one example at the input that `zoo show` names.
    """
    from convspec.zoo import networks

    found = [network for network in networks() if _holds(network, words or [])]
    if output_format is Format.json:
        write_json([network.to_json() for network in found])
        return
    rows = [_row(network) for network in found]
    head = ("network", "file", "parameters", "MACs", "receptive field", "paper")
    for line in _table(head, rows):
        click.echo(line)


@command("show", group=app)
@guarded
def show(
    name: Annotated[str, Argument("NAME", help=_NAME)],
    output_format: OutputFormat = Format.text,
) -> None:
    """Show a network: what it is, and its spec."""
    from convspec.zoo import find

    network = find(name)
    text = network.path.read_text(encoding="utf-8")
    if output_format is Format.json:
        write_json({**network.to_json(), "spec": text})
        return
    at = f" at {', '.join(network.inputs)}"
    facts = (
        ("network", f"{network.name}: {network.summary}"),
        ("paper", network.paper),
        ("parameters", f"{network.parameters:,}"),
        ("MACs", f"{network.macs:,}{at}"),
        ("receptive field", network.receptive_field),
        ("compile", f"convspec compile zoo:{network.name} --target onnx"),
        ("use", f'use {network.name} from "{network.library}"'),
    )
    for word, fact in facts:
        click.echo(f"{word:<16} {fact}")
    click.echo(f"\n{text}", nl=False)


@command("get", group=app)
@guarded
def get(
    name: Annotated[str, Argument("NAME", help=_NAME)],
    output: Annotated[
        Path | None,
        Option("-o", "--output", metavar="FILE", help="Where to write it; by default its file's name, here."),
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace a file that exists.")] = False,
    output_format: OutputFormat = Format.text,
) -> None:
    """Write the spec of a network, to change it. A file that exists is not replaced without --force."""
    from convspec.diagnostics import error, fail
    from convspec.files import write_file
    from convspec.zoo import find

    network = find(name)
    path = Path(network.path.name) if output is None else output / network.path.name if output.is_dir() else output
    if path.exists() and not force:
        raise fail(error("CNN400", f"cannot write {path}: it exists", hint="--force replaces it"))
    write_file(path, network.path.read_bytes())
    if output_format is Format.json:
        write_json({"network": network.name, "files": [{"path": str(path), "bytes": path.stat().st_size}]})
        return
    click.echo(f"wrote {path}; {network.name} is in it: convspec summary {path} --model {network.name}")


def _holds(network: Network, words: list[str]) -> bool:
    from convspec.zoo.catalogue import plain

    said = f"{network.name} {network.library} {network.summary} {network.paper}".lower()
    return all(word.lower() in said or plain(word) in plain(network.name) for word in words)


def _row(network: Network) -> tuple[str, ...]:
    return (
        network.name,
        network.library,
        f"{network.parameters:,}",
        _short(network.macs),
        network.receptive_field,
        network.paper,
    )


def _short(count: int) -> str:
    """`4.09 G`."""
    for power, unit in ((4, "T"), (3, "G"), (2, "M"), (1, "k")):
        if count >= 1000**power:
            return f"{count / 1000**power:.3g} {unit}" if count < 999.5 * 1000**power else f"{count / 1000**power:.0f} {unit}"
    return str(count)


_RIGHT = (2, 3)
"""Columns of numbers."""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: tuple[str, ...]) -> str:
        cells = (
            text.rjust(width) if i in _RIGHT else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return [line(head), line(tuple("-" * width for width in widths)), *map(line, rows)]


__all__ = ["EXAMPLES", "app"]
