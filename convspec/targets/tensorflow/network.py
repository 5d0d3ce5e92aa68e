"""The flat graph as Keras will compute it: every node lowered, its weights placed, everything that cannot be said reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from convspec.diagnostics import Diagnostic, Failure, error
from convspec.ir.graph import Graph, Node, Parameter
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Unsupported
from convspec.ir.opdef import ShapeError
from convspec.ir.types import FLOATS
from convspec.ops._spatial import same_pads
from convspec.ops._spatial_targets import keras_pad
from convspec.source import Span
from convspec.targets.source.render import parts
from convspec.targets.tensorflow.expressions import functions_of, layer_of
from convspec.targets.tensorflow.helpers_text import functions_in_helpers
from convspec.targets.tensorflow.kinks import CHOICES, endless_kinks
from convspec.targets.tensorflow.layout import FlattenPlan, plan_flatten
from convspec.targets.tensorflow.names import check_names
from convspec.targets.tensorflow.weights import Variable, variables_of

DEFAULT_FLOAT = "float32"
"""Stands for Keras's floatx: never written out, so that `keras.config.set_floatx` decides the precision."""


Padding: TypeAlias = Literal["same", "explicit"]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A node and its final tree: without the Permute that weights spare a flatten; dtypes where not the default."""

    node: Node
    tree: Lowered
    layer: Apply | None
    """The layer with weights in `tree`; it is named by the node's path."""


@dataclass(frozen=True, slots=True, eq=False)
class Finish:
    """What only the whole network decides about a lowering: data order at a flatten, precision, one form at each site."""

    plan: FlattenPlan
    padding: Mapping[Span, Padding] = field(default_factory=dict)
    """Convolutions in the source whose uses lower some to `padding="same"` and some not: how all of them are written."""
    endless: frozenset[Span] = frozenset()
    """ReLUs to which an infinite gradient may come (see kinks)."""

    def tree(self, node: Node, tree: Lowered) -> Lowered:
        """The op's own lowering, finished."""
        if isinstance(tree, Unsupported):
            return tree
        if node.op.name == "flatten" and node.inputs[0].type.rank > 2 and node.outputs[0] not in self.plan.permuted:
            tree = Apply("layers.Flatten")  # the op's own lowering permutes the data first, which here the weights spare
        if node.span in self.endless and node.op.name in CHOICES:
            tree = CHOICES[node.op.name]
        if node.span in self.padding and node.op.name == "conv":
            tree = _repadded(tree, node.attrs.pad, self.padding[node.span])
        dtype = node.outputs[0].type.dtype
        if dtype in FLOATS and dtype != DEFAULT_FLOAT:
            tree = _with_dtype(tree, dtype)
        return tree


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """What both printers and the weights file are made from."""

    graph: Graph
    steps: tuple[Step, ...]
    """The nodes that an output depends on, in execution order."""
    variables: tuple[Variable, ...]
    finish: Finish


def prepare(graph: Graph) -> Network:
    """Lower every node. Failure with all errors: CNN090 for what Keras cannot express, CNN091 for names it cannot carry."""
    plan = plan_flatten(graph)
    raw = {node: node.op.lower["tensorflow"](node.attrs, *node.input_types) for node in live_nodes(graph)}
    finish = Finish(plan, _mixed_sites(raw), endless_kinks(graph))
    problems: list[Diagnostic] = []
    steps: list[Step] = []
    for node, lowered in raw.items():
        tree = finish.tree(node, lowered)
        if isinstance(tree, Unsupported):
            problems.append(unsupported(node, tree.reason))
        else:
            steps.append(Step(node, tree, layer_of(tree)))
    layers, conflicts = _distinct_layers(steps)
    problems += conflicts
    functions = [fn for step in steps for fn in functions_of(step.tree)]
    problems += check_names(graph, [step.node for step in layers], [*functions, *functions_in_helpers(functions)])
    if problems:
        raise Failure(problems)
    variables = [variable for step in layers if step.layer for variable in variables_of(step.node, step.layer, plan)]
    return Network(graph, tuple(steps), tuple(variables), finish)


