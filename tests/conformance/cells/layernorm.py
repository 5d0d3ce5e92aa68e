"""Cells of `layernorm`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._norms import far, normed

OPEN = {"x": "float32[N, C, 4*h, W]"}
CELLS = (
    Cell("x -> layernorm", x=noise(3, 5), oracle=normed(1)),
    Cell("x -> layernorm(affine = false)", x=noise(3, 5), types={"x": "float32[N, C]"}, oracle=normed(1)),
    Cell("x -> flatten -> layernorm -> linear(2)", x=noise(2, 3, 2, 2)),
    # The rounding of a mean far from 0 alone is 5e-6 here; a variance by E[x²] - E[x]² would be 4e-4 off.
    Cell("x -> layernorm", x=far(2, 3, 4), oracle=normed(1), gate=5e-5),
    Cell("x -> layernorm(axes = all, affine = false)", x=noise(2, 3, 4), oracle=normed(1, 2, eps=1e-5)),
    Cell("x -> layernorm(axes = length, eps = 0.1, affine = true)", x=noise(2, 3, 4), oracle=normed(2, eps=0.1)),
    Cell("x -> layernorm", x=far(2, 3, 4, 5), types={"x": "float32[N, 3, 4*h, W]"}, oracle=normed(1), gate=5e-5),
    Cell("x -> layernorm(axes = all)", x=far(2, 3, 4, 5), oracle=normed(1, 2, 3)),
    Cell("x -> layernorm(axes = all, affine = false)", x=noise(2, 3, 4, 5), types=OPEN, oracle=normed(1, 2, 3)),
    Cell("x -> layernorm(axes = [width, channels], eps = 0.1)", x=noise(2, 3, 4, 5), oracle=normed(1, 3, eps=0.1)),
    Cell("x -> layernorm(axes = [height, width], affine = true)", x=noise(2, 3, 4, 5), oracle=normed(2, 3)),
    Cell("x -> layernorm(axes = height, affine = false)", x=noise(2, 3, 4, 5), types=OPEN, oracle=normed(2)),
    Cell("x -> layernorm(affine = false)", x=noise(2, 3, 4, 5), oracle=normed(1)),
    Cell("x -> layernorm", x=noise(1, 3, 2, 3, 2), oracle=normed(1)),
    Cell("x -> layernorm(axes = all, eps = 0.1, affine = true)", x=noise(1, 3, 2, 3, 2), oracle=normed(1, 2, 3, 4, eps=0.1)),
    Cell("x -> layernorm(axes = [-1, 2], affine = false)", x=noise(1, 3, 2, 3, 2), oracle=normed(2, 4)),
    Cell("x -> layernorm", x=0 * noise(2, 3, 4), oracle=normed(1)),
)
BAD = (
    Bad("axes", "x -> layernorm(axes = depth)", "CNN045", "rank 4 has no depth", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> layernorm(axes = rows)", "CNN047", "channels, all", "rows", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> layernorm(axes = [1, channels])", "CNN045", "names channels twice", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> layernorm(axes = [0, 1])", "CNN045", "`axes` cannot be the batch", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> layernorm(axes = 4)", "CNN044", "no axis 4", "0 to 3", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> layernorm(axes = 2x3)", "CNN040", "`channels`, `all`", "2x3", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> layernorm(axes = [])", "CNN040", "`channels`, `all`", "a list of 0", x="float32[N, 4, 7, 7]"),
    Bad("eps", "x -> layernorm(eps = 0)", "CNN045", "`eps` must be above 0", x="float32[N, 4, 7, 7]"),
    Bad("affine", "x -> layernorm(affine = 1)", "CNN040", "`affine` takes true or false", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> layernorm(axes = all)", "CNN033", "height is H", "affine = false", x="float32[N, 4, H, 7]"),
    Bad("", "x -> layernorm", "CNN045", "one value only", x="float32[N, 1, 3]"),
    Bad("", "x -> layernorm(axes = [height, width])", "CNN045", "one value only", x="float32[N, 3, 1, 1]"),
    Bad("", "x -> layernorm", "CNN030", "rank 2 to 5, not 1", x="float32[N]"),
)
