"""A 1x1 convolution next to a layer that changes the size is done on the smaller side: after a mean, before an enlargement.

DenseNet's `conv(128, 1x1) -> avgpool(2x2)` becomes `avgpool(2x2) -> conv(128, 1x1)`, a quarter of the multiplications; the 1x1
head after an enlargement runs before it. Both layers are linear, and the weights of a mean or an interpolation add up to 1, so
that a bias passes through them.

- The 1x1 layer is a `conv` or `depthwise_conv` with a kernel of ones, no stride and no pads, or a `linear` over channels.
- The other is `avgpool`, `global_avgpool` or `adaptive_avgpool` after it, or `upsample` or `resize` before it.
- Nothing else reads what lies between them.
- Padding that counts in a mean is zero, and not the bias: then there must be none, of the one or of the other.
- Whatever the sizes are it takes less work; and an enlargement does not get more channels.
- Between two enlargements it stays unless the first is by whole factors: ONNX Runtime does others outside its blocked layout,
  and then what follows too (0.65 to 0.8 times the speed, measured with one thread).
"""

from __future__ import annotations

from convspec.analysis.cost import node_cost
from convspec.ir import dims
from convspec.ir.dims import at_least
from convspec.ir.graph import Node, Value
from convspec.ir.types import TensorType
from convspec.passes._branches import window_of
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_POINTWISE = ("conv", "depthwise_conv", "linear")
_MEANS = ("avgpool", "global_avgpool", "adaptive_avgpool")
_LARGER = ("upsample", "resize")
_DONE_WITH_IT = ("add", "relu", "relu6", "leaky_relu", "clip", "sigmoid", "tanh")
"""What ONNX Runtime does along with the convolution before it."""


def run(draft: Draft) -> None:
    """Each mean is looked at with the layer before it, and each 1x1 layer with an enlargement before it."""
    for node in draft.nodes():
        if node.op.name in _MEANS:
            first = draft.made_by(node.inputs[0], *_POINTWISE)
            if first is not None and _is_point(first) and _passes_bias(first, node):
                _swap(draft, first, node)
        elif node.op.name in _POINTWISE:
            first = draft.made_by(node.inputs[0], *_LARGER)
            if first is not None and _may_go_before(draft, node, first):
                _swap(draft, first, node)


def _is_point(node: Node) -> bool:
    window = window_of(node)
    if window is None or node.input_types[0].rank == 2:
        return False
    single = all(len(o) == 1 and o[0] == 0 for o in window.offsets)
    return single and set(window.stride) == {1} and not any(window.after)


def _passes_bias(node: Node, mean: Node) -> bool:
    counted = mean.op.name == "avgpool" and mean.attrs.count_pad and any(map(any, mean.attrs.pad))
    return not counted or "bias" not in node.params


def _may_go_before(draft: Draft, node: Node, first: Node) -> bool:
    if not _is_point(node) or not _is_no_wider(node) or node.inputs[0] in first.inputs[1:]:
        return False
    return _is_by_whole_factors(first) or not _is_enlarged(draft, node)


def _is_by_whole_factors(node: Node) -> bool:
    sizes = zip(node.output_types[0].shape, node.input_types[0].shape, strict=True)
    return node.op.name == "upsample" or all(
        after == before or (isinstance(after, int) and isinstance(before, int) and after % before == 0)
        for after, before in sizes
    )


def _is_enlarged(draft: Draft, node: Node) -> bool:
    """Whether an enlargement follows, with no more than sums and activations between."""
    reader = draft.only_user(node.outputs[0])
    while reader is not None and reader.op.name in _DONE_WITH_IT:
        reader = draft.only_user(reader.outputs[0])
    return reader is not None and reader.op.name in _LARGER


def _is_no_wider(node: Node) -> bool:
    """An activation behind it is no longer done along with it, and enlarging is slow: both for no more channels than before."""
    filters, channels = node.output_types[0].channels, node.input_types[0].channels
    return isinstance(filters, int) and isinstance(channels, int) and filters <= channels


def _swap(draft: Draft, first: Node, second: Node) -> None:
    """The second before the first, each with its own weights."""
    earlier = _on(draft, second, [first.inputs[0], *second.inputs[1:]])
    later = _on(draft, first, [earlier.outputs[0], *first.inputs[1:]])
    if later.output_types == second.output_types and at_least(_work(first, second), _work(earlier, later) + 1) is True:
        draft.rewrite([first, second], [earlier, draft.changed(later, outputs=second.outputs)])


def _on(draft: Draft, node: Node, inputs: list[Value]) -> Node:
    """The same layer on other tensors, with the same stored ones."""
    made = node.op.infer(node.attrs, *(value.type for value in inputs))
    assert isinstance(made, TensorType), "these have one output"
    return draft.changed(node, inputs=tuple(inputs), outputs=(draft.fresh_value(made, node.path or node.op.name),))


def _work(*nodes: Node) -> dims.Size:
    total: dims.Size = 0
    for node in nodes:
        cost = node_cost(node)
        total = total + cost.macs + cost.flops
    return total


PASS = Pass("move_pointwise", "a 1x1 convolution moved to where the tensor is smaller", run)
