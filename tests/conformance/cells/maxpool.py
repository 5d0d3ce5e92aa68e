"""Cells of `maxpool`."""

from tests.conformance.cell import Bad, Cell, noise, ties

TIES = -1 - abs(ties(1, 2, 7, 6))  # all negative, so that a zero of the padding would win

CELLS = (
    Cell("x -> maxpool(3)", x=ties(2, 3, 10)),
    Cell("x -> maxpool(3, stride = 2, pad = 1, ceil = true)", x=-1 - abs(ties(1, 2, 8))),
    Cell("x -> maxpool(3, stride = 2, pad = same, dilation = 2)", x=noise(2, 3, 9)),
    Cell("x -> maxpool(2, stride = 1, pad = [[0, 1]], dilation = 1)", x=ties(2, 2, 6)),
    Cell("x -> maxpool(3, stride = 2, pad = 1, dilation = 2, ceil = true, indices = true)", x=ties(1, 2, 9), outputs=2),
    Cell("x -> maxpool(3, stride = 1, pad = [[2, 0]], indices = true)", x=ties(1, 2, 7), outputs=2),
    Cell("x -> maxpool(2x2)", x=ties(2, 3, 6, 8)),
    Cell("x -> maxpool(3x3, stride = 3, pad = 1, dilation = 2, ceil = true)", x=TIES),
    Cell("x -> maxpool(4x3, stride = [3, 2], pad = same)", x=ties(2, 3, 8, 11)),
    Cell("x -> maxpool(3, stride = 2, pad = [[0, 1], [1, 0]])", x=-1 - abs(ties(1, 2, 6, 6))),
    Cell("x -> maxpool(2, stride = 2)", x=ties(1, 2, 4, 6), types={"x": "float32[N, 2, 2*h, 2*w]"}),
    Cell("x -> maxpool(2, indices = true)", x=ties(1, 2, 4, 6), types={"x": "float32[N, 2, 2*h, 2*w]"}, outputs=2),
    Cell("x -> maxpool(3, stride = 2, pad = 1, indices = true)", x=TIES, outputs=2),
    Cell("x -> maxpool(3x2, stride = [2, 1], pad = same, indices = true)", x=ties(2, 3, 5, 5), outputs=2),
    Cell(
        "x -> maxpool(3, stride = 1, pad = [[2, 0], [0, 1]], indices = true)",
        x=ties(2, 2, 5, 4),
        types={"x": "float32[N, 2, 2*h + 1, 2*w]"},
        outputs=2,
    ),
    Cell("x -> maxpool(2, stride = 1, dilation = 3, pad = 2, indices = true)", x=ties(1, 1, 6, 6), outputs=2),
    Cell("x -> relu -> maxpool(2x2x2, stride = 1)", x=-abs(ties(1, 1, 4, 4, 4))),
    Cell("x -> relu -> maxpool(2x2x2)", x=ties(1, 1, 4, 4, 4)),
    Cell("x -> maxpool(3, stride = [2, 1, 2], pad = 1, ceil = true)", x=-1 - abs(ties(1, 2, 4, 5, 6))),
    Cell("x -> maxpool(2, stride = 1, pad = same, dilation = 2)", x=ties(1, 2, 3, 4, 5)),
    Cell("x -> maxpool(2, stride = 2, pad = [[0, 1], [1, 0], 0])", x=ties(1, 2, 3, 5, 4)),
    Cell("x -> maxpool(2x2x2, indices = true)", x=ties(1, 2, 4, 4, 4), outputs=2),
    Cell(
        "x -> maxpool(2, stride = 1, pad = [[0, 1], 1, 0], dilation = [1, 2, 1], ceil = true, indices = true)",
        x=ties(1, 2, 3, 4, 3),
        outputs=2,
    ),
)

X = "float32[N, 3, 7, 7]"
BAD = (
    Bad("kernel", "x -> maxpool(9x9)", "CNN032", "9x9", "7x7", x=X),
    Bad("kernel", "x -> maxpool(2x2x2)", "CNN045", "3 numbers (2x2x2)", "2 spatial axes", x=X),
    Bad("stride", "x -> maxpool(2, stride = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("pad", "x -> maxpool(2, pad = 2)", "CNN045", "wholly in the padding", "2 + 1", x=X),
    Bad("dilation", "x -> maxpool(3, dilation = 4)", "CNN032", "9x9", "7x7", x=X),
    Bad("ceil", "x -> maxpool(2, ceil = 1)", "CNN040", "true or false", x=X),
    Bad("ceil", "x -> maxpool(3, stride = 2, ceil = true)", "CNN033", "height H + 2", x="float32[N, 3, H + 2, 8]"),
    Bad("indices", "x -> maxpool(2, indices = yes)", "CNN040", "true or false", x=X),
    Bad("", "x -> maxpool(2)", "CNN030", "rank 2", x="float32[N, 3]"),
)
