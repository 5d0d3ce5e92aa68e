"""What each layer keeps from the forward pass for its backward pass, as autograd in PyTorch does with the generated code.

A layer keeps tensors of the network (its input, its output, or both) and tensors of its own: the places of the largest cells of
a pool (int64), the mask of a dropout, the statistics of a normalisation, an input with padding around it. A tensor that several
layers keep is there once; a layer that only looks at its input in another way (flatten, split, slice) keeps nothing and makes
nothing. What no parameter stands before needs no gradient, and keeps nothing.

Sources: PyTorch 2's derivatives.yaml; the tests hold every rule against `torch.autograd.graph.saved_tensors_hooks`. A dropout's
mask counts a byte an element, as on CUDA (on a CPU it is a float). Layers that are put together from many functions of PyTorch
are in kept_composite.py; some of them (`ESTIMATED`) up to small tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convspec.analysis import kept_composite as composite
from convspec.analysis.keeping import NOTHING, Kept, Own, Rule, elements
from convspec.ir.dims import Size
from convspec.ir.graph import Node
from convspec.ir.lowering import Apply, Call
from convspec.ir.types import FLOATS, TensorType
from convspec.ops._axes import axis_index

VIEWS = frozenset({"identity", "squeeze", "unsqueeze", "permute", "expand", "slice", "crop", "split"})
"""Layers whose outputs lie in the storage of their first input."""
RESHAPES = frozenset({"flatten", "reshape"})
"""Views of a tensor whose elements stand in order, else copies."""
SCATTERED = frozenset({"permute", "expand", "slice", "crop", "split"})
"""Views whose elements no longer stand in order."""
ESTIMATED = frozenset({"attention", "graph_conv", "graph_pool", "lppool", "resize", "upsample"})
"""Layers whose count leaves small tables out, or goes by their largest tensors alone."""


def is_float(kind: TensorType) -> bool:
    """Whether a tensor holds floats, of which there are gradients."""
    return kind.dtype in FLOATS


def is_view(node: Node) -> bool:
    """Whether the outputs lie in the storage of the first input, whatever order its elements stand in."""
    name = node.op.name
    if name == "channel_shuffle":
        return bool(node.attrs.groups == 1)
    if name in ("resize", "cast"):
        return node.input_types[0] == node.output_types[0]
    return name in VIEWS or (node.op.training_only and getattr(node.attrs, "rate", 1) == 0)


def kept_by(node: Node, needs: Sequence[bool]) -> Kept:
    """What a node keeps; `needs` says of each input whether a gradient is wanted for it."""
    learns = any(parameter.trainable for parameter in node.params.values())
    if not (any(needs) or learns) or not any(map(is_float, node.output_types)):
        return NOTHING
    return _RULES.get(node.op.name, _usual)(node, needs)


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────


def _nothing(node: Node, needs: Sequence[bool]) -> Kept:
    return NOTHING


def _input(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs[:1])


def _output(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.outputs[:1])


def _both(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept((*node.inputs, *node.outputs))


def _all_inputs(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs)


def _usual(node: Node, needs: Sequence[bool]) -> Kept:
    """A layer that no rule speaks of: its inputs and its outputs."""
    return _both(node, needs)


def _product(node: Node, needs: Sequence[bool]) -> Kept:
    """Each side is kept for the gradient of the other."""
    if len(node.inputs) < 2:
        return NOTHING  # by a plain number
    a, b = node.inputs
    return Kept((*([a] if needs[1] else []), *([b] if needs[0] else [])))


def _quotient(node: Node, needs: Sequence[bool]) -> Kept:
    if len(node.inputs) < 2:
        return _own(node, needs) if node.attrs.left is not None else NOTHING
    a, b = node.inputs
    return Kept((b, *([a] if needs[1] else [])))


def _where(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs[:1])


def _convolution(node: Node, needs: Sequence[bool]) -> Kept:
    """The input; with padding around it, where that is put there first.

    Zeros the layer can stand for by itself, on both sides alike. Where cells of the input are repeated, it is kept too.
    """
    padded = padded_elements(node)
    mode = node.attrs.pad_mode
    if padded is None and mode != "zeros" and any(map(any, node.attrs.pad)):
        padded = _with_pads(node)
    if padded is None:
        return Kept(node.inputs[:1])
    return Kept(node.inputs[:1] if needs[0] and mode in _REPEATING else (), (Own(padded),))


_REPEATING = ("reflect", "replicate")


def _with_pads(node: Node) -> Size:
    """Elements of the input with the layer's pads around it."""
    kind = node.input_types[0]
    sizes = [size + before + after for size, (before, after) in zip(kind.spatial, node.attrs.pad, strict=True)]
    return elements(kind.with_shape((*kind.shape[:2], *sizes)))