def _mixed_sites(raw: Mapping[Node, Lowered]) -> dict[Span, Padding]:
    """Where one convolution of the source lowers to `padding="same"` at one use and to something else at another."""
    sites: dict[Span, list[Node]] = {}
    for node in raw:
        if node.op.name == "conv":
            sites.setdefault(node.span, []).append(node)
    found: dict[Span, Padding] = {}
    for span, nodes in sites.items():
        others = [node for node in nodes if not any(map(_is_same, parts(raw[node])))]
        if others and len(others) < len(nodes):
            found[span] = "same" if all(_could_be_same(node, raw[node]) for node in others) else "explicit"
    return found


def _is_same(part: Any) -> bool:
    return isinstance(part, Apply) and part.kwargs.get("padding") == "same"


def _could_be_same(node: Node, tree: Lowered) -> bool:
    """Whether a convolution without pads is just what `padding="same"` would be: one of 1x1, say."""
    a, x = node.attrs, node.inputs[0].type
    try:
        alike = same_pads(x, a.kernel, a.stride, a.dilation) == a.pad
    except ShapeError:
        return False
    return alike and isinstance(tree, Apply) and tree.inputs == (Arg(0),)


def _repadded(tree: Any, pads: Any, form: Padding) -> Any:
    """A convolution with `padding="same"`, or with its pads, if it has any, in a layer before it."""
    if isinstance(tree, Apply) and form == "same":
        return replace(tree, kwargs={**tree.kwargs, "padding": "same"})
    if isinstance(tree, Apply) and _is_same(tree):
        kwargs = {name: value for name, value in tree.kwargs.items() if name != "padding"}
        return replace(tree, kwargs=kwargs, inputs=tuple(keras_pad(source, pads) for source in tree.inputs))
    if isinstance(tree, Call):
        return replace(tree, args=tuple(_repadded(item, pads, form) for item in tree.args))
    return tree


def unsupported(node: Node, reason: str) -> Diagnostic:
    """The error for an op that this target has no exact form of."""
    message = f"the target `tensorflow` cannot express `{node.op.name}` exactly here"
    return error("CNN090", message, node.span, reason, frames=node.frames)


def live_nodes(graph: Graph) -> list[Node]:
    """The nodes that an output depends on, in execution order: a functional Keras model holds no others."""
    wanted = {output.value for output in graph.outputs}
    kept = []
    for node in reversed(graph.nodes):
        if any(value in wanted for value in node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    return kept[::-1]


def _with_dtype(tree: Any, dtype: str) -> Any:
    """The tree with every layer in it made for `dtype`."""
    match tree:
        case Apply(fn=fn, args=args, kwargs=kwargs, inputs=inputs, weights=weights):
            return Apply(fn, args, {**kwargs, "dtype": dtype}, _with_dtype(inputs, dtype), weights)
        case Call(fn=fn, args=args, kwargs=kwargs):
            named = {name: _with_dtype(item, dtype) for name, item in kwargs.items()}
            made = {"dtype": dtype} if fn.startswith("layers.") else {}  # a function of Keras's that makes a layer
            return Call(fn, _with_dtype(args, dtype), {**named, **made})
        case tuple() | list():
            return type(tree)(_with_dtype(item, dtype) for item in tree)
    return tree


def _distinct_layers(steps: list[Step]) -> tuple[list[Step], list[Diagnostic]]:
    """The first use of every layer with weights; an error where a shared layer is used in two ways that Keras keeps apart."""
    first: dict[str, Step] = {}
    conflicts = []
    for step in _with_layers(steps):
        known = first.setdefault(step.node.path, step)
        if not same_layer(known, step):
            reason = "this use of the shared layer needs a Keras layer made with other arguments than its first use"
            conflicts.append(unsupported(step.node, reason))
    return list(first.values()), conflicts


def _with_layers(steps: list[Step]) -> Iterator[Step]:
    return (step for step in steps if step.layer is not None)


def same_layer(a: Step, b: Step) -> bool:
    """Whether two steps use one layer object: the same parameters in a layer made alike."""
    if a.layer is None or b.layer is None:
        return False
    alike = (a.layer.fn, a.layer.args, a.layer.kwargs, a.layer.weights) == (
        b.layer.fn,
        b.layer.args,
        b.layer.kwargs,
        b.layer.weights,
    )
    return alike and list(map(id, _parameters(a))) == list(map(id, _parameters(b)))


def _parameters(step: Step) -> list[Parameter]:
    return list(step.node.params.values())


__all__ = ["Finish", "Network", "Step", "live_nodes", "prepare", "same_layer", "unsupported"]
