"""Writes a spec for an ONNX graph: what a translator asks of a node, and the lines that come of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from convspec.elaborate import Module, loads
from convspec.ir.types import Array
from tests.conformance.onnx_nodes.fates import SEQUENCES, STRINGS, Reason
from tests.conformance.onnx_nodes.source import Case


class Impossible(Exception):
    """The case cannot be written in the language, as its attributes show."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


class Relift(Exception):
    """The case needs `axes` leading axes of size 1: a batch to stand before axes that are reduced or moved."""

    def __init__(self, axes: int) -> None:
        super().__init__(str(axes))
        self.axes = axes


@dataclass(frozen=True)
class Spec:
    """What a case became. `lift`: how many axes of size 1 stand before those of the case, in inputs and outputs."""

    text: str
    arrays: dict[str, Array]
    weights: dict[str, Array]
    lift: int


@dataclass
class Sheet:
    case: Case
    lift: int = 0
    inputs: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    """The variable of each tensor that a node has made."""
    constants: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def declare(self, array: Array) -> str:
        """An input that holds `array`, the same one for the same array."""
        for name, known in self.arrays.items():
            if known.shape == array.shape and known.dtype == array.dtype and np.array_equal(known, array):
                return name
        name = f"i{len(self.arrays)}"
        self.inputs[name] = f"{dtype_name(array)}[{', '.join(map(str, array.shape))}]"
        self.arrays[name] = array
        return name

    def line(self, text: str, count: int | None = None) -> list[str]:
        """A statement; the variables of its `count` values. None: it has one value, which is no list."""
        names = [self.fresh("v") for _ in range(count or 1)]
        if count == 1:
            self.lines += [f"list_{names[0]} = {text}", f"{names[0]} = list_{names[0]}[0]"]
        else:
            self.lines.append(f"{', '.join(names)} = {text}")
        return names

    def text(self, outputs: Sequence[str]) -> str:
        inputs = [f"    input {name}: {declared}" for name, declared in self.inputs.items()]
        lines = [f"    {line}" for line in self.lines]
        results = [f"    output out{index} = {name}" for index, name in enumerate(outputs)]
        return "\n".join(["model Case {", *inputs, *lines, *results, "}"])

    def type_of(self, variable: str) -> Any:
        """The type that the compiler gives a variable."""
        if variable in self.arrays:
            array = self.arrays[variable]
            return Known(dtype_name(array), array.shape)
        module: Module = loads(self.text([variable]))
        found = module.graph.outputs[0].value.type
        return Known(found.dtype, tuple(int(str(size)) for size in found.shape))


@dataclass(frozen=True)
class Known:
    dtype: str
    shape: tuple[int, ...]


def dtype_name(array: Array) -> str:
    if array.dtype.kind in "OUST":
        raise Impossible(STRINGS)
    return array.dtype.name