def _pad(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs[:1]) if node.attrs.mode in _REPEATING else NOTHING


def _power(node: Node, needs: Sequence[bool]) -> Kept:
    """A tensor to a number keeps the tensor alone."""
    return Kept(node.inputs) if len(node.inputs) == 1 and node.attrs.left is None else _both(node, needs)


def _separable(node: Node, needs: Sequence[bool]) -> Kept:
    """Beside the input, what stands between the two convolutions."""
    first, out = _convolution(node, needs), node.output_types[0]
    between = node.input_types[0].channels * node.attrs.multiplier
    return Kept(first.values, (*first.own, Own(elements(out.with_shape((out.shape[0], between, *out.spatial))))))


def _standardised(node: Node, needs: Sequence[bool]) -> Kept:
    """Beside the input, the weight as it is after standardising, and two numbers a filter."""
    first, weight = _convolution(node, needs), node.params["weight"]
    return Kept(first.values, (*first.own, Own(weight.size), Own(2 * weight.shape[0])))


def _maxpool(node: Node, needs: Sequence[bool]) -> Kept:
    """The input, perhaps with padding, and the places of the largest cells."""
    places = Own(elements(node.output_types[0]), "int64")
    padded = padded_elements(node)
    if padded is None and node.attrs.indices and any(before != after for before, after in node.attrs.pad):
        padded = _with_pads(node)
    return Kept(node.inputs[:1], (places,)) if padded is None else Kept(own=(Own(padded), places))


def _avgpool(node: Node, needs: Sequence[bool]) -> Kept:
    """The input, perhaps with padding, and then the number of cells that count in each window."""
    padded = padded_elements(node)
    if padded is None:
        return Kept(node.inputs[:1])
    return Kept(own=(Own(padded), *([] if node.attrs.count_pad else [Own(elements(node.output_types[0]))])))


