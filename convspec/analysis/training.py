"""How much memory training and inference take, for given sizes, in a precision, with an optimiser.

Convention, in bytes. Inference: every stored tensor, and activations at their peak (memory.py). Training: stored tensors, a
gradient for each learnable one, the optimiser's state as PyTorch holds it, and at the peak of one step: what layers keep for
their backward pass (kept.py) until that has run, tensors until their last reader, inputs and outputs of the network
throughout, and gradients of activations from the backward pass of their last reader until that of their maker. Nothing is
computed in place. A gradient that an addition only passes on counts once more, so the peak is a bound from above.

Precisions. fp32: every tensor in its declared type. fp16 and bf16: in inference every float takes 2 bytes; training is mixed,
as under torch.autocast: activations take 2 bytes, weights, their gradients and the optimiser's state 4, statistics of
normalisations 4, and the weights of layers that multiply stand there once more in 2.

Not counted: workspaces of convolutions, the allocator's rounding and fragments, the framework itself, the loss, the data that
waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from convspec.analysis.keeping import Kind, elements
from convspec.analysis.kept import RESHAPES, SCATTERED, is_float, is_view, kept_by
from convspec.analysis.memory import bytes_of
from convspec.ir.dims import Size, evaluate
from convspec.ir.graph import Graph, Node, Parameter, Value
from convspec.ir.types import FLOATS, TensorType
from convspec.records import dataclass

OPTIMIZERS: Mapping[str, int] = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2, "adamw": 2}
"""How many numbers an optimiser holds for each learnable one."""
_STEPPED = ("rmsprop", "adam", "adamw")
"""Those that count steps, in a float32 for each tensor."""
PRECISIONS = ("fp32", "fp16", "bf16")


@dataclass(frozen=True, slots=True)
class Stay:
    """A tensor, and from which step to which it is there. Steps: each node forward, then each backward in reverse."""

    elements: Size
    dtype: str
    kind: Kind
    born: int
    dies: int

    def bytes(self, sizes: Mapping[str, int], half: bool) -> int:
        return evaluate(self.elements, sizes) * element_bytes(self.dtype, self.kind, half)


def element_bytes(dtype: str, kind: Kind, half: bool) -> int:
    """Bytes of one element; floats have 2 where `half` is asked."""
    match kind:
        case "statistic":
            return 4 if dtype != "float64" else 8
        case "int64":
            return 8
        case "bool":
            return 1
    return 2 if half and dtype in FLOATS else bytes_of(dtype)


@dataclass(frozen=True, slots=True)
class Use:
    """Bytes that a network takes. What inference has not is 0 there."""

    parameters: int
    """Every stored tensor, running statistics too; in mixed training also the copy in 16 bits."""
    gradients: int
    optimizer: int
    activations: int
    """At the peak."""

    @property
    def total(self) -> int:
        return self.parameters + self.gradients + self.optimizer + self.activations


@dataclass(slots=True)
class Plan:
    """What is there when, for any sizes."""

    graph: Graph
    training: list[Stay] = field(default_factory=list)
    kept: list[tuple[Node, Stay]] = field(default_factory=list)
    """What is kept for the backward pass, each tensor once, with the first node that keeps it."""
    inference: list[Stay] = field(default_factory=list)

    def train(self, sizes: Mapping[str, int], precision: str = "fp32", optimizer: str = "adam") -> Use:
        """Training at these sizes, which are all."""
        half = precision != "fp32"
        parameters = list(self.graph.parameters().values())
        learnt = [each for each in parameters if each.trainable]
        stored = sum(map(_stored, parameters)) + (2 * self._multiplied() if half else 0)
        gradients = sum(map(_stored, learnt))
        state = OPTIMIZERS[optimizer] * gradients + (4 * len(learnt) if optimizer in _STEPPED else 0)
        return Use(stored, gradients, state, peak(self.training, sizes, half))

    def infer(self, sizes: Mapping[str, int], precision: str = "fp32") -> Use:
        """Inference at these sizes, which are all."""
        half = precision != "fp32"
        stored = sum(each.size * element_bytes(each.dtype, "float", half) for each in self.graph.parameters().values())
        return Use(stored, 0, 0, peak(self.inference, sizes, half))

    def kept_bytes(self, sizes: Mapping[str, int], precision: str = "fp32") -> int:
        """All that is kept for the backward pass at the end of the forward pass."""
        return sum(stay.bytes(sizes, precision != "fp32") for _, stay in self.kept)

    def _multiplied(self) -> int:
        """Elements of the weights that layers multiply by."""
        found = {each.name: each for node in self.graph.nodes if _multiplies(node) for each in node.params.values()}
        return sum(each.size for each in found.values() if each.trainable)


def _stored(parameter: Parameter) -> int:
    return parameter.size * bytes_of(parameter.dtype)


def _multiplies(node: Node) -> bool:
    return bool(node.params) and node.op.cost is not None and node.op.cost(node.attrs, *node.input_types).macs != 0


def peak(stays: list[Stay], sizes: Mapping[str, int], half: bool) -> int:
    """The most bytes that are there at one step."""
    change: dict[int, int] = {}
    for stay in stays:
        size = stay.bytes(sizes, half)
        change[stay.born] = change.get(stay.born, 0) + size
        change[stay.dies + 1] = change.get(stay.dies + 1, 0) - size
    most = live = 0
    for step in sorted(change):
        live += change[step]
        most = max(most, live)
    return most


def plan(graph: Graph) -> Plan:
    """The plan of a graph. No sizes are needed yet."""
    made = Plan(graph)
    made.inference.extend(_inference(graph))
    _Training(graph, made).fill()
    return made


def _inference(graph: Graph) -> Iterator[Stay]:
    """As `memory.activation_memory` has it: no view, dropout passes its input on."""
    storage = {each.value: each.value for each in graph.inputs}
    born: dict[Value, int] = dict.fromkeys(storage, -1)
    last: dict[Value, int] = dict.fromkeys(storage, -1)
    for index, node in enumerate(graph.nodes):
        for value in node.inputs:
            last[storage[value]] = index
        for value in node.outputs:
            storage[value] = storage[node.inputs[0]] if node.op.training_only else value
            born.setdefault(storage[value], index)
            last.setdefault(storage[value], index)
    for output in graph.outputs:
        last[storage[output.value]] = len(graph.nodes)
    for value, first in born.items():
        yield Stay(elements(value.type), value.type.dtype, "float", first, last[value])


class _Training:
    """Walks a graph once and notes what stays how long in a step of training."""

    def __init__(self, graph: Graph, made: Plan) -> None:
        self.graph, self.plan = graph, made
        self.steps = 2 * len(graph.nodes)
        self.storage: dict[Value, Value | None] = {each.value: each.value for each in graph.inputs}
        """The tensor that each lies in; None for a stored one."""
        self.scattered: set[Value] = set()
        self.needs: set[Value] = set()
        self.born: dict[Value, int] = dict.fromkeys((each.value for each in graph.inputs), -1)
        self.first: dict[Value, Node] = {}
        """Which node keeps a tensor first."""
        self.dies: dict[Value, int] = {each.value: self.steps for each in graph.inputs}
        self.read: dict[Value, int] = {}
        """The last node that reads a tensor, which is the first whose backward pass makes its gradient."""

    def fill(self) -> None:
        for index, node in enumerate(self.graph.nodes):
            self._forward(index, node)
            self._keep(index, node)
        for output in self.graph.outputs:
            held = self.storage[output.value]
            if held is not None:
                self.dies[held] = self.steps
                self.read[held] = len(self.graph.nodes) - 1
        for value, born in self.born.items():
            self._note(value, born)

    def _note(self, value: Value, born: int) -> None:
        stay = Stay(elements(value.type), value.type.dtype, "float", born, max(self.dies.get(value, 0), born))
        self.plan.training.append(stay)
        if value in self.first:
            self.plan.kept.append((self.first[value], stay))
        if value in self.needs and is_float(value.type) and value in self.read:
            self.plan.training.append(
                Stay(elements(value.type), value.type.dtype, "float", self._back(self.read[value]), self._back(born))
            )

    def _back(self, index: int) -> int:
        """The step of a node's backward pass."""
        return self.steps - 1 - index

    def _forward(self, index: int, node: Node) -> None:
        """Where the outputs of a node lie, and how long its inputs are needed in the forward pass."""
        for value in node.inputs:
            held = self.storage[value]
            if held is not None:
                self.dies[held] = max(self.dies.get(held, 0), index)
                self.read[held] = index
        learns = any(parameter.trainable for parameter in node.params.values())
        wanted = learns or (not node.op.anchored and any(value in self.needs for value in node.inputs))
        for value in node.outputs:
            self.storage[value] = self._held(node, value)
            if self.storage[value] is value:
                self.born[value] = index
            if wanted and is_float(value.type):
                self.needs.add(value)
                held = self.storage[value]
                if held is not None:
                    self.needs.add(held)

    def _held(self, node: Node, value: Value) -> Value | None:
        """The tensor that an output lies in."""
        name = node.op.name
        if name == "parameter":
            return None
        source = node.inputs[0] if node.inputs else None
        if source is None:
            return value
        ordered = source not in self.scattered
        if is_view(node) or (name in RESHAPES and ordered):
            if name in SCATTERED or not ordered:
                self.scattered.add(value)
            return self.storage[source]
        return value

    def _keep(self, index: int, node: Node) -> None:
        kept = kept_by(node, [value in self.needs for value in node.inputs])
        for value in kept.values:
            held = self.storage[value]
            if held is not None:
                self.first.setdefault(held, node)
                self.dies[held] = max(self.dies.get(held, 0), self._back(index))
                # An earlier node's backward pass runs later: that is how long it stays.
        for own in kept.own:
            stay = Stay(own.elements, _float_dtype(node), own.kind, index, self._back(index))
            self.plan.training.append(stay)
            self.plan.kept.append((node, stay))


def _float_dtype(node: Node) -> str:
    types: list[TensorType] = [*node.output_types, *node.input_types]
    return next((each.dtype for each in types if is_float(each)), "float32")


__all__ = ["OPTIMIZERS", "PRECISIONS", "Plan", "Stay", "Use", "element_bytes", "peak", "plan"]
