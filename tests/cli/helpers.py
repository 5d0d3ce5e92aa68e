"""The command line as the tests call it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from convspec.cli.app import app

SMALL = """model Small(classes: int = 4) {
    input image: float32[N, 1, 8, 8] as picture(size = 8)
    logits = image -> conv(3, 3x3, pad = 1) -> relu -> maxpool(2x2) -> flatten -> fc: linear(classes)
    output logits
}
"""
TWO = """model Two {
    input left: float32[N, 2, 2*h, 2*w]
    input right: float32[N, 2, 2*h, 2*w]
    output sum = left + right
    output "max.0" = left -> maxpool(2x2)
}
"""


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


def convspec(*args: str | Path) -> Done:
    """What `convspec ARGS` would print and exit with, in this process."""
    result = CliRunner().invoke(app, [str(arg) for arg in args], prog_name="convspec")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)
