"""How a tensor is laid out in another framework's file, and the way from there to the spec's own layout.

A layout is found from what is known without guessing: the format of the file, the role that it gives the tensor, the layer
that owns the parameter, and both shapes. Where these leave no layout, there is none: nothing is reshaped to make it fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

from convspec.ir.graph import Node, Parameter
from convspec.ir.types import Array
from convspec.weights.sources.base import Kind, StoredTensor

Shape: TypeAlias = tuple[int, ...]

ROLES: Mapping[str, tuple[str, ...]] = {
    "kernel": ("weight", "depthwise.weight"),
    "depthwise_kernel": ("depthwise.weight", "weight"),
    "pointwise_kernel": ("pointwise.weight", "weight"),
    "bias": ("bias", "pointwise.bias"),
    "gamma": ("weight", ""),
    "beta": ("bias",),
    "gamma_or_beta": ("weight", "bias"),
    "moving_mean": ("running_mean",),
    "moving_variance": ("running_var",),
    "embeddings": ("weight",),
    "alpha": ("weight",),
    "scale": ("weight", ""),
}
"""What a Keras layer calls its variable: the roles of the spec's parameters that it can fill, the likeliest first.

`gamma_or_beta` is the one vector of a norm that has only one, in a file that does not say which.
"""


@dataclass(frozen=True, slots=True)
class Rearranged:
    """Features that the file has in another order: `indices` says of each canonical one where it lies, along `axis`."""

    axis: int
    indices: tuple[int, ...]
    text: str
    """For the report: `inputs from 49 x 512`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The way from a stored tensor to a parameter: reshaped, then axes permuted, then reshaped, then features rearranged."""

    split: Shape | None = None
    permute: Shape | None = None
    merge: Shape | None = None
    orders: tuple[Rearranged, ...] = ()

    def to_canonical(self, array: Array) -> Array:
        """The parameter's value for the stored `array`, contiguous."""
        import numpy as np

        if self.split is not None:
            array = array.reshape(self.split)
        if self.permute is not None:
            array = array.transpose(self.permute)
        if self.merge is not None:
            array = array.reshape(self.merge)
        for order in self.orders:
            array = array.take(np.asarray(order.indices), order.axis)
        return np.asarray(array, order="C")

    @property
    def text(self) -> str:
        """For the report: `(3, 2, 0, 1)`, with what else is done; empty where bytes stay as they are."""
        steps = [
            f"reshaped to {_sizes(self.split)}" if self.split is not None else "",
            f"permuted {self.permute}" if self.permute is not None else "",
            f"reshaped to {_sizes(self.merge)}" if self.merge is not None else "",
            *(order.text for order in self.orders),
        ]
        return ", ".join(step for step in steps if step)


AS_IT_IS = Layout()


def layout_of(kind: Kind, stored: StoredTensor, parameter: Parameter, node: Node) -> Layout | None:
    """The layout under which `stored`, from a file of this kind, is `parameter` of `node`; None where its shape forbids it."""
    if kind == "keras":
        return _keras(stored, parameter, node)
    if stored.transposed:
        return Layout(permute=(1, 0)) if stored.shape[::-1] == parameter.shape else None
    return AS_IT_IS if stored.shape == parameter.shape else None


_VARIANT = re.compile(r"(?P<label>[^/]+)(/(?P<reshape>\d+(x\d+)*))?(/(?P<permute>\d+(,\d+)+))?")


def onnx_label(name: str) -> str:
    """The parameter that an initializer of ours holds: `act.weight/6x1x1` is `act.weight`, reshaped for its reader."""
    found = _VARIANT.fullmatch(name)
    return found["label"] if found else name


