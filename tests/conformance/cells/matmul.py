"""Cells of `matmul`."""

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> matmul(y)", x=noise(2, 3), y=noise(3, 4), types={"x": "float32[N, 3]", "y": "float32[3, 4]"}),
    Cell(
        "x -> matmul(y, transpose_b = true)", x=noise(2, 3), y=noise(4, 3), types={"x": "float32[N, 3]", "y": "float32[4, 3]"}
    ),
    Cell("x -> matmul(y)", x=noise(2, 3, 4), y=noise(2, 4, 5)),
    Cell(
        "x -> matmul(y, transpose_a = true)",
        x=noise(2, 4, 3),
        y=noise(2, 4, 5),
        types={"x": "float32[N, c, h]", "y": "float32[N, c, w]"},
    ),
    Cell("x -> matmul(y, transpose_b = true)", x=noise(2, 3, 4), y=noise(2, 5, 4)),
    Cell("x -> matmul(y, transpose_a = true, transpose_b = true)", x=noise(2, 4, 3), y=noise(2, 5, 4)),
    Cell("x -> matmul(y)", x=noise(2, 3, 4), y=noise(1, 4, 5), types={"y": "float32[1, 4, 5]"}),
    Cell("x -> matmul(y)", x=noise(2, 2, 3, 4), y=noise(2, 2, 4, 5)),
    Cell("x -> matmul(y, transpose_a = true)", x=noise(2, 2, 4, 3), y=noise(2, 1, 4, 5)),
    Cell("x -> matmul(y, transpose_b = true)", x=noise(2, 2, 3, 4), y=noise(2, 2, 5, 4)),
    Cell("x -> matmul(y)", x=noise(1, 2, 2, 3, 4), y=noise(1, 2, 2, 4, 5)),
    Cell("x -> matmul(y, transpose_a = true, transpose_b = true)", x=noise(1, 2, 2, 4, 3), y=noise(1, 2, 2, 5, 4)),
)

BAD = (
    Bad(
        "transpose_a", "x -> matmul(y, transpose_a = 1)", "CNN040", "true or false", x="float32[N, 4, 7]", y="float32[N, 7, 4]"
    ),
    Bad(
        "transpose_b",
        "x -> matmul(y, transpose_b = true)",
        "CNN031",
        "length 7",
        "length 4",
        x="float32[N, 4, 7]",
        y="float32[N, 7, 4]",
    ),
    Bad("", "x -> matmul(y)", "CNN031", "length 7", "channels 8", x="float32[N, 4, 7]", y="float32[N, 8, 4]"),
    Bad("", "x -> matmul(y)", "CNN031", "differ in channels", x="float32[N, 4, 7, 7]", y="float32[N, 5, 7, 7]"),
    Bad("", "x -> matmul(y)", "CNN030", "not of 3 and 2", x="float32[N, 4, 7]", y="float32[7, 4]"),
)
