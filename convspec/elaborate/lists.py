"""Lists as values: bounded in length, depth and total before anything goes through them."""

from __future__ import annotations

from typing import Any

from convspec.diagnostics import error, fail
from convspec.elaborate.meter import Meter
from convspec.source import Span

_DEPTH = 100
"""How deep lists may nest. What walks through them does so by recursion."""
_TOTAL = 2
"""How many times the limit of one list a nested list may hold in all."""


def new_list(meter: Meter, values: list[Any], span: Span) -> list[Any]:
    """`values`, if they may be a list; its making is charged. Fails with CNN061 or CNN005."""
    meter.check_list(len(values), span)
    most = _TOTAL * meter.limits.list_length
    total, depth = _measure(values, most)
    if total > most:
        raise fail(error("CNN061", f"a nested list holds more than {most:,} values", span))
    if depth > _DEPTH:
        raise fail(error("CNN005", f"lists nest deeper than {_DEPTH}", span))
    meter.add_length(total, span)
    return values


def _measure(values: list[Any], most: int) -> tuple[int, int]:
    """How many values there are at all levels, and how deep these go; no further than needed to know that it is too much."""
    total, depth = len(values), 1
    pending = [(item, 2) for item in values if isinstance(item, list)]
    while pending and total <= most and depth <= _DEPTH:
        inner, level = pending.pop()
        total, depth = total + len(inner), max(depth, level)
        pending.extend((item, level + 1) for item in inner if isinstance(item, list))
    return total, depth
