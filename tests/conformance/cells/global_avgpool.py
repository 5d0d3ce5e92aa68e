"""Cells of `global_avgpool`."""

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> global_avgpool", x=noise(2, 3, 7), oracle=lambda x: x.sum(2, keepdim=True) / 7),
    Cell("x -> global_avgpool", x=noise(2, 3, 5, 4), oracle=lambda x: x.sum((2, 3), keepdim=True) / 20),
    Cell("x -> global_avgpool", x=noise(2, 3, 5, 4), types={"x": "float32[N, C, H, W]"}),
    Cell("x -> global_avgpool", x=noise(1, 1, 300, 300) + 1),
    Cell("x -> global_avgpool", x=noise(2, 3, 3, 4, 2), oracle=lambda x: x.sum((2, 3, 4), keepdim=True) / 24),
)

BAD = (Bad("", "x -> global_avgpool", "CNN030", "rank 2", x="float32[N, 3]"),)