def onnx_layout(stored: StoredTensor, parameter: Parameter) -> Layout | None:
    """The way back from the layout that the name of such an initializer tells of; None where its shape contradicts it."""
    found = _VARIANT.fullmatch(stored.name)
    if found is None or found["label"] != parameter.name or stored.transposed:
        return None
    permute = tuple(map(int, found["permute"].split(","))) if found["permute"] else tuple(range(len(stored.shape)))
    if sorted(permute) != list(range(len(stored.shape))):
        return None
    inverse = tuple(permute.index(axis) for axis in range(len(permute)))
    reshaped = tuple(stored.shape[axis] for axis in inverse)
    told = tuple(map(int, found["reshape"].split("x"))) if found["reshape"] else parameter.shape
    if reshaped != told or prod(told) != prod(parameter.shape):
        return None
    return Layout(permute=inverse if found["permute"] else None, merge=parameter.shape if found["reshape"] else None)


def _keras(stored: StoredTensor, parameter: Parameter, node: Node) -> Layout | None:
    """Keras keeps channels last: kernels are (space…, in, out), or (space…, in, multiplier) if depthwise; dense (in, out)."""
    shape, wanted = stored.shape, parameter.shape
    if (stored.role or "").endswith("kernel"):
        if len(wanted) == len(shape) > 2:
            return _spatial_kernel(shape, wanted, node)
        return _matrix(shape, wanted, parameter)
    if stored.role == "embeddings" or (shape == wanted and len(shape) < 2):
        return AS_IT_IS if shape == wanted else None
    if _squeezed(shape) == _squeezed(wanted) and len(_squeezed(shape)) < 2:  # one number a channel, written with axes of 1
        return Layout(merge=wanted)
    if prod(shape) == prod(wanted) and node.op.name == "attention" and len(wanted) == 1:  # (heads, features of one)
        return Layout(merge=wanted)
    return _channels_first(shape, wanted)


def _spatial_kernel(shape: Shape, wanted: Shape, node: Node) -> Layout | None:
    """(k…, I, O) → (O, I, k…), which for transposed convolutions is (k…, O, I) → (I, O, k…); (k…, C, m) → (C·m, 1, k…)."""
    rank = len(shape)
    space = range(rank - 2)
    permute = (rank - 1, rank - 2, *space)
    if tuple(shape[axis] for axis in permute) == wanted:
        return Layout(permute=permute)
    depthwise = (rank - 2, rank - 1, *space)
    depth, multiplier = shape[-2:]
    alone = node.op.name != "conv_transpose" and node.inputs[0].type.shape[1] == depth  # a filter sees one channel
    if alone and wanted == (depth * multiplier, 1, *shape[:-2]):
        return Layout(permute=depthwise, merge=wanted)
    return None


def _matrix(shape: Shape, wanted: Shape, parameter: Parameter) -> Layout | None:
    """(in, out) → (out, in). A convolution of kernel 1 is a dense layer over channels, whichever of them has which form.

    MultiHeadAttention keeps (in, heads, features) for queries, keys and values, and (heads, features, out) for its output.
    """
    if len(wanted) < 2 or len(shape) < 2 or any(size != 1 for size in wanted[2:]):
        return None
    flat: Shape | None = None
    if all(size == 1 for size in shape[:-2]):
        flat = shape[-2:]
    elif len(shape) == 3:
        flat = (shape[0] * shape[1], shape[2]) if parameter.role == "out.weight" else (shape[0], shape[1] * shape[2])
    if flat is None or flat[::-1] != wanted[:2]:
        return None
    return Layout(split=None if flat == shape else flat, permute=(1, 0), merge=None if len(wanted) == 2 else wanted)


def _channels_first(shape: Shape, wanted: Shape) -> Layout | None:
    """A norm's scale over all of an example, a slope for each cell: (space…, C) → (C, space…)."""
    permute = (len(shape) - 1, *range(len(shape) - 1))
    return Layout(permute=permute) if shape[-1:] + shape[:-1] == wanted and len(shape) > 1 else None


def _squeezed(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def _sizes(shape: Any) -> str:
    return f"({', '.join(map(str, shape))})"


__all__ = ["AS_IT_IS", "ROLES", "Layout", "Rearranged", "layout_of", "onnx_label", "onnx_layout"]
