"""Tables on the command line: the forms that they are written in, and the file or the terminal that they go to."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import click

from convspec.cli.declare import Option


class TableFormat(StrEnum):
    """How a table is written. Errors are JSON only where the table is."""

    text = "text"
    markdown = "markdown"
    csv = "csv"
    json = "json"


class Precision(StrEnum):
    """In which memory is counted."""

    fp32 = "fp32"
    fp16 = "fp16"
    bf16 = "bf16"


class Optimizer(StrEnum):
    """Whose state training holds."""

    sgd = "sgd"
    momentum = "momentum"
    rmsprop = "rmsprop"
    adam = "adam"
    adamw = "adamw"


TableFormatOption: TypeAlias = Annotated[TableFormat, Option("--format", help="How the table is written.")]
OutputFile: TypeAlias = Annotated[
    Path | None, Option("-o", "--output", metavar="FILE", help="Write it to a file; .md, .csv and .json say in which form.")
]
_SUFFIXES = {".md": TableFormat.markdown, ".csv": TableFormat.csv, ".json": TableFormat.json}


def form_of(output_format: TableFormat, output: Path | None) -> TableFormat:
    """The form: the one asked for, else that of the file's name. Failure CNN401 for a name that says another one."""
    if output is None:
        return output_format
    suffix = output.suffix.lower()
    if suffix not in (*_SUFFIXES, ".txt", ""):
        from convspec.diagnostics import error, fail

        hint = "name a .txt, .md, .csv or .json file"
        raise fail(error("CNN401", f"cannot tell what to write as {output}", hint=hint))
    return _SUFFIXES.get(suffix, output_format) if output_format is TableFormat.text else output_format


def json_text(value: Any) -> str:
    """One JSON value, indented, ended by a newline."""
    import json

    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def write(text: str, output: Path | None, reads: tuple[str, ...] = ()) -> None:
    """To the terminal, or to a file whole or not at all; never over a spec that is read."""
    if output is None:
        sys.stdout.write(text)
        return
    from convspec.cli.networks import split_name
    from convspec.diagnostics import error, fail
    from convspec.files import same_file, write_file

    if any(same_file(output, Path(split_name(each)[0])) for each in reads):
        raise fail(error("CNN400", f"cannot write {output}: it is read by this command", hint="name another file"))
    write_file(output, text)
    click.echo(f"wrote {output}")


__all__ = ["Optimizer", "OutputFile", "Precision", "TableFormat", "TableFormatOption", "form_of", "json_text", "write"]
