"""Counting: what a spec may use is limited, and the limit is met before the work is done."""

from __future__ import annotations

from convspec.diagnostics import error, fail
from convspec.limits import Limits
from convspec.records import dataclass
from convspec.source import Span

_VALUES_A_STEP = 16


class CountFirst(Exception):
    """Raised when an elaboration turns out not to be small and was not counted yet."""


@dataclass(slots=True)
class Meter:
    """Counts nodes, steps and nesting of one elaboration against its limits."""

    limits: Limits
    nodes: int = 0
    steps: int = 0
    depth: int = 0
    small: int | None = None
    """The steps after which an elaboration that was not counted yet is to be counted first; None: it was."""

    def add_nodes(self, count: int, span: Span) -> None:
        """Take `count` nodes, or fail with CNN060."""
        self.nodes += count
        if self.nodes > self.limits.nodes:
            message = f"the network has more than {self.limits.nodes:,} layers"
            raise fail(error("CNN060", message, span, "counting reached the limit here", hint=_raise("nodes")))

    def add_steps(self, count: int, span: Span) -> None:
        """Take `count` loop turns, calls or statements, or fail with CNN063."""
        self.steps += count
        if self.small is not None and self.steps > self.small:
            raise CountFirst
        if self.steps > self.limits.steps:
            message = f"expanding this takes more than {self.limits.steps:,} steps"
            raise fail(error("CNN063", message, span, "counting reached the limit here", hint=_raise("steps")))

    def add_length(self, length: int, span: Span) -> None:
        """Take the steps of going through `length` values of a list, or letters of a string, once."""
        if length >= _VALUES_A_STEP:
            self.add_steps(length // _VALUES_A_STEP, span)

    def check_list(self, length: int, span: Span, what: str = "a list") -> None:
        """Fail with CNN061 if a list, a string or a count would be too long."""
        if length > self.limits.list_length:
            message = f"{what} of {length:,} is longer than the limit of {self.limits.list_length:,}"
            raise fail(error("CNN061", message, span, hint=_raise("list_length")))

    def enter(self, what: str, span: Span, steps: int) -> None:
        """Go one block or function deeper, at the price of some steps, or fail with CNN062."""
        self.add_steps(steps, span)
        self.depth += 1
        if self.depth > self.limits.depth:
            self.depth -= 1
            message = f"blocks and functions nest deeper than {self.limits.depth}"
            raise fail(error("CNN062", message, span, f"{what} is one too many", hint=_raise("depth")))

    def leave(self) -> None:
        self.depth -= 1


def _raise(limit: str) -> str:
    return f"if this is meant, raise the limit `{limit}`"
