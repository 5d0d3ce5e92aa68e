"""What an op becomes on a target: a small expression tree. The target owns printing, quoting, layout and names.

A lowering is data. `Call("F.pad", (Arg(0), (1, 1)))` says which function is called on what; the printer decides how that
looks. Constants inside are Python ints, floats, bools, strings, None, and tuples or lists of them. An `int` in a lowering
may be a subclass that remembers the source expression it came from, so pass attribute values on unchanged where you can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, TypeAlias

from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Arg:
    """The node's input tensor number `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class Args:
    """All of the node's input tensors, as one list (`torch.cat([a, b])`) or, in ONNX, spread as inputs."""


@dataclass(frozen=True, slots=True)
class Weight:
    """The node's own parameter `role` ("weight", "bias", …), as the target stores it.

    `permute` is the order of canonical axes in the target's layout (None: unchanged); `reshape`, applied before it, splits
    or merges axes; it is for stored layouts only, never a run-time operation.
    """

    role: str
    permute: tuple[int, ...] | None = None
    reshape: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Const:
    """A constant tensor, for targets where constants are tensors (ONNX). `data` is a number or nested tuples of them."""

    data: Any
    dtype: str


@dataclass(frozen=True, slots=True)
class Call:
    """A stateless call. `fn` is the target's name for it.

    "F.relu" a function; ".flatten" a method of the first argument; "+", "-", "*", "/", "neg" an operator; in ONNX the op
    type. `args` and `kwargs` hold constants and nested expressions; in ONNX `args` are the inputs ("" or None for an
    absent optional one) and `kwargs` the attributes.
    """

    fn: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Apply:
    """A layer object made once from `fn(*args, **kwargs)` (`nn.Conv2d(3, 64, 7)`) and applied to `inputs`.

    `weights` says which of the layer's own variables hold which parameters: `{"kernel": Weight("weight", (2, 3, 1, 0))}`.
    Empty for a layer without weights. A lowering holds at most one Apply that has weights.

    `kept` is for what is a tensor and no layer: the class that a module keeps it as (`nn.Parameter(torch.zeros(3))`). It has
    no inputs, and is read instead of applied.
    """

    fn: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = (Arg(0),)
    weights: Mapping[str, Weight] = field(default_factory=dict)
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The target has no exact form of this op with these attributes. Always an error for the user, never a warning."""

    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """Result number `index` of a call with several, for ONNX, of which the first `results` are named at least."""

    call: Call
    index: int
    results: int = 1


Lowered: TypeAlias = Call | Apply | Arg | Unsupported | tuple[Call | Item, ...]
"""`Arg(0)` alone is the identity. A call with several results yields the node's outputs in order; for ONNX a tuple says what
each output is, where only some of them need another step."""
