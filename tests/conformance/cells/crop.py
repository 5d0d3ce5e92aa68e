"""Cells of `crop`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def middle(*before: int):  # type: ignore[no-untyped-def]
    """The definition, with the cells before each axis counted by hand."""

    def formula(x, z):  # type: ignore[no-untyped-def]
        for axis, (start, size) in enumerate(zip(before, z.shape[2:], strict=True), 2):
            x = x.narrow(axis, start, size)
        return x

    return formula


CELLS = (
    Cell("x -> crop(1)", x=noise(2, 3, 5)),
    Cell("x -> crop([[0, 2]])", x=noise(2, 3, 5), types={"x": "float32[N, 3, l + 2]"}),
    Cell("x -> crop([[1, 0]])", x=noise(2, 3, 5)),
    Cell("x -> crop(0)", x=noise(2, 3, 5)),
    Cell("x -> crop(like = z)", x=noise(2, 3, 8), z=noise(1, 1, 5), oracle=middle(1)),
    Cell("x -> crop(1)", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, 2*h + 2, w + 3]"}),
    Cell("x -> crop([[1, 2], [0, 3]])", x=noise(2, 3, 4, 5)),
    Cell("x -> crop([1, 2])", x=noise(2, 3, 4, 5)),
    Cell("x -> crop(z)", x=noise(2, 3, 6, 9), z=noise(2, 1, 4, 4), oracle=middle(1, 2)),
    Cell(
        "x -> crop(like = z)",
        x=noise(2, 3, 6, 9),
        z=noise(2, 1, 4, 4),
        types={"x": "float32[N, 3, h + 2, w + 5]", "z": "float32[N, 1, h, w]"},
        oracle=middle(1, 2),
    ),
    Cell(
        "x -> crop(like = z)",
        x=noise(2, 3, 6, 9),
        z=noise(2, 1, 3, 6),
        types={"x": "float32[N, 3, 2*h, w + h]", "z": "float32[N, 1, h, w]"},
        oracle=middle(1, 1),
    ),
    Cell("x -> crop(1)", x=noise(1, 2, 3, 4, 5)),
    Cell("x -> crop([[1, 0], [0, 1], [2, 0]])", x=noise(1, 2, 3, 4, 5)),
    Cell("x -> crop(like = z)", x=noise(1, 2, 3, 4, 6), z=noise(1, 1, 2, 4, 1), oracle=middle(0, 0, 2)),
    Cell("x -> crop([[1, 0], [0, 1]])", x=np.arange(24).reshape(1, 2, 3, 4), gradients=False),
    Cell("x -> crop([[1, 0], [0, 1]])", x=np.arange(24).reshape(1, 2, 3, 4) % 3 == 0, gradients=False),
)

X = "float32[N, 3, 4, 5]"
BAD = (
    Bad("amount", "x -> crop(2)", "CNN035", "2 + 2 cells", "height of 4", x=X),
    Bad("amount", "x -> crop(-1)", "CNN045", "at least 0, not -1", x=X),
    Bad("amount", "x -> crop([1, 1, 1])", "CNN045", "3 entries", x=X),
    Bad("amount", "x -> crop(1)", "CNN034", "`h >= 3`", x="float32[N, 3, h, 5]"),
    Bad("amount", "x -> crop(z, 1)", "CNN042", "not both", x=X, z=X),
    Bad("amount", "x -> crop", "CNN041", "crop(like = other)", x=X),
    Bad("", "x -> crop(z)", "CNN031", "width of 5", "6", x=X, z="float32[N, 3, 4, 6]"),
    Bad("", "x -> crop(z)", "CNN034", "height 4", "h", x=X, z="float32[N, 3, h, 5]"),
    Bad("", "x -> crop(z)", "CNN030", "of 4 and 3", x=X, z="float32[N, 3, 4]"),
    Bad("", "x -> crop(1)", "CNN030", "rank 2", x="float32[N, 3]"),
)
