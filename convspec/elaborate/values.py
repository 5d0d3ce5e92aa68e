"""Compile-time values beyond Python's own: stages, layers, functions, blocks; and how messages name any of them.

Integers, floats, booleans, strings, lists and `Extent` sizes are Python's; symbolic sizes are `Dim`, tensors are graph
Values. Lists are never changed after they were made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convspec.ir.attrs import describe as describe_plain
from convspec.ir.graph import Value
from convspec.records import dataclass
from convspec.syntax import ast

if TYPE_CHECKING:
    from convspec.elaborate.files import FileScope
    from convspec.elaborate.frame import Frame


@dataclass(frozen=True, slots=True, eq=False)
class BlockValue:
    """A block or model by name, with the scope of the file it was written in."""

    item: ast.Block | ast.Configuration
    scope: FileScope

    @property
    def name(self) -> str:
        return self.item.name.text


@dataclass(frozen=True, slots=True, eq=False)
class FunctionValue:
    """A `let` function and where its free names are looked up."""

    let: ast.Let
    frame: Frame


@dataclass(frozen=True, slots=True, eq=False)
class StageValue:
    """A stage given as an argument. `frame` is a snapshot of where it was written: its arguments are evaluated there."""

    body: ast.StageCall | ast.Group | ast.Call | ast.NameRef
    frame: Frame


@dataclass(slots=True, eq=False)
class LayerValue:
    """A `layer`: every use applies the same weights, which live at `path`."""

    declaration: ast.Layer
    body: ast.StageCall | ast.Group
    frame: Frame
    path: str
    label: str
    applied: int = 0


BUDGETS = ("params", "macs", "flops", "activation_memory", "receptive_field")
"""What an assertion may ask of the finished network."""


@dataclass(frozen=True, slots=True, eq=False)
class BudgetFunction:
    """A quantity such as `macs` in an assertion, which may be called with sizes: `macs(N = 1)`."""

    name: str
    call: Callable[[dict[str, int]], Any]


class Poison:
    """Stands for a value whose making failed; using it says nothing more, so that one mistake is reported once."""


POISON = Poison()


def describe(value: Any) -> str:
    """How messages name a value: `the integer 3`, `a tensor float32[N, 3, 8, 8]`, `the block Bottleneck`."""
    match value:
        case Value(type=tensor_type):
            return f"a tensor {tensor_type}"
        case BlockValue(item=item):
            kind = item.kind if isinstance(item, ast.Block) else "model"
            return f"the {kind} `{item.name.text}`"
        case FunctionValue(let=let):
            return f"the function `{let.name.text}`"
        case StageValue():
            return "a stage"
        case LayerValue(declaration=declaration):
            return f"the layer `{declaration.name.text}`"
        case BudgetFunction(name=name):
            return f"the quantity `{name}`"
    return describe_plain(value)


def holds_tensors(value: Any) -> bool:
    """Whether a value is a tensor or a list with a tensor somewhere in it."""
    if isinstance(value, list):
        return any(holds_tensors(item) for item in value)
    return isinstance(value, Value)
