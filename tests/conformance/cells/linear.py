"""Cells of `linear`."""

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> linear(4)", x=noise(2, 5)),
    Cell("x -> linear(4, bias = false)", x=noise(2, 5)),
    Cell("x -> flatten -> linear(4)", x=noise(2, 3, 2, 5)),
    Cell("x -> flatten -> relu -> linear(4, bias = false)", x=noise(2, 3, 5)),
    Cell("x -> linear(4, axis = channels)", x=noise(2, 3, 5), types={"x": "float32[N, 3, h]"}),
    Cell("x -> linear(4, bias = false, axis = channels)", x=noise(2, 3, 5)),
    Cell("x -> linear(features = 2, axis = channels)", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, h, w]"}),
    Cell("x -> linear(4, bias = false, axis = channels)", x=noise(2, 3, 4, 5)),
    Cell("x -> linear(4, axis = channels)", x=noise(1, 2, 3, 4, 2)),
    Cell("x -> linear(4, bias = false, axis = channels)", x=noise(1, 2, 3, 4, 2)),
)

BAD = (
    Bad("features", "x -> linear(0)", "CNN045", "at least 1", "not 0", x="float32[N, 4]"),
    Bad("bias", "x -> linear(4, bias = 1)", "CNN040", "true or false", x="float32[N, 4]"),
    Bad("axis", "x -> linear(4, axis = width)", "CNN047", "channels", "width", x="float32[N, 4, 7, 7]"),
    Bad("init", "x -> linear(4, init = kaiming)", "CNN202", "kaiming_normal", x="float32[N, 4]"),
    Bad("", "x -> linear(4)", "CNN030", "rank 2, not 4", "flatten first", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> linear(4)", "CNN033", "must be known", x="float32[N, c]"),
)
