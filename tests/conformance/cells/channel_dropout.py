"""Cells of `channel_dropout`. What it does in training is random: tests/ops/test_random_layers.py has that."""

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> channel_dropout", x=noise(2, 3, 5), oracle=lambda x: x),
    Cell("x -> channel_dropout(0.9)", x=noise(2, 3, 5), oracle=lambda x: x),
    Cell("x -> channel_dropout", x=noise(2, 3, 2, 4), types={"x": "float32[N, 3, H, W]"}, oracle=lambda x: x),
    Cell("x -> channel_dropout(0.1) -> relu", x=noise(2, 3, 2, 4)),
    Cell("x -> channel_dropout", x=noise(2, 3, 2, 2, 2), oracle=lambda x: x),
    Cell("x -> channel_dropout(rate = 0.2)", x=noise(2, 3, 2, 2, 2), oracle=lambda x: x),
    *(Cell("x -> channel_dropout(0)", x=noise(2, 3, *size), training=True) for size in ((5,), (2, 4), (2, 2, 2))),
)

BAD = (
    Bad("rate", "x -> channel_dropout(1)", "CNN045", "below 1", "not 1", x="float32[N, 3, 4]"),
    Bad("rate", "x -> channel_dropout(-0.1)", "CNN045", "at least 0", "-0.1", x="float32[N, 3, 4]"),
    Bad("", "x -> channel_dropout(0.1)", "CNN030", "rank 2", "dropout(0.1)", x="float32[N, 3]"),
    Bad("", "x -> channel_dropout(0.1)", "CNN037", "int32", x="int32[N, 3, 4]"),
)
