"""Cells of `instancenorm`."""

from collections.abc import Callable
from typing import Any

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._norms import far, normed, over


def by_channel(rank: int, eps: float = 1e-5) -> Callable[..., Any]:
    """Each channel of each example, over its positions."""

    def formula(x: Any, weight: Any = None, bias: Any = None) -> Any:
        y = normed(*range(2, rank), eps=eps)(x)
        return y if weight is None else y * over(weight, (1,), rank) + over(bias, (1,), rank)

    return formula


CELLS = (
    Cell("x -> instancenorm", x=far(2, 3, 5), types={"x": "float32[N, C, 5*l]"}, oracle=by_channel(3)),
    Cell("x -> instancenorm(eps = 0.1, affine = true)", x=noise(2, 3, 5), oracle=by_channel(3, 0.1)),
    Cell("x -> instancenorm(affine = false)", x=noise(2, 3, 4, 5), oracle=by_channel(4)),
    Cell("x -> instancenorm(affine = true)", x=far(2, 3, 4, 5), types={"x": "float32[N, 3, 4*h, W]"}, oracle=by_channel(4)),
    Cell("x -> instancenorm(eps = 0.1)", x=noise(2, 3, 4, 5), types={"x": "float32[N, C, 4*h, W]"}, oracle=by_channel(4, 0.1)),
    Cell("x -> instancenorm", x=noise(2, 3, 4, 5), training=True),
    Cell("x -> instancenorm(affine = true)", x=noise(2, 3, 4, 5), training=True),
    Cell("x -> instancenorm", x=noise(1, 3, 2, 3, 2), oracle=by_channel(5)),
    Cell("x -> instancenorm(eps = 0.1, affine = true)", x=noise(1, 3, 2, 3, 2), oracle=by_channel(5, 0.1)),
)
BAD = (
    Bad("eps", "x -> instancenorm(eps = 0)", "CNN045", "`eps` must be above 0", x="float32[N, 4, 7, 7]"),
    Bad("affine", "x -> instancenorm(affine = 2)", "CNN040", "`affine` takes true or false", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> instancenorm", "CNN030", "one value only", x="float32[N, 4, 1, 1]"),
    Bad("", "x -> instancenorm", "CNN034", "it has H*W", "H >= 2", x="float32[N, 4, H, W]"),
    Bad("", "x -> instancenorm(affine = true)", "CNN033", "must be known, but it is C", x="float32[N, C, 7, 7]"),
    Bad("", "x -> instancenorm", "CNN030", "2", x="float32[N, 4]"),
)
