"""Counting a network before it is expanded.

A small file can ask for a very large network: forty blocks that each use the next one twice hold 2**40 layers. So a spec that
is not small is first run without building anything, where nothing is run twice in the same state: a block or function that was
run before with the same arguments and shapes, and a turn of a loop that changes nothing any more, have their counts added. That
takes time in proportion to the text rather than to the network. Labels are not looked at: they count nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any

from convspec.elaborate.meter import Meter
from convspec.elaborate.walk import children, target_names
from convspec.ir.graph import Value
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast

_KEPT_RUNS = 20_000
"""Runs that are remembered. Where no two are alike, remembering them is of no use."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one run of a block or function took and gave."""

    nodes: int
    steps: int
    result: Any


@dataclass(slots=True)
class Counting:
    """The runs counted so far."""

    runs: dict[tuple[Any, ...], Counted] = field(default_factory=dict)
    kept: dict[int, Any] = field(default_factory=dict)
    """Values that keys name by identity: as long as they live, no other value takes theirs."""
    read: dict[object, frozenset[str]] = field(default_factory=dict)
    """The names that a loop's body reads."""

    def run(self, meter: Meter, item: object, arguments: Iterable[Any], span: Span, body: Callable[[], Any]) -> Any:
        """The result of a block or function, by running `body` the first time and by adding its counts after that."""
        key = (item, *map(self._key, arguments))
        known = self.runs.get(key)
        if known is not None:
            meter.add_nodes(known.nodes, span)
            meter.add_steps(known.steps, span)
            return fresh(known.result)
        nodes, steps = meter.nodes, meter.steps
        result = body()
        if len(self.runs) < _KEPT_RUNS:
            self.runs[key] = Counted(meter.nodes - nodes, meter.steps - steps, result)
        return result

    def run_loop(
        self,
        meter: Meter,
        names: Mapping[str, Any],
        loop: ast.For | ast.Comprehension,
        count: int,
        turn: Callable[[int], None],
    ) -> None:
        """Run the turns of a loop until one leaves all that its body reads as it found it; the others are alike."""
        if loop not in self.read:
            self.read[loop] = _names_read(loop.body if isinstance(loop, ast.For) else loop.item)
        read = self.read[loop]
        own = {name.text for target in loop.targets for name in target_names(target)}
        if read & own:
            for index in range(count):
                turn(index)
        else:
            self.run_alike(meter, lambda: tuple(names.get(name) for name in read), loop.iterable.span, count, turn)

    def run_alike(
        self, meter: Meter, state: Callable[[], tuple[Any, ...]], span: Span, count: int, turn: Callable[[int], None]
    ) -> None:
        """Run turns that differ by nothing but `state`; those that follow a turn which left it alone are added.

        The state is looked at before the first turns and then ever more rarely, since that takes time too.
        """
        for index in range(count):
            looks = index < 4 or index & (index - 1) == 0
            before = self._keys(state()) if looks else None
            nodes, steps = meter.nodes, meter.steps
            turn(index)
            if looks and self._keys(state()) == before:
                left = count - index - 1
                meter.add_nodes(left * (meter.nodes - nodes), span)
                meter.add_steps(left * (meter.steps - steps), span)
                return

    def _keys(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(map(self._key, values))

    def _key(self, value: Any) -> Any:
        match value:
            case Value(type=tensor_type):
                return tensor_type
            case list():
                return tuple(self._key(item) for item in value)
            case bool() | int() | float():
                return (type(value), value)
            case str() | tuple():
                return value
        self.kept[id(value)] = value
        return id(value)


def _names_read(code: object) -> frozenset[str]:
    """Every name that stands in statements or expressions, but for those in labels."""
    names: set[str] = set()
    pending: list[object] = [code]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.NameRef):
            names.add(node.text)
        label = node.label if isinstance(node, ast.Stage) else node.name if isinstance(node, ast.OutputItem) else None
        pending.extend(child for child in children(node) if child is not label)
    return frozenset(names)


def fresh(value: Any) -> Any:
    """The same value with new tensors in place of its tensors."""
    if isinstance(value, list):
        return [fresh(item) for item in value]
    return Value(value.name, value.type) if isinstance(value, Value) else value
