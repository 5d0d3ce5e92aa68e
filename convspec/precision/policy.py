"""Which layers may compute in float16 or bfloat16, which may not, and why.

Three kinds. A *heavy* layer is worth low precision: a matrix product in disguise, whose kernels round factors and result and
add up in float32. A *wide* one stays in float32: it divides, exponentiates, adds up without bound, or looks at differences of
nearly equal numbers. Every other one *follows*: it moves, picks or bends values one by one, costs little, and is done in the
precision in which its inputs come, so that no cast stands around it.
"""

from __future__ import annotations

from dataclasses import fields
from math import isfinite
from typing import Literal, TypeAlias

from convspec.ir.graph import Node, Parameter
from convspec.ir.types import FLOATS, LARGEST_FLOAT

Kind: TypeAlias = Literal["heavy", "follows", "wide"]

HEAVY = frozenset({"conv", "depthwise_conv", "separable_conv", "conv_transpose", "linear", "matmul"})

FOLLOWS = frozenset(
    {
        # elements moved or picked: exact
        *("reshape", "flatten", "squeeze", "unsqueeze", "permute", "expand", "tile", "concat", "split", "slice", "crop", "pad"),
        *("reverse", "roll", "channel_shuffle", "depth_to_space", "space_to_depth", "pixel_shuffle", "pixel_unshuffle"),
        *("maxpool", "adaptive_maxpool", "global_maxpool", "maxout", "max", "min", "maximum", "minimum", "where"),
        *("identity", "dropout", "channel_dropout", "drop_path"),
        *("relu", "relu6", "clip", "hardtanh", "threshold", "abs", "neg"),
        # one rounding of each element
        *("add", "sub", "mul", "leaky_relu", "prelu", "hardsigmoid", "hardswish", "sigmoid", "silu", "tanh", "gelu", "elu"),
        *("selu", "celu", "mish", "softsign", "glu"),
        # means over windows or positions: added up in float32 inside, rounded at the end
        *("avgpool", "adaptive_avgpool", "global_avgpool", "mean", "blurpool"),
    }
)

REASONS = {
    "softmax": "exponentials and their sum",
    "log_softmax": "exponentials and their sum",
    "attention": "softmax of its scores",
    "batchnorm": "statistics, and differences from them",
    "ws_conv": "statistics of its weights",
    "exp": "grows without bound",
    "pow": "grows without bound",
    "div": "a small divisor",
    "sum": "adds up without bound",
    "resize": "weights of the interpolation",
    "upsample": "weights of the interpolation",
    "deform_conv": "places between cells",
    "embedding": "picks by index from float32",
}
_NORMS = ("groupnorm", "instancenorm", "layernorm", "rmsnorm", "l2norm", "lrn", "normalize")
REASONS |= dict.fromkeys(_NORMS, "statistics, and differences from them")
REASONS |= dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), "compares exactly")
UNKNOWN = "not known to bear low precision"

SMALLEST = {"float16": 6.103515625e-05, "bfloat16": 1.1754943508222875e-38}
"""The smallest numbers with all their digits."""


def kind_of(node: Node, dtype: str) -> tuple[Kind, str]:
    """The kind of one layer by itself, and why."""
    name = node.op.name
    if not any(t.dtype in FLOATS for t in (*node.input_types, *node.output_types)):
        return "wide", "no floats"
    if other := _other_float(node):
        return "wide", f"declared in {other}"
    number = _unfit_number(node, dtype)
    if number is not None:
        return "wide", f"its number {number:g} has no place in {dtype}"
    if name in HEAVY:
        return "heavy", "a product with float32 sums"
    if name in FOLLOWS or (name == "upsample" and getattr(node.attrs, "mode", "") == "nearest"):
        return "follows", "as its inputs"
    return "wide", REASONS.get(name, UNKNOWN)


def _other_float(node: Node) -> str | None:
    """A float type other than float32 that the spec itself asks for here."""
    types = [t.dtype for t in (*node.input_types, *node.output_types)] + [p.dtype for p in node.params.values()]
    return next((dtype for dtype in types if dtype in FLOATS and dtype != "float32"), None)


def _unfit_number(node: Node, dtype: str) -> float | None:
    """An attribute that would become infinity or lose its digits."""
    for field in fields(node.attrs):
        value = getattr(node.attrs, field.name)
        if type(value) is not float or value == 0 or not isfinite(value):
            continue
        if not SMALLEST[dtype] <= abs(value) <= LARGEST_FLOAT[dtype]:
            return value
    return None


def kinds(nodes: list[Node], dtype: str) -> dict[Node, tuple[Kind, str]]:
    """The kind of every layer. A stored tensor has one precision: layers that share one are wide as soon as one of them is."""
    found = {node: kind_of(node, dtype) for node in nodes}
    owners: dict[Parameter, list[Node]] = {}
    for node in nodes:
        for parameter in node.params.values():
            owners.setdefault(parameter, []).append(node)
    for sharing in owners.values():
        if len(sharing) > 1 and any(found[node][0] != "heavy" for node in sharing):
            found.update((node, ("wide", "shares a stored tensor with a layer in float32")) for node in sharing)
    return found


__all__ = ["FOLLOWS", "HEAVY", "REASONS", "SMALLEST", "Kind", "kind_of", "kinds"]
