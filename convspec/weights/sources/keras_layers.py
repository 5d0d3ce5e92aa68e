"""What variables a Keras layer has, in the order in which Keras writes them: the files number them and do not name them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

EITHER = "gamma_or_beta"
"""The role of a norm's vector where the file does not say which of the two it is."""

_KERNEL = ("kernel", "bias")
_SEPARABLE = ("depthwise_kernel", "pointwise_kernel", "bias")
_NORM = ("gamma", "beta")
_BATCH_NORM = (*_NORM, "moving_mean", "moving_variance")
_ATTENTION = ("query_kernel", "query_bias", "key_kernel", "value_kernel", "value_bias", "out_kernel", "out_bias")

VARIABLES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D"), _KERNEL),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), _KERNEL),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _KERNEL),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D", "SeparableConv3D"), _SEPARABLE),
    "BatchNormalization": _BATCH_NORM,
    "LayerNormalization": _NORM,
    "GroupNormalization": _NORM,
    "RMSNormalization": ("scale",),
    "Embedding": ("embeddings",),
    "PReLU": ("alpha",),
    "LayerScale": ("gamma",),
    "Normalization": ("mean", "variance", "count"),
    # The layers that convspec's own models define.
    **dict.fromkeys(("ConvTranspose", "WSConv", "DeformConv2D"), _KERNEL),
    "BatchNorm": _BATCH_NORM,
    "RMSNormAlong": ("scale",),
    "PRelu": ("alpha",),
    "PaddedEmbedding": ("embeddings",),
    "LearnedTensor": ("weight",),
    "Attention": _ATTENTION,
}
"""By class. Which of them a layer has depends on its configuration: see _SWITCHES."""

_SWITCHES = {"bias": "use_bias", "gamma": "scale", "beta": "center"}
"""The setting of a layer that says whether it has the variable. LayerScale has neither."""

CONSTANT = ("Normalization",)
"""Layers whose variables are statistics of data, prepared before training: no weights."""

FOREIGN = frozenset({
    "Bidirectional", "RNN", "LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells",
    "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "SpectralNormalization",
})  # fmt: skip
"""Layers whose weights mean something that no network here has."""

PARTS = {"query_dense": "query", "key_dense": "key", "value_dense": "value", "output_dense": "out"}
"""The layers inside a MultiHeadAttention, by attribute; they have the query's kernel and bias, and so on."""


def snake_case(name: str) -> str:
    """`BatchNormalization` → `batch_normalization`: what Keras names groups and layers after."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


_CLASSES = {snake_case(name): name for name in (*VARIABLES, *FOREIGN, "MultiHeadAttention", "GroupQueryAttention")}


def class_of(name: str) -> str | None:
    """The class whose name, with a counter behind it, `name` is: `conv2d_3` → `Conv2D`."""
    return _CLASSES.get(name) or _CLASSES.get(re.sub(r"_\d+$", "", name))


def variables(kind: str | None, config: Mapping[str, Any] | None, shapes: Sequence[tuple[int, ...]]) -> list[str] | None:
    """The names of a layer's variables of these `shapes`; None where they cannot be known. `config`: None if not stored."""
    if kind is None or kind not in VARIABLES:
        return _by_shape(shapes) if config is None else None
    names = list(VARIABLES[kind])
    if config is not None:
        names = [name for name in names if _has(name, kind, config)]
        return names if len(names) == len(shapes) else None
    return _by_number(names, len(shapes))


def _has(name: str, kind: str, config: Mapping[str, Any]) -> bool:
    if kind == "LayerScale":
        return True
    if kind == "EinsumDense":
        return name != "bias" or bool(config.get("bias_axes"))
    return bool(config.get(_SWITCHES.get(name, ""), True))


def _by_number(names: list[str], number: int) -> list[str] | None:
    """Which of them there are, from how many: exact but for a norm that has one of gamma and beta."""
    if number == len(names):
        return names
    required = [name for name in names if name not in _SWITCHES and not name.endswith("_bias")]
    if number == len(required):
        return required
    return [EITHER, *required] if set(_NORM) <= set(names) and number == len(required) + 1 else None


def _by_shape(shapes: Sequence[tuple[int, ...]]) -> list[str] | None:
    """Of a layer of a class that the file does not name, where nothing else has variables of such shapes."""
    ranks = [len(shape) for shape in shapes]
    if ranks == [1, 1, 1, 1] and len(set(shapes)) == 1:
        return list(_BATCH_NORM)
    if len(ranks) == 2 and ranks[0] >= 2 and ranks[1] == 1:
        return list(_KERNEL)
    return ["kernel"] if len(ranks) == 1 and ranks[0] >= 3 else None


__all__ = ["CONSTANT", "EITHER", "FOREIGN", "PARTS", "class_of", "snake_case", "variables"]
