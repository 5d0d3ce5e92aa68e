"""What loops share: the items to go through, and binding a turn's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convspec.elaborate.evaluation import evaluate
from convspec.elaborate.frame import Frame
from convspec.elaborate.values import describe
from convspec.ir.attrs import Extent
from convspec.source import Span
from convspec.syntax import ast


def iterate(frame: Frame, iterable: ast.Expr) -> list[Any]:
    """The items of a list or range, counted as steps before the first turn."""
    value = evaluate(frame, iterable)
    if isinstance(value, Extent):
        value = list(value)
    if not isinstance(value, list):
        raise frame.fail("CNN040", f"a loop goes through a list or a range, not {describe(value)}", iterable.span)
    frame.context.meter.add_steps(len(value), iterable.span)
    return value


def run_turns(frame: Frame, loop: ast.For | ast.Comprehension, count: int, turn: Callable[[int], None]) -> None:
    """Run every turn of a loop. While a network is counted, turns that change nothing any more are not run."""

    def numbered(index: int) -> None:
        with frame.turn(index):
            turn(index)

    counting = frame.context.counting
    if counting is None:
        for index in range(count):
            numbered(index)
    else:
        counting.run_loop(frame.context.meter, frame.names, loop, count, numbered)


def bind(frame: Frame, targets: tuple[ast.Target, ...], turn: int, item: Any) -> None:
    """Bind one turn: `x`, or `i, x` with the index, where `x` may unpack as `[a, b]`."""
    if len(targets) == 2:
        index, target = targets
        assert isinstance(index, ast.Name)
        frame.names[index.text] = turn
    else:
        (target,) = targets
    if isinstance(target, ast.Name):
        frame.names[target.text] = item
        return
    for name, value in zip(target.names, unpack(frame, item, len(target.names), target.span), strict=True):
        frame.names[name.text] = value


def unpack(frame: Frame, value: Any, count: int, span: Span) -> list[Any]:
    """The `count` items of a list, or CNN046."""
    if isinstance(value, Extent):
        value = list(value)
    if not isinstance(value, list):
        raise frame.fail("CNN046", f"{count} names need a list of {count}, not {describe(value)}", span)
    if len(value) != count:
        raise frame.fail("CNN046", f"{count} names cannot take {len(value)} values", span)
    return value


def loop_names(targets: tuple[ast.Target, ...]) -> tuple[str, ...]:
    """The plain names that a loop binds, for the chain in messages."""
    return tuple(target.text for target in targets if isinstance(target, ast.Name))
