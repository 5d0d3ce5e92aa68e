"""The straight-line printer: one function with one statement a node, from the flat graph with plain numbers.

It prints every graph, so it is what the readable printer falls back to and what that one is checked against.
"""

from __future__ import annotations

from collections import Counter

from convspec.ir.graph import Value
from convspec.ir.lowering import Apply, Arg
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.layout import Writer
from convspec.targets.source.quote import Names
from convspec.targets.tensorflow.expressions import Expressions
from convspec.targets.tensorflow.file import BUILD_DOC, RESERVED, assemble, channels_last
from convspec.targets.tensorflow.network import DEFAULT_FLOAT, Network, Step

RECURSION = "sys.setrecursionlimit(max(sys.getrecursionlimit(), {limit}))"
SHALLOW = 250
"""Keras walks back from the outputs recursively, a few of its operations for a node; Python stops at 1000 frames."""


def print_straight(network: Network, stem: str) -> str:
    """The text of a Python file with `build() -> keras.Model`."""
    return _Straight(network, stem).text()


class _Straight:
    def __init__(self, network: Network, stem: str) -> None:
        self.network, self.graph, self.stem = network, network.graph, stem
        self.expressions = Expressions()
        self.names = Names(RESERVED)
        self.values: dict[Value, Code] = {}
        self.layers: dict[str, Code] = {}
        self.writer = Writer()
        self.shared = shared_paths(network)

    def text(self) -> str:
        self.writer.open("def build():")
        self.writer.raw(quote.docstring(BUILD_DOC, self.writer.indent))
        deep = recursion_statement(self.network)
        if deep:
            self.writer.raw(
                quote.comment("Keras walks the graph recursively, a frame or more for every layer.", self.writer.indent)
            )
            self.writer.statement(deep)
        for item in self.graph.inputs:
            self._input(item.value)
        for step in self.network.steps:
            self._step(step)
        self.writer.statement(f"return {self._model()}")
        return assemble(self.graph, self.stem, self.expressions, [self.writer.lines], ["import sys"] if deep else [])

    def _input(self, value: Value) -> None:
        self.values[value] = code.name(self.names.of(value, value.name))
        self.writer.statement(f"{self.values[value]} = {input_call(value)}")

    def _step(self, step: Step) -> None:
        inputs = [self.values[value] for value in step.node.inputs]
        if isinstance(step.tree, Arg):
            self.values[step.node.outputs[0]] = inputs[step.tree.index]
            return
        if step.layer is not None and step.node.path in self.shared:
            self._make_shared(step, step.layer)
        result = self._expression(step.tree, step, inputs)
        names = [self.names.of(value, value.name) for value in step.node.outputs]
        self.values.update({value: code.name(name) for value, name in zip(step.node.outputs, names, strict=True)})
        comma = "," if not step.node.op.is_single(step.node.attrs) and len(names) == 1 else ""
        self.writer.statement(f"{', '.join(names)}{comma} = {result}")

    def _make_shared(self, step: Step, layer: Apply) -> None:
        if step.node.path not in self.layers:
            name = self.names.fresh(f"{step.node.path}_layer")
            self.layers[step.node.path] = code.name(name)
            self.writer.statement(f"{name} = {self._named(layer, step)}")

    def _named(self, layer: Apply, step: Step) -> Code:
        return self.expressions.constructor(layer, name=code.value(step.node.path))

    def _expression(self, tree: object, step: Step, inputs: list[Code]) -> Code:
        made = self.layers.get(step.node.path)
        return self.expressions.of(tree, inputs, lambda layer: made or self._named(layer, step))

    def _model(self) -> Code:
        inputs = {item.value.name: self.values[item.value] for item in self.graph.inputs}
        outputs = {item.name: self.values[item.value] for item in self.graph.outputs}
        ends = [next(iter(end.values())) if len(end) == 1 else dictionary(end) for end in (inputs, outputs)]
        return code.call("keras.Model", ends, {"name": code.value(self.graph.name)})


def shared_paths(network: Network) -> set[str]:
    """The paths of layers with weights that are used more than once."""
    uses = Counter(step.node.path for step in network.steps if step.layer is not None)
    return {path for path, count in uses.items() if count > 1}


def input_call(value: Value) -> Code:
    """`keras.Input((28, 28, 1), name="image")`: sizes that are symbolic are None, and so is the batch."""
    batch, *shape = [size if isinstance(size, int) else None for size in channels_last(value.type.shape)]
    options = {"batch_size": batch, "dtype": None if value.type.dtype == DEFAULT_FLOAT else value.type.dtype}
    kwargs = {name: code.value(option) for name, option in options.items() if option is not None}
    return code.call("keras.Input", [code.value(tuple(shape))], {**kwargs, "name": code.value(value.name)})


def dictionary(items: dict[str, Code]) -> Code:
    """`{"a": x, "b": y}`."""
    inner = ", ".join(f"{quote.string(key)}: {item}" for key, item in items.items())
    return Code(f"{{{inner}}}", code.ATOM, code.reads(items.values()))


def recursion_statement(network: Network) -> str | None:
    """What lets Keras build a model this deep; None where Python's usual limit is enough."""
    depth: dict[Value, int] = {}
    for step in network.steps:
        deepest = 1 + max((depth.get(value, 0) for value in step.node.inputs), default=0)
        depth.update(dict.fromkeys(step.node.outputs, deepest))
    longest = max(depth.values(), default=0)
    return None if longest <= SHALLOW else RECURSION.format(limit=1000 * (2 + 4 * longest // 1000))


__all__ = ["dictionary", "input_call", "print_straight", "recursion_statement", "shared_paths"]
