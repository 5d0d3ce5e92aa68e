"""Scales and shifts taken into the weights of the linear layer before them, or of the one after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from convspec.ir.graph import Node
from convspec.ir.types import Array
from convspec.passes._affine import Affine
from convspec.passes.draft import Draft

BEFORE = ("conv", "depthwise_conv", "linear", "conv_transpose", "deform_conv", "separable_conv")
"""Layers whose output channels can be scaled and shifted by their weights."""
AFTER = ("conv", "depthwise_conv", "linear", "conv_transpose", "deform_conv", "separable_conv")
"""Layers whose input channels can be scaled, and shifted where they find nothing but their input."""
COPIES = ("reflect", "replicate", "circular")
"""Pad modes that fill borders with the input's own values, which are scaled and shifted like all others."""
_EDGES = ("conv_transpose", "deform_conv")
"""Layers whose cells near a border see less of the input, whatever the pads: a shift is another number there."""


def fold(draft: Draft, node: Node, affine: Affine) -> bool:
    """Take `node`, which is `affine`, into the layer before it, else into the one after it; whether that could be done."""
    import numpy as np

    with np.errstate(all="ignore"):  # `fits` finds what is not finite
        return _into_before(draft, node, affine) or _into_after(draft, node, affine)


# ── into the layer before ────────────────────────────────────────────────────────────────────────────────────


def _into_before(draft: Draft, node: Node, affine: Affine) -> bool:
    """y = scale · (W x + b) + shift = (scale · W) x + (scale · b + shift): exact whatever the pads are."""
    import numpy as np

    layer = draft.made_by(affine.source, *BEFORE)
    if layer is None or draft.shares_weights(layer):
        return False
    given = _arrays(draft, layer)
    role, bias = _roles(layer)
    groups = layer.attrs.groups if layer.op.name == "conv_transpose" else None
    scaled = _outputs_scaled(given[role], affine.scale, groups)
    moved = affine.shift + affine.scale * given[bias].astype(np.float64) if bias in given else affine.shift
    arrays = _with(given, role, scaled, bias, moved)
    return _replace(draft, node, affine, layer, arrays, layer.inputs, node.outputs)


def _roles(layer: Node) -> tuple[str, str]:
    """What of a layer makes its outputs: weight and bias."""
    separable = layer.op.name == "separable_conv"
    return ("pointwise.weight", "pointwise.bias") if separable else ("weight", "bias")


