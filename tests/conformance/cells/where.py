"""Cells of `where`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("where(m, x, y)", m=whole(2, 5) > 0, x=noise(2, 5), y=noise(2, 5, seed=1)),
    Cell("m -> where(x, y)", m=whole(2, 3, 4) > 0, x=noise(2, 1, 4), y=noise(2, 3, 1)),
    Cell("where(m, x, y)", m=whole(2, 1, 4, 5) > 0, x=noise(2, 3, 4, 5), y=noise(2, 3, 1, 1)),
    Cell("where(m, x, y)", m=whole(1, 2, 3, 4, 2) > 0, x=noise(1, 2, 3, 4, 2), y=noise(1, 2, 1, 1, 1)),
    Cell("where(m, x, right = 0.1)", m=whole(2, 3, 4) > 0, x=noise(2, 3, 4)),
    Cell("where(m, left = 0.1, b = x)", m=whole(2, 3, 4) > 0, x=noise(2, 3, 4)),
    Cell("where(m, x, right = 0.1)", m=whole(2, 1, 4, 5) > 0, x=noise(2, 3, 4, 5)),
    Cell("where(m, left = 0, b = x)", m=whole(2, 3, 4, 5) > 0, x=noise(2, 3, 4, 5)),
    Cell("where(m, x, right = -1)", m=whole(1, 2, 3, 4, 2) > 0, x=noise(1, 2, 3, 4, 2)),
    Cell("where(m, left = -1, b = x)", m=whole(1, 2, 3, 4, 2) > 0, x=noise(1, 2, 3, 4, 2)),
    Cell("where(m, x, right = 7)", m=whole(2, 3) > 0, x=whole(2, 3), gradients=False),
    Cell("where(m, x, right = 7)", m=whole(2, 3) > 0, x=whole(2, 3, dtype="int32"), gradients=False),
    Cell("where(m, x, right = 7)", m=whole(2, 3) > 0, x=whole(2, 3, dtype="uint8", least=0), gradients=False),
    Cell("where(m, m, k)", m=whole(2, 3) > 0, k=whole(2, 1) > 0, gradients=False),
)

BAD = (
    Bad("left", "where(m, x, left = 0)", "CNN042", "both the tensor `a` and `left`", m="bool[N, 4]", x="float32[N, 4]"),
    Bad("left", "where(x > 0, left = 1, right = 0)", "CNN048", "both values are numbers", x="float32[N, 4]"),
    Bad("right", "where(m, x, right = 0.5)", "CNN037", "a whole number", "not 0.5", m="bool[N, 4]", x="int64[N, 4]"),
    Bad("", "where(x, x, x)", "CNN037", "is a tensor of bool, not of float32", x="float32[N, 4]"),
    Bad("", "where(x > 0, x)", "CNN041", "the tensor `b` or the number `right`", x="float32[N, 4]"),
    Bad("", "where(m, x, 0)", "CNN042", "too many positional", m="bool[N, 4]", x="float32[N, 4]"),
    Bad("", "where(m, x, y)", "CNN031", "differ in channels", m="bool[N, 4]", x="float32[N, 4]", y="float32[N, 5]"),
    Bad("", "where(m, x, right = 0)", "CNN031", "differ in channels", m="bool[N, 5]", x="float32[N, 4]"),
)
