"""Cells of `drop_path`. What it does in training is random: tests/ops/test_random_layers.py has that."""

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> drop_path", x=noise(2, 3, 5), oracle=lambda x: x),
    Cell("x -> drop_path(0.9)", x=noise(2, 3, 5), oracle=lambda x: x),
    Cell("x -> drop_path", x=noise(2, 3, 2, 4), types={"x": "float32[N, 3, H, W]"}, oracle=lambda x: x),
    Cell("x + (x -> relu -> drop_path(0.1))", x=noise(2, 3, 2, 4)),
    Cell("x -> drop_path", x=noise(2, 3, 2, 2, 2), oracle=lambda x: x),
    Cell("x -> drop_path(rate = 0.2)", x=noise(2, 3, 2, 2, 2), oracle=lambda x: x),
    Cell("x -> drop_path(0.2)", x=noise(2, 3), oracle=lambda x: x),
    *(Cell("x -> drop_path(0)", x=noise(2, 3, *size), training=True) for size in ((), (5,), (2, 4))),
)

BAD = (
    Bad("rate", "x -> drop_path(1)", "CNN045", "below 1", "not 1", x="float32[N, 3, 4]"),
    Bad("rate", "x -> drop_path(-0.1)", "CNN045", "at least 0", "-0.1", x="float32[N, 3, 4]"),
    Bad("", "x -> drop_path(0.1)", "CNN030", "not 1", x="float32[N]"),
)
