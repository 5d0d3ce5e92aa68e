"""Python expressions as text that knows its precedence and the names it reads, so that parentheses come out right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convspec.targets.source import quote

LAMBDA, TERNARY, OR, AND, NOT, COMPARE, ADD, MULTIPLY, UNARY, POWER, ATOM = range(11)

LEVELS = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), COMPARE),
    **dict.fromkeys("+-", ADD),
    **dict.fromkeys(("*", "/", "//", "%", "@"), MULTIPLY),
    "**": POWER,
}


@dataclass(frozen=True, slots=True)
class Code:
    """An expression. `level` is how tightly its outermost operator binds; `reads` the local names in it."""

    text: str
    level: int = ATOM
    reads: frozenset[str] = frozenset()

    def at(self, level: int) -> str:
        """The text, in parentheses where it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"

    def __str__(self) -> str:
        return self.text


def name(text: str) -> Code:
    """A local name; `text` must be an identifier already."""
    return Code(text, ATOM, frozenset((text,)))


def value(constant: Any) -> Code:
    """A literal."""
    negative = isinstance(constant, int | float) and not isinstance(constant, bool) and constant < 0
    return Code(quote.literal(constant), UNARY if negative else ATOM)


def reads(parts: Iterable[Code]) -> frozenset[str]:
    """The local names that any of `parts` reads."""
    return frozenset().union(*(part.reads for part in parts))


_SIMPLE_OPERAND = re.compile(r"-?[0-9][0-9_.]*|[A-Za-z_][A-Za-z0-9_.]*")


def binary(operator: str, left: Code, right: Code) -> Code:
    """`left operator right`, every operator but `**` grouping to the left."""
    level = LEVELS[operator]
    both = left.reads | right.reads
    if operator == "**":
        base, exponent = left.at(ATOM), right.at(UNARY)
        simple = _SIMPLE_OPERAND.fullmatch(base) and _SIMPLE_OPERAND.fullmatch(exponent)
        return Code(f"{base}{'**' if simple else ' ** '}{exponent}", POWER, both)
    strict = level == COMPARE
    return Code(f"{left.at(level + strict)} {operator} {right.at(level + 1)}", level, both)


def unary(operator: str, operand: Code) -> Code:
    """`-x` or `not x`."""
    if operator == "not":
        return Code(f"not {operand.at(NOT)}", NOT, operand.reads)
    return Code(operator + operand.at(UNARY), UNARY, operand.reads)


def conditional(condition: Code, then: Code, orelse: Code) -> Code:
    """`then if condition else orelse`."""
    text = f"{then.at(OR)} if {condition.at(OR)} else {orelse.at(TERNARY)}"
    return Code(text, TERNARY, reads((condition, then, orelse)))


def call(function: str | Code, args: Sequence[Code] = (), kwargs: Mapping[str, Code] | None = None) -> Code:
    """`function(args, key=value)`."""
    named = kwargs or {}
    parts = [arg.text for arg in args] + [f"{key}={arg.text}" for key, arg in named.items()]
    head = function.at(ATOM) if isinstance(function, Code) else function
    used = reads([*args, *named.values()]) | (function.reads if isinstance(function, Code) else frozenset())
    return Code(f"{head}({', '.join(parts)})", ATOM, used)


def method(receiver: Code, function: str, args: Sequence[Code] = (), kwargs: Mapping[str, Code] | None = None) -> Code:
    """`receiver.function(args)`."""
    return call(attribute(receiver, function), args, kwargs)


def attribute(receiver: Code, member: str) -> Code:
    """`receiver.member`; a number gets parentheses."""
    base = f"({receiver.text})" if receiver.text[:1].isdigit() else receiver.at(ATOM)
    return Code(f"{base}.{member}", ATOM, receiver.reads)


def index(sequence: Code, position: Code) -> Code:
    """`sequence[position]`."""
    return Code(f"{sequence.at(ATOM)}[{position.text}]", ATOM, sequence.reads | position.reads)


def slice_of(sequence: Code, start: Code | None, stop: Code | None) -> Code:
    """`sequence[start:stop]`, spaced as the formatters do."""
    ends = [part for part in (start, stop) if part is not None]
    simple = all(_SIMPLE_OPERAND.fullmatch(part.text) for part in ends)
    before = f"{start.text}{'' if simple else ' '}" if start else ""
    after = f"{'' if simple else ' '}{stop.text}" if stop else ""
    return Code(f"{sequence.at(ATOM)}[{before}:{after}]", ATOM, sequence.reads | reads(ends))


def sequence(items: Sequence[Code], brackets: str = "[]") -> Code:
    """A list or, with brackets "()", a tuple."""
    inner = ", ".join(item.at(TERNARY) for item in items)
    comma = "," if brackets == "()" and len(items) == 1 else ""
    return Code(f"{brackets[0]}{inner}{comma}{brackets[1]}", ATOM, reads(items))


def comprehension(item: Code, targets: str, bound: Iterable[str], iterable: Code) -> Code:
    """`[item for targets in iterable]`; `bound` are the names that the targets bind."""
    used = (item.reads - frozenset(bound)) | iterable.reads
    return Code(f"[{item.at(TERNARY)} for {targets} in {iterable.at(OR)}]", ATOM, used)


def formatted(parts: Sequence[str | Code]) -> Code:
    """A string, with the Codes in it interpolated: `f"layer{i + 1}"`. Plain text alone gives a plain string."""
    codes = [part for part in parts if isinstance(part, Code)]
    if not codes:
        return value("".join(str(part) for part in parts))
    if any('"' in part.text or "\\" in part.text or "{" in part.text for part in codes):  # Python 3.11 cannot nest these
        text = value("{}".join(_braced("".join(group)) for group in _plain_groups(parts)))
        return method(text, "format", codes)
    inner = "".join(quote.escaped(_braced(p), '"') if isinstance(p, str) else f"{{{p.text}}}" for p in parts)
    return Code(f'f"{inner}"', ATOM, reads(codes))


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _plain_groups(parts: Sequence[str | Code]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for part in parts:
        if isinstance(part, str):
            groups[-1].append(part)
        else:
            groups.append([])
    return groups
