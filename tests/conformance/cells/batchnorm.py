"""Cells of `batchnorm`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._norms import far

CELLS = (
    Cell("x -> batchnorm", x=noise(4, 3)),
    Cell("x -> batchnorm", x=noise(4, 3), training=True),
    Cell("x -> batchnorm", x=noise(2, 3, 5)),
    Cell("x -> batchnorm(eps = 1e-3, momentum = 0.03)", x=far(2, 3, 5), training=True),
    Cell("x -> batchnorm(eps = 0.1, momentum = 0.5)", x=noise(2, 3, 5), types={"x": "float32[N, 3, 5*l]"}),
    Cell("x -> batchnorm", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, 4*h, W]"}),
    Cell("x -> batchnorm", x=noise(2, 3, 2, 2), training=True),
    Cell("x -> batchnorm(eps = 1e-3, momentum = 0.25)", x=noise(2, 3, 4, 5), training=True),
    Cell("x -> batchnorm(momentum = 0)", x=noise(2, 3, 4, 5), training=True),
    Cell("x -> batchnorm(momentum = 1)", x=noise(2, 3, 4, 5), training=True),
    Cell("x -> batchnorm -> relu -> batchnorm", x=noise(4, 3, 2, 2), training=True),
    Cell("x -> batchnorm", x=noise(1, 3, 2, 3, 2)),
    Cell("x -> batchnorm(eps = 1e-3, momentum = 0.25)", x=noise(2, 3, 2, 3, 2), training=True),
    Cell("x -> batchnorm(scale = false)", x=noise(4, 3), training=True),
    Cell("x -> batchnorm(scale = false)", x=noise(2, 3, 5)),
    Cell("x -> batchnorm(eps = 1e-3, momentum = 0.25, scale = false)", x=noise(2, 3, 4, 5), training=True),
    Cell("x -> batchnorm(scale = false)", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, 4*h, W]"}),
    Cell("x -> batchnorm(scale = false)", x=noise(2, 3, 2, 3, 2), training=True),
    Cell("x -> flatten -> batchnorm(scale = false) -> linear(2)", x=noise(4, 3, 2, 2), training=True),
    Cell("x -> flatten -> batchnorm -> linear(2)", x=noise(4, 3, 2, 2), training=True),
)
BAD = (
    Bad("eps", "x -> batchnorm(eps = 0)", "CNN045", "`eps` must be above 0", x="float32[N, 4, 7, 7]"),
    Bad(
        "momentum", "x -> batchnorm(momentum = 1.1)", "CNN045", "`momentum` must be at most 1, not 1.1", x="float32[N, 4, 7, 7]"
    ),
    Bad(
        "momentum",
        "x -> batchnorm(momentum = -0.1)",
        "CNN045",
        "`momentum` must be at least 0, not -0.1",
        x="float32[N, 4, 7, 7]",
    ),
    Bad("scale", "x -> batchnorm(scale = 1)", "CNN040", "true or false", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> batchnorm", "CNN033", "must be known, but it is C", x="float32[N, C, 7, 7]"),
    Bad("", "x -> batchnorm", "CNN030", "rank 2 to 5, not 1", x="float32[N]"),
)
