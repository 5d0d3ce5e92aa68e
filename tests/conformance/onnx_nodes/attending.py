"""`Attention`: by the layer of that name where it fits, with projections that change nothing; else written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from convspec.ir.types import Array
from tests.conformance.onnx_nodes.sheet import Node, Translator, number

_PRECISIONS = {1: "float32", 10: "float16", 11: "float64", 16: "bfloat16"}


@dataclass
class Heads:
    """Queries, keys and values as (N, heads, length, size)."""

    q: str
    k: str
    v: str
    heads: int
    groups: int
    """Heads of the keys and values, each of which serves several queries."""
    queries: int
    keys: int
    sizes: tuple[int, int]
    """Of a key and of a value."""


def attention(node: Node) -> list[str]:
    node.unlifted()
    h, present = _heads(node)
    bias = _bias(node, h)
    allowed = ~np.isneginf(bias)
    scale = node.get("scale", 1 / np.sqrt(h.sizes[0]))
    if len(node.outputs) == 1 and _fits_layer(node, h, bias, allowed):
        return [_by_layer(node, h, scale, allowed)]
    y, scores = _written_out(node, h, scale, bias, allowed)
    asked = [y, *present, scores]
    return [asked[place] for place, name in enumerate(node.proto.output) if name]


# ── what goes in ─────────────────────────────────────────────────────────────────────────────────────────────


def _heads(node: Node) -> tuple[Heads, list[str]]:
    """With the past before the keys and values; these two are outputs too."""
    heads, groups = node.get("q_num_heads"), node.get("kv_num_heads")
    flat = node.rank() == 3
    if not flat:
        heads, groups = node.shape(0)[1], node.shape(1)[1]
    q, k, v = (
        _split(node, index, count) if flat else node.tensor(index) for index, count in enumerate((heads, groups, groups))
    )
    if node.has(4):
        k, v = (node.let(f"concat({node.tensor(past)}, {now}, axis = 2)") for past, now in ((4, k), (5, v)))
    keys = node.shape(1)[-2] + (node.shape(4)[-2] if node.has(4) else 0)
    sizes = tuple(node.shape(index)[-1] // (groups if flat else 1) for index in (1, 2))
    return Heads(q, k, v, heads, groups, node.shape(0)[-2], keys, (sizes[0], sizes[1])), [k, v]


def _split(node: Node, index: int, heads: int) -> str:
    """(N, length, heads · size) as (N, heads, length, size)."""
    _, length, width = node.shape(index)
    return node.let(f"{node.tensor(index)} -> reshape([{length}, {heads}, {width // heads}]) -> permute([0, 2, 1, 3])")


def _bias(node: Node, h: Heads) -> Array:
    """What is added to the scores: minus infinity where a query does not attend. (N or 1, heads or 1, queries, keys)"""
    mask = node.known(3)
    bias = np.zeros((1, 1, h.queries, h.keys))
    if mask is not None:
        given = np.where(mask, 0.0, -np.inf) if mask.dtype == bool else mask.astype(np.float64)
        more = [(0, 0)] * (given.ndim - 1) + [(0, h.keys - given.shape[-1])]
        bias = bias + np.pad(given, more, constant_values=-np.inf)
    lengths = node.known(6)
    offset = np.zeros((1, 1, 1, 1), int)
    if node.has(4):
        offset = offset + node.shape(4)[-2]
    elif lengths is not None:
        offset = (lengths - h.queries).reshape(-1, 1, 1, 1)
    key, query = np.arange(h.keys), np.arange(h.queries)[:, None] + offset
    left, right = node.get("left_window_size", -1), node.get("right_window_size", -1)
    hidden = np.zeros((1, 1, h.queries, h.keys), bool)
    if node.get("is_causal", 0):
        hidden = hidden | (key > query)
    if left >= 0:
        hidden = hidden | (key < query - left)
    if right >= 0:
        hidden = hidden | (key > query + right)
    if lengths is not None:
        hidden = hidden | (key >= lengths.reshape(-1, 1, 1, 1))
    return np.where(hidden, -np.inf, bias)


# ── by our layer ─────────────────────────────────────────────────────────────────────────────────────────────


def _fits_layer(node: Node, h: Heads, bias: Array, allowed: Array) -> bool:
    """As many heads of keys as of queries, values as long as keys, and a mask of true and false that all heads share."""
    plain = not np.any(bias[allowed]) and allowed.shape[1] == 1 and node.dtype() == "float32"
    return plain and h.heads == h.groups and h.sizes[0] == h.sizes[1] and not node.get("softcap", 0.0)


def _by_layer(node: Node, h: Heads, scale: Any, allowed: Array) -> str:
    width = h.heads * h.sizes[0]
    q, k, v = (
        node.let(f"{x} -> permute([0, 1, 3, 2]) -> reshape([{width}, {length}])")
        for x, length in ((h.q, h.queries), (h.k, h.keys), (h.v, h.keys))
    )
    context = node.let(f"concat({k}, {v}, axis = channels)")
    one, none = np.eye(width), np.zeros((width, width))
    mask = "" if allowed.all() else f", mask = {node.input(allowed[:, 0])}"
    weights = {
        **{"query.weight": one, "out.weight": one},
        **{"key.weight": np.hstack([one, none]), "value.weight": np.hstack([none, one])},
    }
    op = f"attention({context}, heads = {h.heads}, scale = {number(float(scale))}, bias = false{mask})"
    y = node.layer(q, op, **weights)
    if node.rank() == 3:
        return node.let(f"{y} -> permute([0, 2, 1])")
    return node.let(f"{y} -> reshape([{h.heads}, {h.sizes[0]}, {h.queries}]) -> permute([0, 1, 3, 2])")


# ── written out ──────────────────────────────────────────────────────────────────────────────────────────────


def _written_out(node: Node, h: Heads, scale: Any, bias: Array, allowed: Array) -> tuple[str, str]:
    """The output and what is asked for of the scores. A query that may attend to nothing gives zeros."""
    dtype, cap, mode = node.dtype(), node.get("softcap", 0.0), node.get("qk_matmul_output_mode", 0)
    k, v = (_repeated(node, h, x, length) for x, length in ((h.k, h.sizes[0]), (h.v, h.sizes[1])))
    root = number(float(np.sqrt(scale)))
    scores = node.let(f"{root} * {h.q} -> matmul({root} * {k}, transpose_b = true)")
    if cap:
        scores = node.let(f"{number(cap)} * (scores -> tanh)".replace("scores", f"({scores} / {number(cap)})"))
    asked = scores
    if mode == 2:
        asked = node.let(f"{scores} + {node.input(bias.astype(dtype))}")
    finite = np.where(allowed, bias, 0.0)
    if finite.any():
        scores = node.let(f"{scores} + {node.input(finite.astype(dtype))}")
    wide = _PRECISIONS[node.get("softmax_precision", 1)]
    cast = dtype != wide and "softmax_precision" in node.attributes
    scores = node.let(f"{scores} -> cast({wide})") if cast else scores
    least = -30000 if dtype in ("float16", "bfloat16") and not cast else -1e30
    mask = "" if allowed.all() else node.input(allowed)
    scores = node.let(f"where({mask}, {scores}, right = {number(least)})") if mask else scores
    shares = node.let(f"{scores} -> softmax(axis = 3)")
    shares = node.let(f"where({mask}, {shares}, right = 0)") if mask else shares
    shares = node.let(f"{shares} -> cast({dtype})") if cast else shares
    y = node.let(f"{shares} -> matmul({v})")
    if node.rank() == 3:
        y = node.let(f"{y} -> permute([0, 2, 1, 3]) -> reshape([{h.queries}, {h.heads * h.sizes[1]}])")
    return y, shares if mode == 3 else asked


def _repeated(node: Node, h: Heads, x: str, size: int) -> str:
    """Every head of the keys or values as often in a row as there are queries' heads for it."""
    times = h.heads // h.groups
    if times == 1:
        return x
    flat = h.keys * size
    tiled = f"{x} -> reshape([{h.groups}, 1, {flat}]) -> tile([1, {times}, 1])"
    return node.let(f"{tiled} -> reshape([{h.heads}, {h.keys}, {size}])")


TABLE: Mapping[str, Translator] = {"Attention": attention}
