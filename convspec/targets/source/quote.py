"""The one place where values and names of the user become Python text. Nothing else may put user text into source."""

from __future__ import annotations

import builtins
import keyword
import math
import re
from collections.abc import Iterable, Mapping, Set
from typing import Any


def literal(value: Any) -> str:
    """Python source that evaluates to exactly `value`: None, bool, int, float, str, and tuples, lists and dicts of them."""
    match value:
        case None | bool():
            return repr(value)
        case int():
            return int.__repr__(value)
        case float():
            return _float(value)
        case str():
            return string(value)
        case tuple():
            inner = ", ".join(literal(item) for item in value)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        case list():
            return "[" + ", ".join(literal(item) for item in value) + "]"
        case Mapping():
            return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    raise TypeError(f"no literal for {type(value).__name__}")


def _float(value: float) -> str:
    if math.isnan(value):
        return 'float("nan")'
    if math.isinf(value):
        return 'float("inf")' if value > 0 else 'float("-inf")'
    mantissa, e, exponent = float.__repr__(value).partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def string(text: str) -> str:
    """A string literal in double quotes (single ones where that needs fewer escapes), every odd character escaped."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + escaped(text, quote) + quote


def escaped(text: str, quote: str) -> str:
    """`text` as it stands between `quote` marks."""
    return "".join(_escape(char, quote) for char in text)


_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(char: str, quote: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if char == quote:
        return "\\" + char
    if char.isprintable():
        return char
    point = ord(char)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def docstring(text: str, indent: str = "") -> list[str]:
    """The lines of a docstring that says `text`, indented; empty text gives no lines."""
    lines = [_visible(line.rstrip()) for line in text.strip().splitlines()]
    if not lines:
        return []
    body = [line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') for line in lines]
    if _ends_with_quote(body[-1]):
        body[-1] = body[-1][:-1] + '\\"'
    if len(body) == 1:
        return [f'{indent}"""{body[0]}"""']
    rest = [indent + line if line else "" for line in body[1:]]
    return [f'{indent}"""{body[0]}', *rest, f'{indent}"""']


def _ends_with_quote(line: str) -> bool:
    """Whether a line ends with a double quote that no backslash escapes."""
    rest = line.removesuffix('"')
    return rest != line and (len(rest) - len(rest.rstrip("\\"))) % 2 == 0


def comment(text: str, indent: str = "") -> list[str]:
    """Comment lines that say `text`."""
    return [f"{indent}# {_visible(line.rstrip())}".rstrip() for line in text.strip().splitlines()]


def _visible(line: str) -> str:
    return "".join(char if char.isprintable() else " " if char == "\t" else _escape(char, "") for char in line)


_BUILTINS = frozenset(name for name in dir(builtins) if name.isidentifier())


def is_identifier(text: str) -> bool:
    """Whether `text` may stand as a Python name as it is: ASCII, no keyword, and no name that a class would mangle."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) is not None
    return plain and not keyword.iskeyword(text) and not text.startswith("__")


def identifier(text: str, taken: Iterable[str] = ()) -> str:
    """A Python name as near to `text` as can be: no keyword, no built-in, not in `taken`."""
    return _identifier(text, taken if isinstance(taken, Set) else set(taken), {})


def _identifier(text: str, avoided: Set[str], counts: dict[str, int]) -> str:
    """The same, where `counts` tells how far the numbers behind a name have been tried, which are not free again."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)
    if name.startswith("__") or not name or name == "_":
        name = "x" + name
    if name[0].isdigit():
        name = "n" + name
    candidate, count = name, counts.get(name, 1)
    while candidate in avoided or keyword.iskeyword(candidate) or candidate in _BUILTINS:
        count += 1
        candidate = name + ("" if name.endswith("_") else "_") + ("" if count == 2 else str(count))
    counts[name] = count
    return candidate


class Names:
    """Hands out Python names in one scope: the same name for the same key, never one name for two keys."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = set(reserved)
        self._given: dict[object, str] = {}
        self._counts: dict[str, int] = {}

    def of(self, key: object, wanted: str) -> str:
        """The name of `key`, as near to `wanted` as can be at its first use."""
        if key not in self._given:
            self._given[key] = self.fresh(wanted)
        return self._given[key]

    def fresh(self, wanted: str) -> str:
        """A name that nobody has had yet."""
        name = _identifier(wanted, self._taken, self._counts)
        self._taken.add(name)
        return name

    def spares(self, candidates: Iterable[str]) -> list[str]:
        """Those of `candidates` that nobody has."""
        return [name for name in candidates if name not in self._taken]

    def reserve(self, *names: str) -> None:
        self._taken.update(names)

    def inner(self) -> Names:
        """A scope inside this one: what is taken here is taken there."""
        return Names(self._taken)
