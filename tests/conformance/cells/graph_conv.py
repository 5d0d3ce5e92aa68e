"""Cells of `graph_conv`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise, ties
from tests.conformance.cells._molecules import PRESENT, convolved, edges

BOTH = edges(3, 5, directed=False)
GARBAGE = np.where(PRESENT[:, None], noise(3, 4, 5), 1e3)

CELLS = (
    Cell(
        "x -> graph_conv(a, 3)",
        x=noise(3, 4, 5),
        a=BOTH,
        oracle=lambda x, a, weight, bias: convolved(x, a, None, "gcn", True, weight, bias),
    ),
    Cell(
        "x -> graph_conv(a, 3, mask = m)",
        x=GARBAGE,
        a=edges(3, 5),
        m=PRESENT,
        oracle=lambda x, a, m, weight, bias: convolved(x, a, m, "gcn", True, weight, bias),
    ),
    Cell(
        "x -> graph_conv(a, 3, self_loops = false, root = true, bias = false)",
        x=noise(3, 4, 5),
        a=BOTH,
        oracle=lambda x, a, weight: convolved(x, a, None, "gcn", False, weight),
    ),
    Cell(
        "x -> graph_conv(a, 3, aggregate = sum)",
        x=noise(3, 4, 5),
        a=edges(3, 5),
        oracle=lambda x, a, weight, bias: convolved(x, a, None, "sum", False, weight, bias),
    ),
    Cell(
        "x -> graph_conv(a, 3, aggregate = mean, self_loops = true, root = false)",
        x=noise(3, 4, 5),
        a=edges(3, 5),
        oracle=lambda x, a, weight, bias: convolved(x, a, None, "mean", True, weight, bias),
    ),
    Cell(
        "x -> graph_conv(a, 3, aggregate = mean, mask = m)",
        x=GARBAGE,
        a=edges(3, 5),
        m=PRESENT,
        oracle=lambda x, a, m, weight, bias: convolved(x, a, m, "mean", False, weight, bias),
    ),
    # Equal messages of several neighbours, an isolated node, a graph without edges.
    Cell(
        "x -> graph_conv(a, 3, aggregate = max)",
        x=ties(3, 4, 5),
        a=edges(3, 5, weighted=False),
        oracle=lambda x, a, weight, bias: convolved(x, a, None, "max", False, weight, bias),
    ),
    Cell(
        "x -> graph_conv(a, 3, aggregate = max, self_loops = true, mask = m)",
        x=ties(3, 4, 5),
        a=edges(3, 5, weighted=False),
        m=PRESENT,
        oracle=lambda x, a, m, weight, bias: convolved(x, a, m, "max", True, weight, bias),
    ),
    # Rows whose weights add up to less than 0 count as having no edges.
    Cell(
        "x -> graph_conv(a, 3)",
        x=noise(2, 4, 5),
        a=noise(2, 5, 5),
        oracle=lambda x, a, weight, bias: convolved(x, a, None, "gcn", True, weight, bias),
    ),
    Cell("x -> graph_conv(a, 2)", x=noise(2, 4, 3), a=np.zeros((2, 3, 3))),
    Cell("x -> graph_conv(a, 2, mask = m)", x=noise(3, 4, 5), a=BOTH != 0, m=PRESENT),
    Cell("x -> graph_conv(a, 2, aggregate = sum, init = normal(0.5))", x=noise(3, 4, 5), a=(BOTH != 0).astype(np.int32)),
    Cell(
        "x -> graph_conv(a, 3, mask = m) -> relu -> graph_conv(a, 2, aggregate = max, mask = m)",
        x=noise(3, 4, 5),
        a=BOTH,
        m=PRESENT,
        types={"x": "float32[N, 4, V]", "a": "float32[N, V, V]", "m": "bool[N, V]"},
    ),
)

_X, _A = noise(1, 4, 3), np.ones((1, 3, 3))

BAD = (
    Bad("features", "x -> graph_conv(a, 0)", "CNN045", "at least 1", "0", x=_X, a=_A),
    Bad("aggregate", "x -> graph_conv(a, 2, aggregate = average)", "CNN047", "gcn, sum, mean, max", x=_X, a=_A),
    Bad("self_loops", "x -> graph_conv(a, 2, self_loops = 1)", "CNN040", "true or false", x=_X, a=_A),
    Bad("root", 'x -> graph_conv(a, 2, root = "yes")', "CNN040", "true or false", x=_X, a=_A),
    Bad("bias", "x -> graph_conv(a, 2, bias = 0.5)", "CNN040", "true or false", x=_X, a=_A),
    Bad("init", "x -> graph_conv(a, 2, init = glorot)", "CNN202", "xavier_uniform", x=_X, a=_A),
    Bad("", "x -> graph_conv(a, 2)", "CNN031", "nodes 3", "nodes 4", x=_X, a=np.ones((1, 4, 4))),
    Bad("", "x -> graph_conv(a, 2)", "CNN030", "rank 3", "rank 2", x=_X, a=np.ones((1, 3))),
    Bad("", "x -> graph_conv(a, 2)", "CNN030", "rank 3", "rank 4", x=noise(1, 4, 3, 3), a=_A),
    Bad("", "x -> graph_conv(a, 2, mask = m)", "CNN037", "bool", "float32", x=_X, a=_A, m=np.ones((1, 3))),
    Bad("", "x -> graph_conv(a, 2, mask = m)", "CNN031", "nodes 2", x=_X, a=_A, m=np.ones((1, 2), bool)),
)
