"""Reductions, normalisations, softmax."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import Any

from tests.conformance.onnx_nodes.fates import TRAINING
from tests.conformance.onnx_nodes.sheet import Impossible, Node, Translator, number


def bracketed(numbers: Any) -> str:
    return f"[{', '.join(map(str, numbers))}]"


# ── reductions ───────────────────────────────────────────────────────────────────────────────────────────────


def _reduced(node: Node, since: int) -> str | None:
    """The arguments of a reduction; None: it is over nothing. From opset `since` on, the axes are an input."""
    rank = node.rank()
    given = node.known(1) if node.opset >= since else node.get("axes")
    if given is None or len(given) == 0:
        if node.get("noop_with_empty_axes", 0):
            return None
        given = range(rank)
    axes = sorted(node.axes(given))
    return f"axes = {bracketed(axes)}{'' if node.get('keepdims', 1) else ', keep = false'}"


def reduction(layer: str, before: str, after: str, since: int, node: Node) -> str:
    """`before` and `after` are what the elements and the result go through. Booleans are reduced as int32."""
    x, arguments = node.tensor(), _reduced(node, since)
    if before:
        x = node.let(before.format(x=x))
    if arguments is None:
        found = node.let(f"{x} -> identity")
    elif node.dtype() == "bool":
        found = node.let(f"({x} -> cast(int32) -> {layer}({arguments})) -> cast(bool)")
    else:
        found = node.let(f"{x} -> {layer}({arguments})")
    return node.let(after.format(y=found)) if after else found


def softmax(layer: str, node: Node) -> str:
    """Before opset 13 it was over all axes from the one given on."""
    rank = node.rank()
    given = node.get("axis", -1 if node.opset >= 13 else 1)
    node.least_rank(2)
    axis = node.axis(given)
    last = rank - 1 + node.lift
    if node.opset >= 13 or axis == last:
        return node.let(f"{node.tensor()} -> {layer}(axis = {axis})")
    sizes = (1,) * node.lift + node.shape()
    flat = bracketed([*sizes[1:axis], prod(sizes[axis:])])
    return node.let(f"{node.tensor()} -> reshape({flat}) -> {layer}(axis = {axis}) -> reshape({bracketed(sizes[1:])})")


# ── norms ────────────────────────────────────────────────────────────────────────────────────────────────────


def batch_norm(node: Node) -> str:
    """In inference."""
    if node.get("training_mode", 0):
        raise Impossible(TRAINING)
    node.unlifted()
    roles = ("weight", "bias", "running_mean", "running_var")
    stored = {role: node.known(index) for index, role in enumerate(roles, 1)}
    return node.layer(node.tensor(), f"batchnorm(eps = {number(node.get('epsilon', 1e-5))})", **stored)


def channel_norm(layer: str, node: Node) -> str:
    node.unlifted()
    groups = f"{node.get('num_groups')}, " if "num_groups" in node.attributes else ""
    op = f"{layer}({groups}eps = {number(node.get('epsilon', 1e-5))}, affine = true)"
    return node.layer(node.tensor(), op, weight=node.known(1), bias=node.known(2))


def _norm_axes(node: Node) -> str:
    rank = node.rank()
    first = node.get("axis", -1) % rank
    node.least_rank(2)
    return bracketed(node.axes(range(first, rank)))


def layer_norm(node: Node) -> str | list[str]:
    """The mean and the reciprocal of the deviation, where they are asked for, are written out."""
    axes, eps = _norm_axes(node), number(node.get("epsilon", 1e-5))
    x, bias = node.tensor(), node.known(2)
    stored = {"weight": node.known(1)} | ({"bias": bias} if bias is not None else {"bias": 0 * node.known(1)})
    y = node.layer(x, f"layernorm(axes = {axes}, eps = {eps})", **stored)
    if len(node.outputs) == 1:
        return y
    mean = node.let(f"{x} -> mean(axes = {axes})")
    rest = node.let(f"{x} - {mean}")
    return [y, mean, node.let(f"1 / sqrt(({rest} * {rest} -> mean(axes = {axes})) + {eps})")][: len(node.outputs)]


def rms_norm(node: Node) -> str:
    axes = _norm_axes(node)
    return node.layer(node.tensor(), f"rmsnorm(axes = {axes}, eps = {number(node.get('epsilon', 1e-5))})", weight=node.known(1))


def lp_norm(node: Node) -> str:
    """Zeros stay zeros."""
    node.least_rank(2)
    axis, x = node.axis(node.get("axis", -1)), node.tensor()
    if node.get("p", 2) == 2:
        return node.let(f"{x} -> l2norm(axes = {axis})")
    return node.let(f"{x} / ({x} -> abs -> sum(axes = {axis}) -> maximum(number = 1e-12))")


def lrn(node: Node) -> str:
    node.unlifted()
    alpha, beta, k = node.get("alpha", 1e-4), node.get("beta", 0.75), node.get("bias", 1.0)
    op = f"lrn({node.get('size')}, alpha = {number(alpha)}, beta = {number(beta)}, k = {number(k)})"
    return node.let(f"{node.tensor()} -> {op}")


TABLE: Mapping[str, Translator] = {
    "ReduceL1": partial(reduction, "sum", "{x} -> abs", "", 18),
    "ReduceL2": partial(reduction, "sum", "{x} * {x}", "{y} -> sqrt", 18),
    "ReduceLogSum": partial(reduction, "sum", "", "{y} -> log", 18),
    "ReduceLogSumExp": partial(reduction, "sum", "{x} -> exp", "{y} -> log", 18),
    "ReduceMax": partial(reduction, "max", "", "", 18),
    "ReduceMean": partial(reduction, "mean", "", "", 18),
    "ReduceMin": partial(reduction, "min", "", "", 18),
    "ReduceSum": partial(reduction, "sum", "", "", 13),
    "ReduceSumSquare": partial(reduction, "sum", "{x} * {x}", "", 18),
    "Softmax": partial(softmax, "softmax"),
    "LogSoftmax": partial(softmax, "log_softmax"),
    "BatchNormalization": batch_norm,
    "GroupNormalization": partial(channel_norm, "groupnorm"),
    "InstanceNormalization": partial(channel_norm, "instancenorm"),
    "LRN": lrn,
    "LayerNormalization": layer_norm,
    "LpNormalization": lp_norm,
    "RMSNormalization": rms_norm,
}
