"""`convspec fmt`: specs in the one canonical style."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import click

from convspec.cli.declare import Argument, Option, command
from convspec.cli.guard import guarded
from convspec.diagnostics import Diagnostic, Failure, error, fail
from convspec.limits import DEFAULT
from convspec.source import SourceFile

EXAMPLES = """Examples:

convspec fmt resnet.cnn

convspec fmt --check specs/

cat net.cnn | convspec fmt -"""

_PATHS = "Specs, folders of them, or - for standard input, which is written to standard output."
_CHECK = "Write nothing; exit status 1 where a file is not in canonical style."
_DIFF = "Write nothing; show what would change, with exit status 1 where something would."
_STDIN = Path("-")


@command("fmt", epilog=EXAMPLES)
@guarded
def fmt(
    paths: Annotated[list[Path], Argument("PATH", help=_PATHS)],
    check: Annotated[bool, Option("--check", help=_CHECK)] = False,
    diff: Annotated[bool, Option("--diff", help=_DIFF)] = False,
) -> None:
    """Lay out specs in the one canonical style.

    Comments stay, and the line breaks before `->`. What a spec means does not change: that is checked before it is written. A
    file that does not parse is left as it is, and its errors are shown.
    """
    wrong: list[Diagnostic] = []
    changed = unchanged = 0
    for path in _specs(paths):
        try:
            differs = _format(path, check, diff)
        except Failure as failure:
            wrong += failure.diagnostics
            continue
        changed, unchanged = changed + differs, unchanged + (not differs)
    if _STDIN not in paths:
        click.echo(_told(changed, unchanged, check or diff), err=True)
    if wrong:
        raise Failure(wrong)
    if changed and (check or diff):
        raise click.exceptions.Exit(1)


def _specs(paths: list[Path]) -> Iterator[Path]:
    """The files themselves, and those in folders, each once. Failure CNN010 for a folder without any."""
    seen: set[Path] = set()
    for path in paths:
        found = sorted(each for each in path.rglob("*.cnn") if each.is_file()) if path.is_dir() else [path]
        if not found:
            raise fail(error("CNN010", f"the folder {path} holds no .cnn file"))
        for each in found:
            if each not in seen:
                seen.add(each)
                yield each


def _format(path: Path, check: bool, diff: bool) -> bool:
    """Format one file, or say how it differs; whether it does."""
    from convspec.files import write_file
    from convspec.format import format_text

    source = _stdin() if path == _STDIN else _read(path)
    made = format_text(source.text, source.name)
    # The marks of another system at the ends of lines, and of UTF-8 at the start, are no part of the text that was read.
    differs = made != source.text if path == _STDIN else made.encode() != path.read_bytes()
    if diff:
        _show(source, made)
    elif path == _STDIN and not check:
        sys.stdout.write(made)
    elif check and differs:
        click.echo(f"would change {source.name}")
    elif differs:
        write_file(path, made)
        click.echo(f"formatted {path}")
    return differs


def _read(path: Path) -> SourceFile:
    from convspec.elaborate.files import read_source

    return read_source(path, str(path), DEFAULT)


def _stdin() -> SourceFile:
    data = sys.stdin.buffer.read(DEFAULT.file_bytes + 1)
    try:
        return SourceFile("<stdin>", data.decode("utf-8-sig"))
    except UnicodeDecodeError as problem:
        raise fail(error("CNN006", f"standard input is not UTF-8 text: byte {data[problem.start]:#04x}")) from None


def _show(source: SourceFile, made: str) -> None:
    from difflib import unified_diff

    old, new = source.text.splitlines(keepends=True), made.splitlines(keepends=True)
    for line in unified_diff(old, new, source.name, f"{source.name} (formatted)"):
        click.echo(line if line.endswith("\n") else f"{line}\n\\ no newline at the end of the file\n", nl=False)


def _told(changed: int, unchanged: int, asked_only: bool) -> str:
    """`2 files formatted, 5 left unchanged`."""
    done = "would change" if asked_only else "formatted"
    parts = [f"{changed} {'file' if changed == 1 else 'files'} {done}"] if changed else []
    parts += [f"{unchanged} {'file' if unchanged == 1 else 'files'} already formatted"] if unchanged else []
    return ", ".join(parts) or "no file was formatted"
