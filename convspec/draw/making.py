"""Making the diagram: the tree with ids and numbers, the edges, and what stands around."""

from __future__ import annotations

from collections.abc import Mapping

from convspec.analysis.cost import count, node_cost
from convspec.analysis.memory import activation_memory, tensor_bytes
from convspec.analysis.receptive_field import receptive_fields
from convspec.analysis.sizes import check_sizes, symbolic_sizes
from convspec.analysis.summary import layer_text
from convspec.draw.basis import choose_basis
from convspec.draw.diagram import MEASURES, Diagram, Edge, Group, Layer, Measure, Numbers, Terminal
from convspec.draw.stacks import find_stacks
from convspec.draw.tree import Branch, grow
from convspec.elaborate.module import Module
from convspec.ir.dims import Size, evaluate, substitute
from convspec.ir.graph import Graph, Node, Parameter, Value
from convspec.ir.types import TensorType
from convspec.recursion import deep_recursion


def make(module: Module, sizes: Mapping[str, int]) -> Diagram:
    """The diagram of a module at some, all or none of its sizes; Failure CNN401 for sizes that it has not."""
    graph = module.graph
    known = symbolic_sizes(graph)
    check_sizes(sizes, known)
    basis = choose_basis(graph, known, sizes)
    with deep_recursion():
        maker = _Maker(graph, sizes, basis)
        root = maker.group(grow(module), "")
    inputs = tuple(
        Terminal(f"in{i}", each.value.name, at(each.value.type, sizes), each.doc, each.span)
        for i, each in enumerate(graph.inputs)
    )
    outputs = tuple(
        Terminal(f"out{i}", each.name, at(each.value.type, sizes), "", each.span) for i, each in enumerate(graph.outputs)
    )
    drawn = Diagram(
        name=module.name,
        doc=module.doc,
        root=root,
        inputs=inputs,
        outputs=outputs,
        edges=_edges(graph, sizes),
        sizes=dict(sizes),
        open_sizes=tuple(name for name in known if name not in sizes),
        basis=basis,
        # With open sizes it may take long to find out which layer is the peak, and the answer be no short text.
        activation_memory=activation_memory(graph, basis),
        files=tuple(file.span.file for file in module.files),
        graph=graph,
    )
    find_stacks(drawn, graph.nodes)
    return drawn


def at(tensor_type: TensorType, sizes: Mapping[str, int]) -> TensorType:
    """The type with the given sizes put in."""
    return tensor_type.with_shape(tuple(substitute(size, sizes) for size in tensor_type.shape))


def _edges(graph: Graph, sizes: Mapping[str, int]) -> tuple[Edge, ...]:
    """Every use of a tensor, by the order of its readers; outputs come last."""
    made: dict[Value, str] = {each.value: f"in{index}" for index, each in enumerate(graph.inputs)}
    found = []
    for index, node in enumerate(graph.nodes):
        anchored = node.op.anchored
        found += [Edge(made[value], f"n{index}", value, at(value.type, sizes), anchored) for value in node.inputs]
        made.update(dict.fromkeys(node.outputs, f"n{index}"))
    for index, output in enumerate(graph.outputs):
        value = output.value
        found.append(Edge(made[value], f"out{index}", value, at(value.type, sizes)))
    return tuple(found)


class _Maker:
    """Gives branches ids and numbers."""

    def __init__(self, graph: Graph, sizes: Mapping[str, int], basis: Mapping[str, int]) -> None:
        self.sizes, self.basis = sizes, basis
        self.order = {node: index for index, node in enumerate(graph.nodes)}
        self.fields = receptive_fields(graph)
        self.owners: dict[str, str] = {}
        """Where each parameter first stands: its name, and the id of the layer."""
        for index, node in enumerate(graph.nodes):
            for parameter in node.params.values():
                self.owners.setdefault(parameter.name, f"n{index}")
        self.groups = 0

    def group(self, branch: Branch, prefix: str) -> Group:
        number, self.groups = self.groups, self.groups + 1
        children = [
            self.layer(child, branch.path) if isinstance(child, Node) else self.group(child, branch.path)
            for child in branch.children
        ]
        return Group(
            id=f"g{number}",
            what=branch.what,
            title=branch.title,
            label=_below(branch.path, prefix) if branch.what in ("block", "label") else "",
            path=branch.path,
            arguments=branch.arguments,
            doc=branch.doc,
            shared=branch.shared,
            span=branch.span,
            definition=branch.definition,
            children=children,
            numbers=_sum([child.numbers for child in children]),
        )

    def layer(self, node: Node, prefix: str) -> Layer:
        index = self.order[node]
        mine = f"n{index}"
        own = [parameter for parameter in node.params.values() if self.owners[parameter.name] == mine]
        others = [self.owners[each.name] for each in node.params.values() if self.owners[each.name] != mine]
        return Layer(
            id=mine,
            index=index,
            node=node,
            label=_below(node.path, prefix),
            text=layer_text(node),
            inputs=tuple(at(kind, self.sizes) for kind in node.input_types),
            outputs=tuple(at(kind, self.sizes) for kind in node.output_types),
            numbers=self.numbers(node, own),
            field=self.fields[node.outputs[0]],
            shared_with=others[0] if others else None,
        )

    def numbers(self, node: Node, own: list[Parameter]) -> Numbers:
        parameters, cost = count(own), node_cost(node)
        memory: Size = 0
        if not node.op.training_only:
            for kind in node.output_types:
                memory = memory + tensor_bytes(kind)
        weights: dict[Measure, float] = {
            "macs": float(evaluate(cost.macs, self.basis)),
            "params": float(parameters.learnable),
            "memory": float(evaluate(memory, self.basis)),
        }
        placed = cost.at(self.sizes)
        return Numbers(
            parameters.learnable, parameters.statistics, placed.macs, placed.flops, substitute(memory, self.sizes), weights
        )


def _below(path: str, prefix: str) -> str:
    return path.removeprefix(f"{prefix}.") if prefix else path


def _sum(parts: list[Numbers]) -> Numbers:
    """Numbers of a group; sums of symbolic sizes are made once, as a tree would make them again at every level."""
    macs: Size = 0
    flops: Size = 0
    memory: Size = 0
    for part in parts:
        macs, flops, memory = macs + part.macs, flops + part.flops, memory + part.activation_bytes
    return Numbers(
        sum(part.parameters for part in parts),
        sum(part.statistics for part in parts),
        macs,
        flops,
        memory,
        {measure: sum(part.weights[measure] for part in parts) for measure in MEASURES},
    )
