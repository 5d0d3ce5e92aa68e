"""From the flat graph to a list of ONNX nodes with names: lowerings interpreted, nothing written yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from convspec.diagnostics import Diagnostic, Failure, error
from convspec.ir.graph import Graph, GraphOutput, Node, Value
from convspec.ir.lowering import Arg, Args, Call, Const, Item, Lowered, Unsupported, Weight
from convspec.ir.opdef import AttrError, ShapeError
from convspec.records import dataclass
from convspec.targets.onnx.alike import first_alike
from convspec.targets.onnx.names import Names
from convspec.targets.onnx.tensors import Tensors


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One NodeProto to be. `attributes` are as the lowering gave them; `origin` is None for an Identity at an output."""

    op_type: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    origin: Node | None


@dataclass(slots=True)
class Plan:
    """A graph in ONNX's terms. `values` are the graph's own tensors by their ONNX name, without inputs and outputs."""

    graph: Graph
    nodes: list[OnnxNode]
    tensors: Tensors
    values: dict[str, Value]
    alike: dict[Node, Node]
    """For every layer the first one whose ONNX nodes differ from its own in nothing but names, perhaps itself."""


def make_plan(graph: Graph) -> Plan:
    """Interpret every lowering. Failure CNN090 with one diagnostic for each node that has no ONNX form, CNN091 for names."""
    alike = first_alike(graph.nodes)
    builder = _Builder(graph, Names(), _lower_all(graph, alike))
    return builder.build(alike)


def _lower_all(graph: Graph, alike: Mapping[Node, Node]) -> dict[Node, Lowered]:
    """The tree of every node; nodes that are alike share it, being a function of what makes them so."""
    lowered: dict[Node, Lowered] = {}
    problems: list[Diagnostic] = []
    for node in graph.nodes:
        first = alike[node]
        tree = lowered[first] if first in lowered else _lower(node)
        if isinstance(tree, Unsupported):
            problems.append(not_expressible(node, tree.reason))
        lowered[node] = tree
    if problems:
        raise Failure(problems)
    return lowered


def _lower(node: Node) -> Lowered:
    if "onnx" not in node.op.lower:
        return Unsupported("")
    try:
        return node.op.lower["onnx"](node.attrs, *node.input_types)
    except (AttrError, ShapeError) as problem:  # a size that has to be a plain number, say
        return Unsupported(problem.message)


def not_expressible(node: Node, reason: str) -> Diagnostic:
    """CNN090 at the layer."""
    message = f"ONNX cannot express this `{node.op.name}` exactly" + (f": {reason}" if reason else "")
    return error("CNN090", message, node.span, frames=node.frames)


@dataclass(slots=True)
class _Builder:
    graph: Graph
    names: Names
    lowered: Mapping[Node, Lowered]
    aliases: dict[Value, Value] = field(default_factory=dict)
    """A value that is only another name for an earlier one (dropout in inference)."""
    named: dict[Value, str] = field(default_factory=dict)
    nodes: list[OnnxNode] = field(default_factory=list)
    node_names: Names = field(default_factory=Names)
    tensors: Tensors = field(init=False)

    def build(self, alike: dict[Node, Node]) -> Plan:
        self.tensors = Tensors(self.names)
        for node, tree in self.lowered.items():
            if isinstance(tree, Arg):
                self.aliases[node.outputs[0]] = self.root(node.inputs[tree.index])
        copies = self._name_interface()
        for parameter in self.graph.parameters().values():
            self.names.exact(parameter.name, "a weight", parameter.span)
        for node, tree in self.lowered.items():
            if not isinstance(tree, Arg):
                self._emit(node, tree)
        for name, value in copies:
            self.nodes.append(OnnxNode("Identity", self.node_names.fresh(name), (self.named[value],), (name,), {}, None))
        interface = {i.value.name for i in self.graph.inputs} | {o.name for o in self.graph.outputs}
        inner = {name: value for value, name in self.named.items() if name not in interface}
        return Plan(self.graph, self.nodes, self.tensors, inner, alike)

    def root(self, value: Value) -> Value:
        """The value that `value` is another name for, or itself."""
        return self.aliases.get(value, value)

    def _name_interface(self) -> list[tuple[str, Value]]:
        """Name inputs and outputs as the spec does. Returns the outputs that have to be copies, with what they copy.

        A tensor that is an input, or stands under an output name already, cannot take a second name in ONNX.
        """
        for graph_input in self.graph.inputs:
            self.named[graph_input.value] = self.names.exact(graph_input.value.name, "an input", graph_input.span)
        copies = []
        for output in self.graph.outputs:
            value = self.root(output.value)
            if self._is_the_input(output, value):
                continue
            self.names.exact(output.name, "an output", output.span)
            if value in self.named:
                copies.append((output.name, value))
            else:
                self.named[value] = output.name
        return copies

    def _is_the_input(self, output: GraphOutput, value: Value) -> bool:
        """Whether the output is an input under the input's own name, which ONNX takes as it is."""
        return self.named.get(value) == output.name and any(i.value is value for i in self.graph.inputs)

    def name(self, value: Value) -> str:
        value = self.root(value)
        if value not in self.named:
            self.named[value] = self.names.fresh(value.name)
        return self.named[value]

    def _emit(self, node: Node, tree: Lowered) -> None:
        nest, names = _Nest(self, node), tuple(self.name(value) for value in node.outputs)
        if isinstance(tree, tuple):
            nest.each(tree, names)
        elif isinstance(tree, Call):
            nest.call(tree, names)
        else:
            raise TypeError(f"the ONNX lowering of {node.op.name} gives {tree!r}, which is no call")


