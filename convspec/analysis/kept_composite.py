"""What layers keep for their backward pass that are put together from many functions of PyTorch: see kept.py.

Deformable convolution and blurring are counted exactly, as their generated code is written; convolution and pooling on graphs
and attention up to masks and small tables; `lppool` is estimated by its largest tensors.
"""

from __future__ import annotations

from collections.abc import Sequence

from convspec.analysis.keeping import NOTHING, Kept, Own, elements, input_named, per_channel
from convspec.ir.dims import Size
from convspec.ir.graph import Node


def attention(node: Node, needs: Sequence[bool]) -> Kept:
    """What the three projections read, put in order; queries, keys, values; the result; a number for each query and head."""
    x = node.input_types[0]
    given = input_named(node, "context")
    context = given.type if given is not None else x
    queries, keys = per_channel(x), per_channel(context)
    read, features = elements(x) + 2 * elements(context), node.attrs.features
    own = [Own(read), Own(2 * (queries + keys) * features), Own(queries * node.attrs.heads, "statistic")]
    if input_named(node, "mask") is not None:  # it takes another way, which keeps the weights of every pair
        lengths = keys * queries * node.attrs.heads
        own = [Own(read), Own(2 * (queries + keys) * features), *([Own(lengths)] if isinstance(lengths, int) else [])]
    return Kept(own=tuple(own))


def blurpool(node: Node, needs: Sequence[bool]) -> Kept:
    """The padded input, and what is left of it after each mean of two neighbours but the last."""
    kind, kernel = node.input_types[0], node.attrs.kernel
    stages = []
    for stage in range(max(kernel) - 1):
        sizes = [size + k - 1 - min(stage, k - 1) for size, k in zip(kind.spatial, kernel, strict=True)]
        stages.append(Own(elements(kind.with_shape((*kind.shape[:2], *sizes)))))
    repeats = node.attrs.pad_mode in ("reflect", "replicate")
    return Kept(node.inputs[:1] if repeats else (), tuple(stages))


def deform_conv(node: Node, needs: Sequence[bool]) -> Kept:
    """For each of four neighbours of each place that is read: its values, its share, its index and whether it is inside."""
    offset, out = node.input_types[1], node.output_types[0]
    cells = node.attrs.kernel[0] * node.attrs.kernel[1]
    places = elements(offset) // 2 if isinstance(elements(offset), int) else _places(node)
    values = per_channel(out) * node.input_types[0].channels * cells
    own = [Own(16 * places), Own(5 * values), Own(4 * places, "bool"), Own(4 * places, "int64")]
    mask = input_named(node, "mask")
    if mask is None:
        return Kept(node.inputs[:1], tuple(own))
    return Kept((node.inputs[0], mask), (*own, Own(values)))


def _places(node: Node) -> Size:
    offset = node.input_types[1]
    half = offset.channels // 2
    return elements(offset.with_shape((offset.shape[0], half, *offset.spatial)))


def graph_conv(node: Node, needs: Sequence[bool]) -> Kept:
    """What the neighbours give, in order; the adjacency where the nodes' own features need a gradient; masks."""
    x = node.input_types[0]
    parts = 2 if node.attrs.root else 1
    own = [Own(parts * elements(x))]
    if needs[0]:
        own += _around(node, node.attrs.aggregate == "max")
    mask = input_named(node, "mask")
    if mask is not None:
        own.append(Own((1 + (parts + 1 if needs[0] else 0)) * elements(mask.type), "bool"))
    return Kept(own=tuple(own))


def graph_pool(node: Node, needs: Sequence[bool]) -> Kept:
    """What is kept of the neighbours, and masks."""
    mask = input_named(node, "mask")
    masks = [Own(2 * elements(mask.type), "bool")] if mask is not None else []
    return Kept(own=(*_around(node, node.attrs.mode == "max"), *masks))


def _around(node: Node, most: bool) -> list[Own]:
    """What a node keeps of its neighbours: the adjacency; for the largest, the message of every pair."""
    x, pairs = node.input_types[0], elements(node.input_types[1])
    if not most:
        return [Own(pairs)]
    return [Own(pairs), Own(pairs, "bool"), Own(pairs * x.channels), Own(elements(x)), Own(per_channel(x), "bool")]


def graph_readout(node: Node, needs: Sequence[bool]) -> Kept:
    """A mask; for the largest, what it was found in."""
    mask = input_named(node, "mask")
    masks = (Own(elements(mask.type), "bool"),) if mask is not None else ()
    return Kept((node.inputs[0], *node.outputs), masks) if node.attrs.mode == "max" else Kept(own=masks)


def lppool(node: Node, needs: Sequence[bool]) -> Kept:
    """The magnitudes and their powers, and what the windows come to."""
    x, out = node.input_types[0], node.output_types[0]
    return Kept(node.inputs[:1], (Own(elements(x)), Own(4 * elements(out)))) if needs[0] else NOTHING


__all__ = ["attention", "blurpool", "deform_conv", "graph_conv", "graph_pool", "graph_readout", "lppool"]
