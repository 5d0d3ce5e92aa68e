"""Cells of `rmsnorm`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._norms import far, normed

OPEN = {"x": "float32[N, C, 4*h, W]"}
CELLS = (
    Cell("x -> rmsnorm", x=noise(3, 5), oracle=normed(1, centred=False)),
    Cell("x -> rmsnorm(affine = false)", x=noise(3, 5), types={"x": "float32[N, C]"}, oracle=normed(1, centred=False)),
    Cell("x -> flatten -> rmsnorm -> linear(2)", x=noise(2, 3, 2, 2)),
    Cell("x -> rmsnorm", x=far(2, 3, 4), oracle=normed(1, centred=False)),
    Cell("x -> rmsnorm(axes = all, affine = false)", x=noise(2, 3, 4), oracle=normed(1, 2, eps=1e-5, centred=False)),
    Cell("x -> rmsnorm(axes = length, eps = 0.1, affine = true)", x=noise(2, 3, 4), oracle=normed(2, eps=0.1, centred=False)),
    Cell("x -> rmsnorm", x=far(2, 3, 4, 5), types={"x": "float32[N, 3, 4*h, W]"}, oracle=normed(1, centred=False)),
    Cell("x -> rmsnorm(axes = all)", x=far(2, 3, 4, 5), oracle=normed(1, 2, 3, centred=False)),
    Cell("x -> rmsnorm(axes = all, affine = false)", x=noise(2, 3, 4, 5), types=OPEN, oracle=normed(1, 2, 3, centred=False)),
    Cell("x -> rmsnorm(axes = [width, channels], eps = 0.1)", x=noise(2, 3, 4, 5), oracle=normed(1, 3, eps=0.1, centred=False)),
    Cell("x -> rmsnorm(axes = [height, width], affine = true)", x=noise(2, 3, 4, 5), oracle=normed(2, 3, centred=False)),
    Cell("x -> rmsnorm(axes = height, affine = false)", x=noise(2, 3, 4, 5), types=OPEN, oracle=normed(2, centred=False)),
    Cell("x -> rmsnorm(affine = false)", x=noise(2, 3, 4, 5), oracle=normed(1, centred=False)),
    Cell("x -> rmsnorm", x=noise(1, 3, 2, 3, 2), oracle=normed(1, centred=False)),
    Cell(
        "x -> rmsnorm(axes = all, eps = 0.1, affine = true)",
        x=noise(1, 3, 2, 3, 2),
        oracle=normed(1, 2, 3, 4, eps=0.1, centred=False),
    ),
    Cell("x -> rmsnorm(axes = [-1, 2], affine = false)", x=noise(1, 3, 2, 3, 2), oracle=normed(2, 4, centred=False)),
    Cell("x -> rmsnorm", x=0 * noise(2, 3, 4), oracle=normed(1, centred=False)),
)
BAD = (
    Bad("axes", "x -> rmsnorm(axes = depth)", "CNN045", "rank 4 has no depth", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> rmsnorm(axes = rows)", "CNN047", "channels, all", "rows", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> rmsnorm(axes = [1, channels])", "CNN045", "names channels twice", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> rmsnorm(axes = [0, 1])", "CNN045", "`axes` cannot be the batch", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> rmsnorm(axes = 4)", "CNN044", "no axis 4", "0 to 3", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> rmsnorm(axes = 2x3)", "CNN040", "`channels`, `all`", "2x3", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> rmsnorm(axes = [])", "CNN040", "`channels`, `all`", "a list of 0", x="float32[N, 4, 7, 7]"),
    Bad("eps", "x -> rmsnorm(eps = 0)", "CNN045", "`eps` must be above 0", x="float32[N, 4, 7, 7]"),
    Bad("affine", "x -> rmsnorm(affine = 1)", "CNN040", "`affine` takes true or false", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> rmsnorm(axes = all)", "CNN033", "height is H", "affine = false", x="float32[N, 4, H, 7]"),
    Bad("", "x -> rmsnorm", "CNN030", "rank 2 to 5, not 1", x="float32[N]"),
)