class Node:
    """One ONNX node, as its translator sees it."""

    def __init__(self, sheet: Sheet, proto: Any) -> None:
        from onnx import helper

        self.sheet, self.proto, self.opset = sheet, proto, sheet.case.opset
        self.attributes = {item.name: helper.get_attribute_value(item) for item in proto.attribute}
        self.outputs = [name for name in proto.output if name]

    # ── attributes and inputs ────────────────────────────────────────────────────────────────────────────────

    def get(self, name: str, default: Any = None) -> Any:
        found = self.attributes.get(name, default)
        return found.decode() if isinstance(found, bytes) else found

    def has(self, index: int) -> bool:
        return index < len(self.proto.input) and self.proto.input[index] != ""

    def known(self, index: int) -> Any:
        """The elements of an input, which become part of the text or of the weights; None where it is left out."""
        if not self.has(index):
            return None
        name = self.proto.input[index]
        constants = self.sheet.constants
        found = constants[name] if name in constants else self.sheet.case.known[name]
        if found is None or isinstance(found, list):
            raise Impossible(SEQUENCES)
        return found

    def is_known(self, index: int) -> bool:
        name = self.proto.input[index]
        return name in self.sheet.constants or name in self.sheet.case.known

    @property
    def indices(self) -> list[int]:
        return [index for index in range(len(self.proto.input)) if self.has(index)]

    def is_stored(self, index: int) -> bool:
        """Whether an input is stored in the network, rather than given to it."""
        return self.proto.input[index] in self.sheet.case.stored

    def rank(self, index: int = 0) -> int:
        """Without the lift."""
        return len(self.shape(index))

    def shape(self, index: int = 0) -> tuple[int, ...]:
        """Without the lift."""
        if self.is_known(index):
            return tuple(self.known(index).shape)
        return tuple(self.sheet.type_of(self.sheet.values[self.proto.input[index]]).shape[self.sheet.lift :])

    def dtype(self, index: int = 0) -> str:
        if self.is_known(index):
            return dtype_name(self.known(index))
        return str(self.sheet.type_of(self.sheet.values[self.proto.input[index]]).dtype)

    # ── lifting ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def lift(self) -> int:
        return self.sheet.lift

    def lifted(self, axes: int) -> None:
        """At least so many axes of size 1 stand before the case's own."""
        if self.lift < axes:
            raise Relift(axes)

    def unlifted(self) -> None:
        assert not self.lift, "batch and channels are where the case has them"

    def least_rank(self, rank: int, index: int = 0) -> None:
        self.lifted(rank - self.rank(index))

    def axis(self, axis: int, rank: int | None = None) -> int:
        """The number in the spec of an axis of the case; the first one needs a lift."""
        rank = self.rank() if rank is None else rank
        found = int(axis) + (rank if axis < 0 else 0) + self.lift
        if found == 0:
            raise Relift(1)
        return found

    def axes(self, axes: Any, rank: int | None = None) -> list[int]:
        return [self.axis(int(axis), rank) for axis in axes]

    # ── tensors and lines ────────────────────────────────────────────────────────────────────────────────────

    def tensor(self, index: int = 0, shape: Sequence[int] | None = None) -> str:
        """The variable of an input; one that a case gives may be declared with another shape, without the lift."""
        name = self.proto.input[index]
        if name in self.sheet.values:
            assert shape is None or tuple(shape) == self.shape(index), "a tensor in the middle keeps its shape"
            return self.sheet.values[name]
        array = self.known(index)
        sizes = array.shape if shape is None else tuple(shape)
        return self.sheet.declare(array.reshape((1,) * self.lift + sizes))

    def input(self, array: Array) -> str:
        """Another input, which holds `array`; its shape includes the lift."""
        return self.sheet.declare(array)

    def operands(self, *indices: int) -> list[str]:
        """Inputs of one rank: axes of size 1 are put before the others, as ONNX's broadcasting does."""
        chosen = indices or tuple(self.indices)
        rank = max(self.rank(index) for index in chosen)
        self.lifted(1 - rank)
        return [self.tensor(index, (1,) * (rank - self.rank(index)) + self.shape(index)) for index in chosen]

    def let(self, text: str) -> str:
        """A line; its variable."""
        return self.sheet.line(text)[0]

    def lets(self, text: str, count: int) -> list[str]:
        """A line whose value is a list; its variables."""
        return self.sheet.line(text, count)

    def layer(self, x: str, op: str, **weights: Array) -> str:
        """`x` through a layer that has these stored tensors, by role."""
        label = self.sheet.fresh("n")
        for role, array in weights.items():
            self.sheet.weights[f"{label}.{role}"] = np.asarray(array, dtype=np.float32)
        return self.let(f"{x} -> {label}: {op}")

    def dtype_of(self, variable: str) -> str:
        return str(self.sheet.type_of(variable).dtype)


Translator: TypeAlias = Callable[[Node], "str | list[str]"]
"""Writes the lines of a node; gives the variables of its outputs."""


def translate(case: Case, table: dict[str, Translator]) -> Spec:
    """The spec of a case, with as few axes before the case's own as it can do with."""
    lift = 0
    while True:
        try:
            return _written(Sheet(case, lift), table)
        except Relift as needed:
            lift = max(lift + 1, needed.axes)


def _written(sheet: Sheet, table: dict[str, Translator]) -> Spec:
    for proto in sheet.case.nodes:
        node = Node(sheet, proto)
        if proto.op_type == "Constant":
            from onnx import numpy_helper

            sheet.constants[proto.output[0]] = numpy_helper.to_array(node.get("value"))
            continue
        found = table[proto.op_type](node)
        variables = [found] if isinstance(found, str) else found
        assert len(variables) == len(node.outputs), f"{proto.op_type}: {len(node.outputs)} outputs are asked for"
        sheet.values.update(zip(node.outputs, variables, strict=True))
    outputs = [sheet.values[name] for name in sheet.case.outputs]
    return Spec(sheet.text(outputs), sheet.arrays, sheet.weights, sheet.lift)


def number(value: Any) -> str:
    """A number as the language writes it."""
    found = np.asarray(value).item()
    return repr(int(found)) if isinstance(found, int) else repr(float(found))


__all__ = ["Impossible", "Node", "Sheet", "Spec", "Translator", "number", "translate"]
