"""Counting a network before it is expanded.

A small file can ask for a very large network: forty blocks that each use the next one twice hold 2**40 layers. So a spec that
is not small is first run without building anything, where a block that was run before with the same arguments and shapes is not
run again: its counts are added. That takes time in proportion to the text, not to the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from convspec.elaborate.meter import Meter
from convspec.ir.graph import Value
from convspec.source import Span
from convspec.syntax import ast


@dataclass(frozen=True, slots=True)
class Counted:
    """What one run of a block took and gave."""

    nodes: int
    steps: int
    result: Any


@dataclass(slots=True)
class Counting:
    """The runs counted so far. `kept` holds on to values that keys name by identity."""

    runs: dict[tuple[Any, ...], Counted] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)

    def run(self, meter: Meter, block: ast.Block, bindings: dict[str, Any], span: Span, body: Callable[[], Any]) -> Any:
        """The result of a block, by running `body` the first time and by adding its counts after that."""
        key = (block, *(self._key(value) for value in bindings.values()))
        known = self.runs.get(key)
        if known is None:
            nodes, steps = meter.nodes, meter.steps
            result = body()
            self.runs[key] = Counted(meter.nodes - nodes, meter.steps - steps, result)
            return result
        meter.add_nodes(known.nodes, span)
        meter.add_steps(known.steps, span)
        return fresh(known.result)

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
        self.kept.append(value)
        return id(value)


def fresh(value: Any) -> Any:
    """The same value with new tensors in place of its tensors."""
    if isinstance(value, list):
        return [fresh(item) for item in value]
    return Value(value.name, value.type) if isinstance(value, Value) else value