@dataclass(slots=True)
class _Nest:
    """The calls of one node, innermost first; a call that stands twice in the lowering is one ONNX node."""

    builder: _Builder
    node: Node
    done: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """By a call's id, the names of its results."""

    def each(self, trees: tuple[Call | Item, ...], names: tuple[str, ...]) -> None:
        """One tree for each output. Calls of which outputs are items come first, with their results named so."""
        items = [tree for tree in trees if isinstance(tree, Item)]
        for call in {id(item.call): item.call for item in items}.values():
            named = {tree.index: name for tree, name in zip(trees, names, strict=True) if tree in items and tree.call is call}
            wanted = range(max(_results(trees, call)) + 1)
            path = self.node.path or self.node.outputs[0].name
            every = tuple(named.get(i) or self.builder.names.fresh(f"{path}/{call.fn}/{i}") for i in wanted)
            self.call(call, every)
            self.done[id(call)] = every
        for tree, name in zip(trees, names, strict=True):
            if isinstance(tree, Call):
                self.call(tree, (name,))

    def call(self, call: Call, outputs: tuple[str, ...] | None = None) -> str:
        inputs = tuple(name for arg in call.args for name in self.inputs(arg))
        path = self.node.path or self.node.outputs[0].name
        name = self.builder.node_names.fresh(path if outputs else f"{path}/{call.fn}")
        outputs = outputs or (self.builder.names.fresh(f"{path}/{call.fn}"),)
        self.builder.nodes.append(OnnxNode(call.fn, name, _trimmed(inputs), outputs, call.kwargs, self.node))
        return outputs[0]

    def inputs(self, expression: Any) -> tuple[str, ...]:
        if isinstance(expression, Args):
            return tuple(self.builder.name(value) for value in self.node.inputs)
        return (self.input(expression),)

    def input(self, expression: Any) -> str:
        match expression:
            case Arg(index=index):
                return self.builder.name(self.node.inputs[index])
            case Call():
                if id(expression) not in self.done:
                    self.done[id(expression)] = (self.call(expression),)
                return self.done[id(expression)][0]
            case Item(call=call, index=index, results=results):
                if id(call) not in self.done:
                    path = self.node.path or self.node.outputs[0].name
                    wanted = range(max(index + 1, results))
                    self.done[id(call)] = tuple(self.builder.names.fresh(f"{path}/{call.fn}/{i}") for i in wanted)
                    self.call(call, self.done[id(call)])
                return self.done[id(call)][index]
            case Weight(role=role):
                return self.builder.tensors.parameter(self.node.params[role], expression)
            case Const():
                return self.builder.tensors.constant(expression)
            case "" | None:
                return ""
        raise TypeError(f"{expression!r} in the ONNX lowering of {self.node.op.name} cannot be an input of a node")


def _results(tree: Any, call: Call) -> list[int]:
    """Which results of `call` a tree uses."""
    match tree:
        case Item():
            return [tree.index] if tree.call is call else []
        case Call(args=args):
            return [index for arg in args for index in _results(arg, call)]
        case tuple():
            return [index for part in tree for index in _results(part, call)]
    return []


def _trimmed(inputs: tuple[str, ...]) -> tuple[str, ...]:
    """Without absent optional inputs at the end."""
    while inputs and not inputs[-1]:
        inputs = inputs[:-1]
    return inputs
