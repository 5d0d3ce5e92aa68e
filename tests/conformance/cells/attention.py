"""Cells of `attention`."""

from typing import Any

import numpy as np

from convspec.ir.types import Array
from tests.conformance.cell import Bad, Cell, noise


def bools(*shape: int, seed: int = 0) -> Array:
    """Half of them true; row 0 of the first example may attend to nothing, row 1 to the last alone."""
    found = np.random.default_rng([seed, *shape]).random(shape) < 0.5
    found[..., 0] = True
    if len(shape) == 3:
        found[0, :2] = False
        found[0, 1, -1] = True
    return found


NOTHING = bools(3, 4)
NOTHING[0] = False  # an example without any key


def formula(heads: int, *, context: bool = False, mask: bool = False, causal: bool = False, scale: float | None = None) -> Any:
    """By sums over all pairs of positions; weights that are not allowed are left out of the sums."""

    def attend(*tensors: Any, **p: Any) -> Any:
        import torch

        x = tensors[0].flatten(2)
        other = tensors[1].flatten(2) if context else x

        def project(name: str, source: Any) -> Any:
            y = torch.einsum("oc,ncl->nol", p[f"{name}_weight"], source)
            bias = p.get(f"{name}_bias")
            return (y if bias is None else y + bias.reshape(1, -1, 1)).unflatten(1, (heads, -1))

        query, key, value = project("query", x), project("key", other), project("value", other)
        scores = torch.einsum("nhdi,nhdj->nhij", query, key) * (query.shape[2] ** -0.5 if scale is None else scale)
        allowed = torch.ones(scores.shape[2:], dtype=torch.bool)[None, None]
        if causal:
            allowed = allowed.tril()
        if mask:
            given = tensors[-1]
            allowed = allowed & (given[:, None, None, :] if given.dim() == 2 else given[:, None])
        weights = torch.exp(scores) * allowed
        weights = weights / weights.sum(-1, keepdim=True).clamp(min=1e-300)
        mixed = torch.einsum("nhij,nhdj->nhdi", weights, value).flatten(1, 2)
        y = torch.einsum("oc,ncl->nol", p["out_weight"], mixed)
        y = y if "out_bias" not in p else y + p["out_bias"].reshape(1, -1, 1)
        return y.unflatten(2, tensors[0].shape[2:])

    return attend


_ALL = "heads = 2, features = 6, filters = 5, bias = false, scale = 0.7"

CELLS = (
    # self-attention
    Cell("x -> attention", x=noise(2, 4, 6), oracle=formula(1)),
    Cell("x -> attention(bias = true)", x=noise(2, 4, 2, 3), oracle=formula(1)),
    Cell("x -> attention", x=noise(2, 4, 2, 1, 2), oracle=formula(1)),
    Cell("x -> attention(2, bias = false)", x=noise(2, 4, 6), types={"x": "float32[N, 4, L]"}, oracle=formula(2)),
    Cell("x -> attention(4)", x=noise(2, 4, 2, 3), types={"x": "float32[N, 4, H, W]"}, oracle=formula(4)),
    Cell(f"x -> attention({_ALL}, causal = true)", x=noise(2, 4, 6), oracle=formula(2, causal=True, scale=0.7)),
    Cell(
        f"x -> attention({_ALL}, causal = true)",
        x=noise(2, 4, 2, 3),
        types={"x": "float32[N, 4, H, W]"},
        oracle=formula(2, causal=True, scale=0.7),
    ),
    Cell(
        f"x -> attention({_ALL}, causal = true)",
        x=noise(2, 4, 2, 1, 2),
        types={"x": "float32[N, 4, D, 1, W]"},
        oracle=formula(2, causal=True, scale=0.7),
    ),
    Cell("x -> attention(2)", x=noise(1, 4, 1), gradients=False),  # one position: a score's gradient is 0 but for rounding
    # with a context
    Cell("x -> attention(c, heads = 2)", x=noise(2, 4, 6), c=noise(2, 3, 5), oracle=formula(2, context=True)),
    Cell(
        "x -> attention(context = c, heads = 2, causal = false)",
        x=noise(2, 4, 2, 3),
        c=noise(2, 4, 5),
        types={"x": "float32[N, 4, H, W]", "c": "float32[N, 4, M]"},
        oracle=formula(2, context=True),
    ),
    Cell("attention(x, c, 2)", x=noise(2, 4, 5), c=noise(2, 3, 2, 2), oracle=formula(2, context=True)),
    Cell(f"x -> attention(c, {_ALL})", x=noise(2, 4, 2, 1, 2), c=noise(2, 3, 3), oracle=formula(2, context=True, scale=0.7)),
    # with a mask: some queries may attend to nothing
    Cell("x -> attention(2, mask = m)", x=noise(3, 4, 4), m=NOTHING, oracle=formula(2, mask=True)),
    Cell("x -> attention(2, mask = m)", x=noise(2, 4, 6), m=bools(2, 6, 6), oracle=formula(2, mask=True)),
    Cell(
        "x -> attention(2, mask = m, causal = true)",
        x=noise(2, 4, 2, 3),
        m=bools(1, 6, 6),
        oracle=formula(2, mask=True, causal=True),
    ),
    Cell(
        "x -> attention(2, mask = m)",
        x=noise(2, 4, 6),
        m=bools(2, 6, 6),
        types={"x": "float32[N, 4, L]", "m": "bool[N, L, L]"},
        oracle=formula(2, mask=True),
    ),
    Cell(
        "x -> attention(c, heads = 2, mask = m)",
        x=noise(3, 4, 2, 3),
        c=noise(3, 3, 4),
        m=NOTHING,
        oracle=formula(2, context=True, mask=True),
    ),
    Cell(
        "x -> attention(c, heads = 2, mask = m)",
        x=noise(2, 4, 6),
        c=noise(2, 3, 2, 2),
        m=bools(2, 6, 4),
        types={"x": "float32[N, 4, L]", "c": "float32[N, 3, 2, M]", "m": "bool[N, L, 2*M]"},
        oracle=formula(2, context=True, mask=True),
    ),
    Cell("x -> attention(2, mask = m)", x=noise(2, 4, 6), m=np.zeros((1, 6), bool), gradients=False),  # all gradients are 0
    # as it is used
    Cell("x + (x -> attention(2) -> relu -> linear(4, axis = channels))", x=noise(2, 4, 6)),
)

