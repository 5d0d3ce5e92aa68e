"""A spec in the one canonical style."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, is_dataclass
from typing import Any

from convspec.collector import collector_off
from convspec.format.doc import Doc, Line
from convspec.format.layout import layout
from convspec.format.printer import Printer
from convspec.format.tree import read
from convspec.limits import DEFAULT, Limits
from convspec.recursion import deep_recursion
from convspec.source import SourceFile
from convspec.syntax import grammar, parse

_BOM = "\ufeff"


class FormatError(Exception):
    """The text came out with another meaning: a fault of the formatter, which therefore changes nothing."""


def format_text(text: str, name: str = "<text>", limits: Limits = DEFAULT) -> str:
    """The same spec in canonical style. Failure with every syntax error where it does not parse.

    The result is parsed again and held against the original: tree, documentation and comments are the same.
    """
    with collector_off(), deep_recursion():
        before = parse(SourceFile(name, text), limits)
        tree, gaps = read(text, len(_BOM) if text.startswith(_BOM) else 0)
        printed = layout([Printer(gaps).doc(tree), *_ending(gaps[len(text)].above)]).strip("\n")
        made = f"{printed}\n" if printed else ""
        if not _same(before, parse(SourceFile(name, made), limits)) or _comments(text) != _comments(made):
            raise FormatError(f"{name}: the formatted text means something else; please report this spec")
    return made


def _ending(above: list[tuple[str, bool]]) -> list[Doc]:
    """The comments after the last item."""
    found: list[Doc] = []
    for comment, blank in above:
        found += [Line(hard=True, blank=blank), comment]
    return found


def _comments(text: str) -> Counter[str]:
    """The words of all comments."""
    found = grammar.tokens(text, 0, len(text))
    return Counter(word for token in found if token.type in ("COMMENT", "DOC") for word in token.replace("#", " ").split())


def _same(one: Any, other: Any) -> bool:
    """Whether two syntax trees are equal, wherever they stand."""
    if is_dataclass(one) and not isinstance(one, type):
        if type(one) is not type(other):
            return False
        names = [each.name for each in fields(one) if each.name not in ("span", "path_span")]
        return all(_same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, tuple):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)
