"""Cells of `groupnorm`."""

from collections.abc import Callable
from typing import Any

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._norms import far, normed, over


def grouped(groups: int, eps: float = 1e-5) -> Callable[..., Any]:
    """Group by group, each with its own mean and variance."""

    def formula(x: Any, weight: Any = None, bias: Any = None) -> Any:
        import torch

        size = x.shape[1] // groups
        own = normed(*range(1, x.ndim), eps=eps)
        y = torch.cat([own(x[:, start : start + size]) for start in range(0, x.shape[1], size)], 1)
        return y if weight is None else y * over(weight, (1,), x.ndim) + over(bias, (1,), x.ndim)

    return formula


CELLS = (
    Cell("x -> groupnorm(2)", x=noise(3, 6), oracle=grouped(2)),
    Cell("x -> groupnorm(3, affine = false)", x=noise(3, 6), oracle=grouped(3)),
    Cell("x -> groupnorm(2)", x=far(2, 4, 5), oracle=grouped(2)),
    Cell("x -> groupnorm(4, eps = 0.1, affine = false)", x=noise(2, 4, 3), oracle=grouped(4, 0.1)),
    Cell("x -> groupnorm(1, affine = true)", x=noise(2, 4, 3), types={"x": "float32[N, 4, 3*l]"}, oracle=grouped(1)),
    Cell("x -> groupnorm(3)", x=far(2, 6, 4, 5), types={"x": "float32[N, 6, 4*h, W]"}, oracle=grouped(3)),
    Cell("x -> groupnorm(2, eps = 0.1, affine = true)", x=noise(2, 6, 4, 3), oracle=grouped(2, 0.1)),
    Cell("x -> groupnorm(6, affine = false)", x=noise(2, 6, 4, 3), types={"x": "float32[N, 6, H >= 2, W]"}, oracle=grouped(6)),
    Cell("x -> groupnorm(2)", x=noise(2, 4, 1, 1), oracle=grouped(2)),
    Cell("x -> groupnorm(2)", x=noise(1, 4, 2, 3, 2), types={"x": "float32[1, 4, 2, H, W]"}, oracle=grouped(2)),
    Cell("x -> groupnorm(4, eps = 0.1, affine = false)", x=noise(1, 4, 2, 3, 2), oracle=grouped(4, 0.1)),
    Cell("x -> groupnorm(1, affine = true)", x=noise(1, 4, 2, 3, 2), oracle=grouped(1)),
    Cell("x -> flatten -> groupnorm(2) -> linear(2)", x=noise(2, 4, 2, 2)),
)
BAD = (
    Bad("groups", "x -> groupnorm(3)", "CNN045", "4 channels", "3 groups", x="float32[N, 4, 7, 7]"),
    Bad("groups", "x -> groupnorm(0)", "CNN045", "at least 1, not 0", x="float32[N, 4, 7, 7]"),
    Bad("groups", "x -> groupnorm(4)", "CNN045", "one value only", x="float32[N, 4, 1, 1]"),
    Bad("", "x -> groupnorm(4)", "CNN034", "it has l", "H >= 2", x="float32[N, 4, l]"),
    Bad("eps", "x -> groupnorm(2, eps = -1)", "CNN045", "`eps` must be above 0", "-1", x="float32[N, 4, 7, 7]"),
    Bad(
        "affine", 'x -> groupnorm(2, affine = "yes")', "CNN040", "`affine` takes true or false", "yes", x="float32[N, 4, 7, 7]"
    ),
    Bad("", "x -> groupnorm(2)", "CNN033", "must be known, but it is C", x="float32[N, C, 7, 7]"),
)