def _outputs_scaled(weight: Array, scale: Array, groups: int | None) -> Array:
    """(filters, …) by filter; for a transposed convolution, (channels, filters / groups, …), group by group."""
    if groups is None:
        return _times(weight, scale.reshape(-1, *[1] * (weight.ndim - 1)))
    inside, outside, *cells = weight.shape
    apart = weight.reshape(groups, inside // groups, outside, *cells)
    return _times(apart, scale.reshape(groups, 1, outside, *[1] * len(cells))).reshape(weight.shape)


# ── into the layer after ─────────────────────────────────────────────────────────────────────────────────────


def _into_after(draft: Draft, node: Node, affine: Affine) -> bool:
    """y = W (scale · x + shift) + b = (W · scale) x + (Σ W · shift + b), where no border is filled with another number."""
    layer = draft.only_user(node.outputs[0])
    if layer is None or layer.op.name not in AFTER or layer.inputs[0] is not node.outputs[0]:
        return False
    arrays = scaled_before(draft, layer, affine)
    if arrays is None:
        return False
    return _replace(draft, node, affine, layer, arrays, (affine.source, *layer.inputs[1:]), layer.outputs)


def scaled_before(draft: Draft, layer: Node, affine: Affine) -> dict[str, Array] | None:
    """The tensors of a layer of `AFTER` that reads x where it read scale · x + shift; None where no tensors do that."""
    import numpy as np

    read_once = len(layer.inputs) == len(set(layer.inputs))
    if draft.shares_weights(layer) or not read_once or not _border_allows(layer, affine):
        return None
    given = _arrays(draft, layer)
    role = "depthwise.weight" if layer.op.name == "separable_conv" else "weight"
    weight = given[role]
    if layer.op.name == "conv_transpose":
        return {**given, role: _times(weight, affine.scale.reshape(-1, *[1] * (weight.ndim - 1)))}
    channels = affine.scale.size
    groups = 1 if layer.op.name == "linear" else getattr(layer.attrs, "groups", channels)
    apart = weight.reshape(groups, weight.shape[0] // groups, channels // groups, prod(weight.shape[2:]))
    scaled = _times(apart, affine.scale.reshape(groups, 1, -1, 1)).reshape(weight.shape)
    summed = apart.sum(3, dtype=np.float64) if apart.dtype.kind == "f" else apart.astype(np.float64).sum(3)
    moved = (summed * affine.shift.reshape(groups, 1, -1)).sum(2).reshape(-1)
    if layer.op.name == "separable_conv":
        mixed = given["pointwise.weight"]
        moved = mixed.reshape(len(mixed), -1).astype(np.float64) @ moved
    bias = _roles(layer)[1]
    moved = moved + given[bias].astype(np.float64) if bias in given else moved
    return _with(given, role, scaled, bias, moved)


def _border_allows(layer: Node, affine: Affine) -> bool:
    """Whether what stands around the input stays right when scale and shift come after it."""
    if layer.op.name in _EDGES:
        return not affine.shift.any()
    if layer.op.name == "linear" or layer.attrs.pad_mode in COPIES or not any(map(any, layer.attrs.pad)):
        return True
    zeros = layer.attrs.pad_mode == "zeros" or layer.attrs.pad_value == 0
    return zeros and not affine.shift.any()


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _arrays(draft: Draft, layer: Node) -> dict[str, Array]:
    """A layer's tensors as they are stored: a copy of all in float64 would be twice the network."""
    return {role: draft.array(parameter) for role, parameter in layer.params.items()}


def _times(weight: Array, scale: Array) -> Array:
    """The product, computed in float64 piece by piece and rounded once to the weight's type, or infinite there."""
    import numpy as np

    with np.errstate(all="ignore"):
        if weight.dtype.kind != "f":
            return (weight.astype(np.float64) * scale).astype(weight.dtype)
        found = np.empty(weight.shape, weight.dtype)
        np.multiply(weight, scale, out=found, dtype=np.float64, casting="same_kind")
    return found


def _with(arrays: Mapping[str, Array], role: str, weight: Array, bias: str, moved: Array) -> dict[str, Array]:
    """The layer's tensors with another weight, and a bias where there was one or where it is not all zeros."""
    found = {**arrays, role: weight}
    if bias in arrays or moved.any():
        found[bias] = moved
    return found


def _replace(
    draft: Draft, node: Node, affine: Affine, layer: Node, arrays: Mapping[str, Array], inputs: Any, outputs: Any
) -> bool:
    if not all(fits(array, layer) for array in arrays.values()):
        return False
    attrs = replace(layer.attrs, bias=any(role.endswith("bias") for role in arrays))
    made = draft.apply(layer.op.name, attrs, inputs, layer, arrays, outputs)
    place = "before" if inputs is layer.inputs else "after"
    note = f"{node.op.name} into the {layer.op.name} {place} it"
    draft.rewrite([layer, node, *affine.reads], [made], note=note)
    return True


def fits(array: Array, layer: Node) -> bool:
    """Whether the numbers are finite in the type in which the layer stores them."""
    import numpy as np

    from convspec.weights.dtypes import numpy_dtype

    dtype = numpy_dtype(next(iter(layer.params.values())).dtype)
    with np.errstate(all="ignore"):
        stored = array.astype(dtype, copy=False)
        # A sum in float64 of numbers that are finite in a narrower type is finite, and makes no second array.
        return bool(
            np.isfinite(stored if dtype.itemsize > 4 else stored.astype(np.float32, copy=False).sum(dtype=np.float64)).all()
        )
