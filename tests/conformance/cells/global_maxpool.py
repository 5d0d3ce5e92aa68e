"""Cells of `global_maxpool`."""

from typing import Any

from tests.conformance.cell import Bad, Cell, noise, ties


def shared(x: Any) -> Any:
    """The mean of the cells that are the largest: equal cells share the gradient."""
    flat = x.flatten(2)
    largest = (flat == flat.max(2, keepdim=True).values).double()
    return ((flat * largest).sum(2) / largest.sum(2)).reshape(*x.shape[:2], *[1] * (x.ndim - 2))


CELLS = (
    Cell("x -> global_maxpool", x=ties(2, 3, 7), oracle=shared),
    Cell("x -> global_maxpool", x=ties(2, 3, 5, 4), oracle=shared),
    Cell("x -> global_maxpool", x=noise(2, 3, 5, 4), types={"x": "float32[N, C, H, W]"}, oracle=shared),
    Cell("x -> relu -> global_maxpool", x=-1 - abs(ties(2, 3, 5, 4))),
    Cell("x -> global_maxpool", x=ties(2, 3, 3, 4, 2), oracle=shared),
)

BAD = (Bad("", "x -> global_maxpool", "CNN030", "rank 2", x="float32[N, 3]"),)
