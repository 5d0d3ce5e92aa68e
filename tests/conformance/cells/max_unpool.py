"""Cells of `max_unpool`."""

import numpy as np

from convspec.ir.types import Array
from tests.conformance.cell import Bad, Cell, noise


def places(batch: int, channels: int, windows: tuple[int, ...], steps: tuple[int, ...], sizes: tuple[int, ...]) -> Array:
    """The flat position of some cell of each window, drawn at random among those inside `sizes`."""
    rng = np.random.default_rng(len(windows))
    found = np.zeros((batch, channels, *windows), np.int64)
    for place in np.ndindex(*found.shape):
        at = [rng.integers(max(0, i * s), min(n, (i + 1) * s)) for i, s, n in zip(place[2:], steps, sizes, strict=True)]
        found[place] = np.ravel_multi_index(at, sizes)
    return found


def scattered(*sizes: int):  # type: ignore[no-untyped-def]
    """The definition: a scatter over flat planes."""

    def formula(x, i, like=None):  # type: ignore[no-untyped-def]
        import torch

        flat = torch.zeros(*x.shape[:2], int(np.prod(sizes)), dtype=x.dtype)
        return flat.scatter(2, i.flatten(2), x.flatten(2)).reshape(*x.shape[:2], *sizes)

    return formula


P1, P2, P3 = places(2, 3, (4,), (2,), (8,)), places(1, 2, (2, 3), (2, 3), (4, 9)), places(1, 2, (2, 1, 2), (2, 2, 2), (4, 2, 4))

CELLS = (
    Cell("x -> max_unpool(i, 2)", x=noise(2, 3, 4), i=P1, oracle=scattered(8)),
    Cell("x -> max_unpool(i, 2, stride = 2, like = z)", x=noise(2, 3, 4), i=P1, z=noise(1, 1, 9), oracle=scattered(9)),
    Cell("x -> max_unpool(i, 2, pad = 1)", x=noise(2, 3, 4), i=P1 * 0 + [0, 2, 3, 5], oracle=scattered(6)),
    Cell("x -> max_unpool(i, 2, pad = [[0, 1]])", x=noise(2, 3, 4), i=P1 * 0 + [0, 3, 5, 6], oracle=scattered(7)),
    Cell("x -> max_unpool(i, 2x3)", x=noise(1, 2, 2, 3), i=P2, oracle=scattered(4, 9)),
    Cell(
        "x -> max_unpool(i, 1x2, stride = [2, 3], like = z)",
        x=noise(1, 2, 2, 3),
        i=P2 * 0 + [[0, 3, 7], [18, 22, 24]],
        z=noise(1, 4, 4, 9),
        oracle=scattered(4, 9),
    ),
    Cell(
        "x -> max_unpool(i, 2x2)",
        x=noise(2, 3, 2, 2),
        i=places(2, 3, (2, 2), (2, 2), (4, 4)),
        types={"x": "float32[N, 3, h, h]", "i": "int64[N, 3, h, h]"},
        oracle=scattered(4, 4),
    ),
    Cell(
        "x -> max_unpool(i, 2x2, like = z)",
        x=noise(2, 3, 2, 2),
        i=places(2, 3, (2, 2), (2, 2), (4, 4)),
        z=noise(2, 1, 4, 4),
        types={"x": "float32[N, 3, h, h]", "i": "int64[N, 3, h, h]", "z": "float32[N, 1, 2*h, 2*h]"},
        oracle=scattered(4, 4),
    ),
    Cell(
        "x -> max_unpool(i, 2x2, pad = [[0, 1], 1])",
        x=noise(1, 1, 2, 2),
        i=np.array([[[[0, 1], [4, 5]]]]),
        oracle=scattered(3, 2),
    ),
    Cell(
        "x -> max_unpool(i, 2x2, stride = 2, pad = 1)",
        x=noise(1, 1, 2, 2),
        i=np.array([[[[0, 1], [2, 3]]]]),
        oracle=scattered(2, 2),
    ),
    Cell("x -> max_unpool(i, 2x2x2)", x=noise(1, 2, 2, 1, 2), i=P3, oracle=scattered(4, 2, 4)),
    Cell(
        "x -> max_unpool(i, 2, stride = 2, like = z)",
        x=noise(1, 2, 2, 1, 2),
        i=P3,
        z=noise(1, 1, 4, 2, 4),
        oracle=scattered(4, 2, 4),
    ),
    Cell(
        "x -> max_unpool(i, 2, stride = 2, pad = 1)",
        x=noise(1, 1, 2, 2, 2),
        i=np.arange(8).reshape(1, 1, 2, 2, 2),
        oracle=scattered(2, 2, 2),
    ),
    Cell(
        "x -> max_unpool(i, 2, pad = [[1, 0], 1, 1])",
        x=noise(1, 1, 2, 2, 2),
        i=np.array([0, 1, 2, 3, 4, 9, 10, 11]).reshape(1, 1, 2, 2, 2),
        oracle=scattered(3, 2, 2),
    ),
)

X, PLACES = "float32[N, 3, 4, 4]", "int64[N, 3, 4, 4]"
BAD = (
    Bad("kernel", "x -> max_unpool(i, 0)", "CNN045", "at least 1, not 0", x=X, i=PLACES),
    Bad("stride", "x -> max_unpool(i, 3, stride = 2)", "CNN045", "kernel of 3 at stride 2", x=X, i=PLACES),
    Bad("pad", "x -> max_unpool(i, 2, pad = 2)", "CNN045", "below the kernel 2, not 2", x=X, i=PLACES),
    Bad("", "x -> max_unpool(i, 2)", "CNN037", "int64", x=X, i="int32[N, 3, 4, 4]"),
    Bad("", "x -> max_unpool(i, 2)", "CNN031", "shape", x=X, i="int64[N, 3, 4, 5]"),
    Bad("", "x -> max_unpool(i, 2, like = z)", "CNN031", "height 11 into 4", x=X, i=PLACES, z="float32[N, 1, 11, 8]"),
)
