"""Scales and shifts taken into the weights of the linear layer before them, or of the one after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from convspec.ir.graph import Node
from convspec.ir.types import Array
from convspec.passes._affine import Affine
from convspec.passes.draft import Draft

BEFORE = ("conv", "depthwise_conv", "linear", "conv_transpose", "deform_conv", "separable_conv")
"""Layers whose output channels can be scaled and shifted by their weights."""
AFTER = ("conv", "depthwise_conv", "linear")
"""Layers whose input channels can be."""
COPIES = ("reflect", "replicate", "circular")
"""Pad modes that fill borders with the input's own values, which are scaled and shifted like all others."""


def fold(draft: Draft, node: Node, affine: Affine) -> bool:
    """Take `node`, which is `affine`, into the layer before it, else into the one after it; whether that could be done."""
    return _into_before(draft, node, affine) or _into_after(draft, node, affine)


def _into_before(draft: Draft, node: Node, affine: Affine) -> bool:
    """y = scale · (W x + b) + shift = (scale · W) x + (scale · b + shift): exact whatever the pads are."""
    layer = draft.made_by(affine.source, *BEFORE)
    if layer is None or draft.shares_weights(layer):
        return False
    arrays = draft.arrays(layer)
    role, bias = ("pointwise.weight", "pointwise.bias") if layer.op.name == "separable_conv" else ("weight", "bias")
    scaled = _outputs_scaled(arrays[role], affine.scale, layer.attrs.groups if layer.op.name == "conv_transpose" else None)
    moved = affine.shift + affine.scale * arrays[bias] if bias in arrays else affine.shift
    return _replace(draft, node, affine, layer, _with(arrays, role, scaled, bias, moved), "before")


def _outputs_scaled(weight: Array, scale: Array, groups: int | None) -> Array:
    """(filters, …) by filter; for a transposed convolution, (channels, filters / groups, …), group by group."""
    if groups is None:
        scaled: Array = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
        return scaled
    inside, outside, *cells = weight.shape
    apart = weight.reshape(groups, inside // groups, outside, *cells)
    scaled = (apart * scale.reshape(groups, 1, outside, *[1] * len(cells))).reshape(weight.shape)
    return scaled


def _into_after(draft: Draft, node: Node, affine: Affine) -> bool:
    """y = W (scale · x + shift) + b = (W · scale) x + (Σ W · shift + b), where no border is filled with another number."""
    layer = draft.only_user(node.outputs[0])
    if layer is None or layer.op.name not in AFTER or draft.shares_weights(layer) or not _border_allows(layer, affine):
        return False
    arrays = draft.arrays(layer)
    weight = arrays["weight"]
    channels = affine.scale.size
    groups = channels if layer.op.name == "depthwise_conv" else layer.attrs.groups if layer.op.name == "conv" else 1
    shape = (groups, weight.shape[0] // groups, channels // groups, prod(weight.shape[2:]))
    apart = weight.reshape(shape)
    scaled = (apart * affine.scale.reshape(groups, 1, -1, 1)).reshape(weight.shape)
    moved = (apart * affine.shift.reshape(groups, 1, -1, 1)).sum((2, 3)).reshape(-1)
    moved = moved + arrays["bias"] if "bias" in arrays else moved
    return _replace(draft, node, affine, layer, _with(arrays, "weight", scaled, "bias", moved), "after")


def _border_allows(layer: Node, affine: Affine) -> bool:
    """Whether what stands around the input stays right when scale and shift come after it."""
    if layer.op.name == "linear" or layer.attrs.pad_mode in COPIES or not any(map(any, layer.attrs.pad)):
        return True
    zeros = layer.attrs.pad_mode == "zeros" or layer.attrs.pad_value == 0
    return zeros and not affine.shift.any()


def _with(arrays: Mapping[str, Array], role: str, weight: Array, bias: str, moved: Array) -> dict[str, Array]:
    """The layer's tensors with another weight, and a bias where there was one or where it is not all zeros."""
    found = {**arrays, role: weight}
    if bias in arrays or moved.any():
        found[bias] = moved
    return found


def _replace(draft: Draft, node: Node, affine: Affine, layer: Node, arrays: Mapping[str, Array], where: str) -> bool:
    attrs = replace(layer.attrs, bias=any(role.endswith("bias") for role in arrays))
    inputs = layer.inputs if where == "before" else (affine.source, *layer.inputs[1:])
    outputs = node.outputs if where == "before" else layer.outputs
    if not all(_fits(array, layer) for array in arrays.values()):
        return False
    made = draft.apply(layer.op.name, attrs, inputs, layer, arrays, outputs)
    draft.rewrite([layer, node, *affine.reads], [made], note=f"into `{layer.path}`, the {layer.op.name} {where} it")
    return True


def _fits(array: Array, layer: Node) -> bool:
    """Whether the numbers are finite in the type in which the layer stores them."""
    import numpy as np

    from convspec.weights.dtypes import numpy_dtype

    dtype = next(iter(layer.params.values())).dtype
    with np.errstate(over="ignore"):
        return bool(np.isfinite(array.astype(numpy_dtype(dtype)).astype(np.float64)).all())