BAD = (
    Bad("heads", "x -> attention(3)", "CNN036", "4 features", "3 heads", x="float32[N, 4, 6]"),
    Bad("heads", "x -> attention(0)", "CNN045", "0", x="float32[N, 4, 6]"),
    Bad("features", "x -> attention(4, features = 6)", "CNN036", "6 features", "4 heads", x="float32[N, 4, 6]"),
    Bad("features", "x -> attention(features = -6)", "CNN045", "-6", x="float32[N, 4, 6]"),
    Bad("filters", "x -> attention(filters = 0)", "CNN045", "0", x="float32[N, 4, 6]"),
    Bad("bias", "x -> attention(bias = 1)", "CNN040", "true or false", x="float32[N, 4, 6]"),
    Bad("causal", "x -> attention(c, causal = true)", "CNN045", "self-attention", x="float32[N, 4, 6]", c="float32[N, 4, 6]"),
    Bad("scale", "x -> attention(scale = 0)", "CNN045", "0", x="float32[N, 4, 6]"),
    Bad("init", "x -> attention(init = zeroes)", "CNN202", "zeroes", x="float32[N, 4, 6]"),
    Bad("", "x -> attention", "CNN030", "rank 2", x="float32[N, 4]"),
    Bad("", "x -> attention", "CNN033", "C", x="float32[N, C, 6]"),
    Bad("", "x -> attention", "CNN037", "int32", x="int32[N, 4, 6]"),
    Bad("", "x -> attention(c)", "CNN030", "context", "rank 2", x="float32[N, 4, 6]", c="float32[N, 4]"),
    Bad("", "x -> attention(c)", "CNN037", "dtype", x="float32[N, 4, 6]", c="float64[N, 4, 6]"),
    Bad("", "x -> attention(c)", "CNN031", "M", x="float32[N, 4, 6]", c="float32[M, 4, 6]"),
    Bad("", "x -> attention(mask = m)", "CNN037", "bools", x="float32[N, 4, 6]", m="float32[N, 6]"),
    Bad("", "x -> attention(mask = m)", "CNN031", "[N, 6]", x="float32[N, 4, 6]", m="bool[N, 5]"),
    Bad("", "x -> attention(mask = m)", "CNN031", "[N, 6, 6]", x="float32[N, 4, 2, 3]", m="bool[N, 6, 1]"),
    Bad("", "x -> attention(mask = m)", "CNN030", "rank 4", x="float32[N, 4, 6]", m="bool[N, 1, 6, 6]"),
)
