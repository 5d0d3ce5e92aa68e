"""Cells of `lrn`."""

from collections.abc import Callable
from typing import Any

from tests.conformance.cell import Bad, Cell, noise


def across(size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Callable[..., Any]:
    """Channel by channel, with the neighbours that are there."""

    def formula(x: Any) -> Any:
        import torch

        channels = []
        for c in range(x.shape[1]):
            low, high = max(c - size // 2, 0), min(c + (size - 1) // 2, x.shape[1] - 1)
            squares = (x[:, low : high + 1] ** 2).sum(1)
            channels.append(x[:, c] / (k + alpha / size * squares) ** beta)
        return torch.stack(channels, 1)

    return formula


OTHERS = dict(alpha=0.5, beta=0.6, k=2.0)
CELLS = (
    Cell("x -> lrn", x=4 * noise(2, 7, 5), oracle=across()),
    Cell("x -> lrn(4, alpha = 0.5, beta = 0.6, k = 2)", x=noise(2, 8, 5), oracle=across(4, **OTHERS)),
    Cell("x -> lrn", x=4 * noise(2, 7, 3, 4), oracle=across()),
    Cell("x -> lrn(4, alpha = 0.5, beta = 0.6, k = 2)", x=noise(2, 8, 3, 4), oracle=across(4, **OTHERS)),
    Cell("x -> lrn(4)", x=30 * noise(1, 8, 2, 2), types={"x": "float32[N, C, 2*h, W]"}, oracle=across(4)),
    Cell("x -> lrn(2, alpha = 1)", x=noise(2, 8, 3, 4), oracle=across(2, alpha=1)),
    Cell("x -> lrn(1, alpha = 1)", x=noise(2, 3, 3, 4), oracle=across(1, alpha=1)),
    Cell("x -> lrn(8, alpha = 1)", x=noise(2, 3, 3, 4), oracle=across(8, alpha=1)),
    Cell("x -> lrn", x=4 * noise(1, 7, 2, 3, 2), oracle=across()),
    Cell("x -> lrn(4, alpha = 0.5, beta = 0.6, k = 2)", x=noise(1, 8, 2, 3, 2), oracle=across(4, **OTHERS)),
)
BAD = (
    Bad("size", "x -> lrn(0)", "CNN045", "`size` must be at least 1", "0", x="float32[N, 4, 7, 7]"),
    Bad("alpha", 'x -> lrn(alpha = "large")', "CNN040", "`alpha` takes a number", "large", x="float32[N, 4, 7, 7]"),
    Bad("beta", "x -> lrn(beta = 3x3)", "CNN040", "`beta` takes a number", "3x3", x="float32[N, 4, 7, 7]"),
    Bad("k", "x -> lrn(k = 0)", "CNN045", "`k` must be above 0", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> lrn", "CNN030", "lrn", x="float32[N, 4]"),
)
