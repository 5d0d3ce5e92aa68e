"""Values on the command line: `--set classes=100`, `--sizes N=1,h=7`, written as in a spec."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from convspec.diagnostics import Failure, error, fail
from convspec.limits import Limits
from convspec.syntax import ast

if TYPE_CHECKING:
    from convspec.api import Net

_EXAMPLES = 'write a number, true or false, a word or "string", a size such as 3x3, or a list of these'


def parse_settings(texts: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """`["classes=100", "depths=[3, 4]"]` as Python values by name. Failure CNN401 for what is no `NAME=VALUE`."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise fail(error("CNN401", f"{option} takes NAME=VALUE, not `{text}`", hint=f"for instance {option} classes=100"))
        if name in found:
            raise fail(error("CNN401", f"{option} gives `{name}` twice"))
        found[name] = parse_value(name, value, option)
    return found


def parse_sizes(texts: Sequence[str], option: str = "--sizes") -> dict[str, int]:
    """`["N=1,h=7", "w=7"]` as integers by name. Failure CNN401 for anything else."""
    found: dict[str, int] = {}
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, _, value = part.partition("=")
        if not name.isidentifier() or not value.isascii() or not value.isdigit() or int(value) < 1:
            hint = f"for instance {option} N=1,h=7,w=7"
            raise fail(error("CNN401", f"{option} takes NAME=INTEGER with an integer of at least 1, not `{part}`", hint=hint))
        found[name] = int(value)
    return found


def parse_limits(texts: Sequence[str]) -> Limits:
    """`["nodes=1M"]` as Limits, the others as they are. Failure CNN401 for a name or number that cannot be."""
    known = [field.name for field in fields(Limits)]
    found: dict[str, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        limit = parse_value(name, value, "--limit") if value else None
        if name not in known or isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            message = f"--limit takes NAME=N with an integer of at least 1, not `{text}`"
            raise fail(error("CNN401", message, hint=f"the limits are {', '.join(known)}"))
        found[name] = limit
    return Limits(**found)


_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def parse_memory(text: str) -> int:
    """`2GB`, `1.5GiB` or `800MB` in bytes. Failure CNN401 for anything else."""
    match = re.fullmatch(r"([0-9]{1,20})(?:\.([0-9]{1,20}))?\s*([a-z]*)", text.strip().lower())
    whole, part, unit = match.groups(default="") if match else ("0", "", "")
    parts: int = 10 ** len(part)
    found = int(whole + part) * _UNITS.get(unit, 0) // parts  # in integers: 0.1GB is no byte less
    if not 1 <= found < 2**63:
        raise fail(error("CNN401", f"--memory takes a size such as 2GB, 1.5GiB or 800MB, not `{text}`"))
    return found


def parse_batch(text: str) -> int | None:
    """A batch size, or None for `auto`. Failure CNN401 for anything else."""
    if text == "auto":
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) < 2**31):
        raise fail(error("CNN401", f"--batch takes auto, or an integer of at least 1, not `{text}`"))
    return int(text)


def say_left_out(net: Net) -> None:
    """What `--allow-missing` let pass, to stderr: stdout is for results."""
    conversion = net.conversion
    if conversion is not None and conversion.missing:
        sys.stderr.write("".join(f"{line}\n" for line in conversion.left_out()))


def parse_value(name: str, text: str, option: str = "--set") -> Any:
    """A literal as in a spec, for `name`. Failure CNN401 for anything else."""
    from convspec.source import SourceFile
    from convspec.syntax import parse

    refused = fail(error("CNN401", f"{option} {name}: `{text}` is not a value", hint=_EXAMPLES))
    try:
        tree = parse(SourceFile("--set", f"let value = {text}"))
    except Failure:
        raise refused from None
    match tree.items:
        case (ast.Let(value=value, params=None),):
            try:
                return _literal(value)
            except _NoLiteralError:
                raise refused from None
    raise refused


class _NoLiteralError(Exception):
    """An expression that needs a spec around it."""


def _literal(expr: ast.Expr) -> Any:
    from convspec.ir.attrs import Extent

    match expr:
        case ast.IntLit(value=value) | ast.FloatLit(value=value) | ast.BoolLit(value=value):
            return value
        case ast.SizeLit(values=values):
            return Extent(values)
        case ast.StrLit(parts=parts) if all(isinstance(part, str) for part in parts):
            return "".join(str(part) for part in parts)
        case ast.NameRef(text=text):
            return text
        case ast.ListLit(items=items):
            return [_literal(item) for item in items]
        case ast.Unary(operator="-", operand=ast.IntLit(value=value) | ast.FloatLit(value=value)):
            return -value
    raise _NoLiteralError
