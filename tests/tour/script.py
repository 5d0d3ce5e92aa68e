"""The tour as a script: what it tells the reader to write is written, what it tells them to run is run.

A block ```cnn FILE``` is a file's text; ```diff FILE``` changes lines of it, each of which must be there once; in ```console```
a line that begins with `$ ` is a command, and what it prints stands below it. All else is for the reader.
"""

from __future__ import annotations

import difflib
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from convspec.cli.app import app

_BLOCK = re.compile(r"^(`{3,})(cnn|diff|console) ?(\S*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
READING = ("cat", "head", "sed", "ls")
ROOT = Path(__file__).parent.parent.parent
TOUR = ROOT / "docs" / "tour.md"


def prepare(folder: Path) -> None:
    """What the reader has at the start, in a folder: the examples of a checkout."""
    (folder / "examples").mkdir()
    for name in ("digits", "lenet5.safetensors", "lenet5.cnn"):
        source = ROOT / "examples" / name
        copy: Any = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / "examples" / name)


def play(text: str) -> str:
    """The tour with what its commands print now. Files go to the current folder."""
    return _BLOCK.sub(_played, text)


def commands(text: str) -> list[str]:
    """The commands, in order."""
    consoles = [match[4] for match in _BLOCK.finditer(text) if match[2] == "console"]
    return [line[2:] for console in consoles for line in console.splitlines() if line.startswith("$ ")]


def difference(shown: str, real: str) -> str:
    """What a command prints now, beside what the tour shows; empty where they agree."""
    return "\n".join(difflib.unified_diff(shown.splitlines(), real.splitlines(), "shown", "real", lineterm=""))


def _played(match: re.Match[str]) -> str:
    fence, kind, name, body = match.groups()
    if kind == "cnn" and name:
        Path(name).write_text(body)
    elif kind == "diff":
        _change(Path(name), body)
    elif kind == "console":
        body = "".join(_run(line[2:]) for line in body.splitlines() if line.startswith("$ "))
    return f"{fence}{kind}{' ' if name else ''}{name}\n{body}{fence}"


def _change(path: Path, body: str) -> None:
    old = "".join(line[1:] for line in body.splitlines(keepends=True) if not line.startswith("+"))
    new = "".join(line[1:] for line in body.splitlines(keepends=True) if not line.startswith("-"))
    text = path.read_text()
    assert text.count(old) == 1, f"{path}: these lines should be there once:\n{old}"
    path.write_text(text.replace(old, new))


def _run(line: str) -> str:
    program, *args = shlex.split(line)
    if program == "convspec":
        done = CliRunner().invoke(app, args, prog_name="convspec")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return f"$ {line}\n{done.output}"
    assert program in READING, f"the tour may not run {program}"
    shown = subprocess.run([program, *args], capture_output=True, text=True, check=True)
    return f"$ {line}\n{shown.stdout}"
