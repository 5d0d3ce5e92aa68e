"""Hints that work out what to declare."""

from __future__ import annotations

from convspec.elaborate.frame import Context
from convspec.ir import dims
from convspec.ir.dims import Equality


def declare_hint(context: Context, equality: Equality) -> str | None:
    """`these agree when H is even: declare the input as float32[N, 3, 2*h, 2*w]`."""
    substitution = getattr(equality, "substitution", None)
    condition = getattr(equality, "condition", None)
    if not substitution or not condition:
        return equality.hint
    for graph_input in context.graph.inputs:
        tensor_type = graph_input.value.type
        if any(dims.symbols(size) & substitution.keys() for size in tensor_type.shape):
            shape = tuple(dims.substitute(size, substitution) for size in tensor_type.shape)
            return f"these agree when {condition}: declare the input as {tensor_type.with_shape(shape)}"
    return equality.hint
