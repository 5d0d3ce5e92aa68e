"""The straight-line printer: one class, one line an op, every number written out. It follows the flat graph alone.

It is the oracle of the readable printer, its last resort, and the way in for graphs that no longer match their source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convspec.elaborate.module import Module
from convspec.ir.graph import Graph, Node, Value
from convspec.ir.lowering import Apply
from convspec.ir.types import FLOATS
from convspec.targets.pytorch import page
from convspec.targets.pytorch.lowered import Tree, lower_graph, returns_tuple
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.layout import Writer
from convspec.targets.source.render import HELPERS, find_apply, render


def print_straight(module: Module, stem: str, notes: Sequence[str] = ()) -> str:
    """The source of a file with one class named like the model. Failure CNN090, CNN091 where PyTorch cannot say it."""
    trees = lower_graph(module.graph)
    printer = StraightPrinter(module.graph, trees)
    network, body, writer = Writer(), Writer(), Writer()
    printer.write(network, page.class_name(module), module.doc)
    page.write_helpers(body, trees.values(), printer.uses_add)
    body.raw(network.lines)
    writer.raw(page.file_head(module, stem, notes))
    writer.blank()
    page.write_imports(writer, body.lines)
    writer.blank(2)
    writer.raw(body.lines)
    return writer.text()


class StraightPrinter:
    """Prints a graph, or the part of one that stands below the label path `prefix`. `as_tuple`: outputs without names."""

    def __init__(self, graph: Graph, trees: Mapping[Node, Tree], prefix: str = "", as_tuple: bool = False) -> None:
        self.graph, self.trees, self.prefix, self.as_tuple = graph, trees, prefix, as_tuple
        self.inputs: Mapping[Value, str] = {}
        """Names for inputs other than their own."""
        self.names = quote.Names(("self", *page.reserved_names()))
        self.values: dict[Value, Code] = {}
        self.uses_add = False

    def write(self, writer: Writer, class_name: str, doc: str) -> None:
        """The class."""
        writer.open(f"class {class_name}(nn.Module):")
        if doc.strip():
            writer.raw(quote.docstring(doc, writer.indent))
            writer.blank()
        writer.open("def __init__(self) -> None:")
        writer.statement("super().__init__()")
        own = layer_dtypes(self.graph)
        for path, apply in self._layers().items():
            made = code.call(apply.fn.removeprefix(HELPERS), _constants(apply.args), _named_constants(apply))
            if path in own:
                made = code.method(made, "to", [code.name(f"torch.{own[path]}")])
            self._register(writer, path, code.call(apply.kept, [made]) if apply.kept else made)
        dtype = parameter_dtype(self.graph)
        if dtype != "float32" and not own and not self.prefix:
            writer.statement(f"self.to(torch.{dtype})")
        writer.close()
        writer.blank()
        self._forward(writer)
        writer.close()

    def _layers(self) -> dict[str, Apply]:
        """The layer objects by path, each once however often it is applied."""
        found: dict[str, Apply] = {}
        for node, tree in self.trees.items():
            apply = find_apply(tree)
            if apply is not None:
                found.setdefault(self._path(node), apply)
        return found

    def _register(self, writer: Writer, path: str, made: Code) -> None:
        if quote.is_identifier(path):
            writer.statement(f"self.{path} = {made}")
            return
        self.uses_add = True
        writer.statement(f"add(self, {quote.string(path)}, {made})")

    def _forward(self, writer: Writer) -> None:
        inputs = [self._name(graph_input.value, self.inputs.get(graph_input.value)) for graph_input in self.graph.inputs]
        several = len(self.graph.outputs) != 1
        named = (
            f"tuple[{', '.join(['torch.Tensor'] * len(self.graph.outputs))}]" if self.as_tuple else "dict[str, torch.Tensor]"
        )
        returned = named if several else "torch.Tensor"
        writer.open(f"def forward(self, {', '.join(f'{name}: torch.Tensor' for name in inputs)}) -> {returned}:")
        live = live_nodes(self.graph)
        for node, tree in self.trees.items():
            if node in live:
                self._node(writer, node, tree)
        outputs = {output.name: self.values[output.value] for output in self.graph.outputs}
        if several and self.as_tuple:
            writer.statement(f"return {', '.join(map(str, outputs.values()))}")
        elif several:
            pairs = ", ".join(f"{quote.string(name)}: {value}" for name, value in outputs.items())
            writer.statement(f"return {{{pairs}}}")
        else:
            writer.statement(f"return {next(iter(outputs.values()))}")
        writer.close()

    def _node(self, writer: Writer, node: Node, tree: Tree) -> None:
        result = render(
            tree, [self.values[value] for value in node.inputs], lambda apply: Code(page.reached(self._path(node), apply.kept))
        )
        if returns_tuple(node):
            names = [self._name(value) for value in node.outputs]
            targets = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
            writer.statement(f"{targets} = {result}")
        elif result.text.isidentifier():
            self.values[node.outputs[0]] = result  # the identity
        else:
            writer.statement(f"{self._name(node.outputs[0])} = {result}")

    def _path(self, node: Node) -> str:
        return node.path.removeprefix(self.prefix)

    def _name(self, value: Value, wanted: str | None = None) -> str:
        name = self.names.of(value, wanted or value.name.removeprefix(self.prefix).replace(".", "_"))
        self.values[value] = code.name(name)
        return name


def _constants(items: tuple[object, ...]) -> list[Code]:
    return [code.value(item) for item in items]


def _named_constants(apply: Apply) -> dict[str, Code]:
    return {name: code.value(item) for name, item in apply.kwargs.items()}


def parameter_dtype(graph: Graph) -> str:
    """The dtype that the layers of a graph have in common; float32 where it has none."""
    found = {parameter.dtype for parameter in graph.parameters().values()}
    return found.pop() if len(found) == 1 else "float32"


def layer_dtypes(graph: Graph) -> dict[str, str]:
    """By path, the dtype of each layer that is not made in float32, where layers differ; empty where one holds for all.

    They differ too where all have one dtype and the graph has casts to float32: those follow what a whole module is put in.
    """
    found = {node.path: p.dtype for node in graph.nodes for p in node.params.values() if p.dtype in FLOATS}
    casts = any(node.op.name == "cast" and node.output_types[0].dtype == "float32" for node in graph.nodes)
    if len(set(found.values())) < 2 and not casts:
        return {}
    return {path: dtype for path, dtype in found.items() if dtype != "float32"}


def live_nodes(graph: Graph) -> set[Node]:
    """The nodes that some output depends on."""
    wanted = {output.value for output in graph.outputs}
    live = set()
    for node in reversed(graph.nodes):
        if wanted.intersection(node.outputs):
            live.add(node)
            wanted.update(node.inputs)
    return live
