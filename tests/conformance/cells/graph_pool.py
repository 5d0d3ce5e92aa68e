"""Cells of `graph_pool`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise, ties
from tests.conformance.cells._molecules import PRESENT, edges, heard

CELLS = (
    Cell(
        "x -> graph_pool(a)",
        x=ties(3, 4, 5),
        a=edges(3, 5, weighted=False),
        oracle=lambda x, a: heard(x, a, None, "max", True),
    ),
    Cell(
        "x -> graph_pool(a, mask = m)",
        x=-1 - abs(noise(3, 4, 5)),  # 0 in place of a missing node would win
        a=edges(3, 5),
        m=PRESENT,
        oracle=lambda x, a, m: heard(x, a, m, "max", True),
    ),
    Cell(
        "x -> graph_pool(a, mode = mean)", x=noise(3, 4, 5), a=edges(3, 5), oracle=lambda x, a: heard(x, a, None, "mean", True)
    ),
    Cell(
        "x -> graph_pool(a, mode = mean, mask = m)",
        x=noise(3, 4, 5),
        a=edges(3, 5) != 0,
        m=PRESENT,
        oracle=lambda x, a, m: heard(x, a, m, "mean", True),
    ),
    Cell(
        "x -> graph_pool(a) -> graph_pool(a, mode = mean, mask = m)",
        x=noise(3, 4, 5),
        a=edges(3, 5),
        m=PRESENT,
        types={"x": "float32[N, C, V]", "a": "float32[N, V, V]", "m": "bool[N, V]"},
    ),
)

BAD = (
    Bad("mode", "x -> graph_pool(a, mode = sum)", "CNN047", "max, mean", x=noise(1, 4, 3), a=np.ones((1, 3, 3))),
    Bad("", "x -> graph_pool(a)", "CNN031", "examples 2", x=noise(1, 4, 3), a=np.ones((2, 3, 3))),
)
