"""The lowerings of a graph's nodes for PyTorch, with what PyTorch cannot say as diagnostics."""

from __future__ import annotations

from convspec.diagnostics import Diagnostic, Failure, error
from convspec.ir.graph import Graph, Node
from convspec.ir.lowering import Apply, Arg, Call, Unsupported
from convspec.targets.pytorch.reserved import RESERVED
from convspec.targets.source.render import find_apply

Tree = Call | Apply | Arg


def lower_graph(graph: Graph) -> dict[Node, Tree]:
    """The tree of every node. Failure with one CNN090 or CNN091 for each node that PyTorch cannot express or name."""
    trees: dict[Node, Tree] = {}
    problems: list[Diagnostic] = []
    for node in graph.nodes:
        tree = node.op.lower["pytorch"](node.attrs, *node.input_types)
        if isinstance(tree, Unsupported):
            message = f"PyTorch cannot express this `{node.op.name}` exactly: {tree.reason}"
            problems.append(error("CNN090", message, node.span, frames=node.frames))
            continue
        assert not isinstance(tree, tuple), "only ONNX says each output by itself"
        trees[node] = tree
        problems.extend(_label_problem(node, tree))
    if problems:
        raise Failure(problems)
    return trees


def _label_problem(node: Node, tree: Tree) -> list[Diagnostic]:
    apply = find_apply(tree)
    if apply is None or not apply.weights:
        return []
    for level in node.path.split("."):
        if level in RESERVED:
            message = (
                f"PyTorch cannot carry the label level `{level}` of `{node.path}`: every nn.Module has a `{level}` of its own"
            )
            return [error("CNN091", message, node.span, frames=node.frames, hint="choose another label")]
    return []


def returns_tuple(node: Node) -> bool:
    """Whether the op gives a tuple of tensors, perhaps of one."""
    return len(node.outputs) != 1 or isinstance(node.op.infer(node.attrs, *node.input_types), tuple)