def _places(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(own=(Own(elements(node.output_types[0]), "int64"),))


def _adaptive_avgpool(node: Node, needs: Sequence[bool]) -> Kept:
    return NOTHING if all(size == 1 for size in node.output_types[0].spatial) else _input(node, needs)


def _adaptive_maxpool(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs[:1], (Own(elements(node.output_types[0]), "int64"),))


def _kmaxpool(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs[:1], (Own(elements(node.input_types[0]), "int64"), Own(elements(node.output_types[0]), "int64")))


def _batchnorm(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs[:1], (Own(2 * node.input_types[0].channels, "statistic"),))


def _instancenorm(node: Node, needs: Sequence[bool]) -> Kept:
    kind = node.input_types[0]
    each = kind.shape[0] * kind.channels
    return Kept(node.inputs[:1], (Own(2 * each, "statistic"), *([Own(each, "statistic")] if node.params else [])))


def _groupnorm(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs[:1], (Own(2 * node.input_types[0].shape[0] * node.attrs.groups, "statistic"),))


def _layernorm(node: Node, needs: Sequence[bool]) -> Kept:
    """Mean and deviation of each position that is normalised by itself."""
    return Kept(node.inputs[:1], (Own(2 * _positions(node), "statistic"),))


def _rmsnorm(node: Node, needs: Sequence[bool]) -> Kept:
    own = [Own(_positions(node), "statistic")]
    if node.params:
        own.append(Own(elements(node.input_types[0])))
    return Kept(node.inputs[:1], tuple(own))


def _l2norm(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs[:1], (Own(2 * _positions(node)),))


def _positions(node: Node) -> Size:
    """How many times a normalisation along some axes is done."""
    kind = node.input_types[0]
    axes = {axis_index(axis, kind.rank) for axis in node.attrs.axes}
    size: Size = 1
    for place, extent in enumerate(kind.shape):
        if place not in axes:
            size = size * extent
    return size


def _lrn(node: Node, needs: Sequence[bool]) -> Kept:
    """The squares with their padding, the divisor before the power and after it."""
    kind = node.input_types[0]
    padded = kind.with_shape((kind.shape[0], kind.channels + node.attrs.size - 1, *kind.spatial))
    return Kept(node.inputs[:1], (Own(elements(padded)), Own(2 * elements(kind))))


def _with_own(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(node.inputs[:1], (Own(elements(node.input_types[0])),))


def _own(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(own=(Own(elements(node.input_types[0])),))


def _dropout(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(own=(Own(elements(node.input_types[0]), "bool"),)) if node.attrs.rate else NOTHING


def _channel_dropout(node: Node, needs: Sequence[bool]) -> Kept:
    kind = node.input_types[0]
    return Kept(own=(Own(kind.shape[0] * kind.channels),)) if node.attrs.rate else NOTHING


def _drop_path(node: Node, needs: Sequence[bool]) -> Kept:
    return Kept(own=(Own(node.input_types[0].shape[0]),)) if node.attrs.rate else NOTHING


# ── padding that is a function of its own ────────────────────────────────────────────────────────────────────


def padded_elements(node: Node) -> Size | None:
    """The elements of the input with its padding, where generated code pads before the layer; None where the layer does."""
    lower = node.op.lower.get("pytorch")
    tree: Any = lower(node.attrs, *node.input_types) if lower is not None else None
    pads = next(_paddings(tree), None)
    if pads is None:
        return None
    kind = node.input_types[0]
    sizes = list(kind.shape)
    for place, amount in enumerate(pads):
        sizes[-1 - place // 2] = sizes[-1 - place // 2] + amount
    return elements(kind.with_shape(tuple(sizes)))


def _paddings(tree: Any) -> Iterator[tuple[int, ...]]:
    """The amounts of every `F.pad` in a lowering."""
    if isinstance(tree, Call | Apply):
        if isinstance(tree, Call) and tree.fn == "F.pad" and len(tree.args) > 1 and isinstance(tree.args[1], tuple):
            yield tree.args[1]
        for part in tree.args if isinstance(tree, Call) else tree.inputs:
            yield from _paddings(part)


def _embedding(node: Node, needs: Sequence[bool]) -> Kept:
    """The indices; those that torch does not take as they are, as int64."""
    kind = node.input_types[0]
    return Kept(node.inputs[:1]) if kind.dtype in ("int32", "int64") else Kept(own=(Own(elements(kind), "int64"),))


def _named(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


_RULES: Mapping[str, Rule] = {
    **_named("add sub neg sum mean concat cast tile roll reverse channel_shuffle depth_to_space space_to_depth", _nothing),
    **_named("pixel_shuffle pixel_unshuffle upsample resize global_avgpool normalize parameter", _nothing),
    **_named(" ".join((*VIEWS, *RESHAPES)), _nothing),
    **_named("relu sigmoid tanh exp sqrt softmax log_softmax", _output),
    **_named(
        "abs celu clip elu selu gelu glu hardswish hardtanh leaky_relu log mish prelu relu6 silu softplus threshold", _input
    ),
    **_named("max min global_maxpool", _both),
    **_named("maximum minimum", _all_inputs),
    **_named("mul matmul", _product),
    **_named("conv depthwise_conv", _convolution),
    **_named("logsigmoid softsign", _with_own),
    "div": _quotient,
    "hardsigmoid": _own,
    "embedding": _embedding,
    "where": _where,
    **_named("linear conv_transpose", _input),
    "separable_conv": _separable,
    "ws_conv": _standardised,
    "maxpool": _maxpool,
    "avgpool": _avgpool,
    "adaptive_avgpool": _adaptive_avgpool,
    "adaptive_maxpool": _adaptive_maxpool,
    "kmaxpool": _kmaxpool,
    "maxout": _places,
    "max_unpool": lambda node, needs: Kept(node.inputs[1:2]),
    "batchnorm": _batchnorm,
    "instancenorm": _instancenorm,
    "groupnorm": _groupnorm,
    "layernorm": _layernorm,
    "rmsnorm": _rmsnorm,
    "l2norm": _l2norm,
    "lrn": _lrn,
    "dropout": _dropout,
    "channel_dropout": _channel_dropout,
    "drop_path": _drop_path,
    "attention": composite.attention,
    "blurpool": composite.blurpool,
    "deform_conv": composite.deform_conv,
    "graph_conv": composite.graph_conv,
    "graph_pool": composite.graph_pool,
    "graph_readout": composite.graph_readout,
    "lppool": composite.lppool,
    "pad": _pad,
    "pow": _power,
}

__all__ = ["ESTIMATED", "RESHAPES", "SCATTERED", "VIEWS", "is_float", "is_view", "kept_by"]
