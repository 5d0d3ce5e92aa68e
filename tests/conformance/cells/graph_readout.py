"""Cells of `graph_readout`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise, ties
from tests.conformance.cells._molecules import PRESENT

_NEGATIVE = -1 - abs(ties(3, 4, 5))  # 0 in place of a missing node would win
_GARBAGE = np.where(PRESENT[:, None], noise(3, 4, 5), 1e3)

CELLS = (
    Cell("x -> graph_readout", x=noise(3, 4, 5)),
    Cell("x -> graph_readout(mode = mean)", x=noise(3, 4, 5)),
    Cell("x -> graph_readout(mode = max)", x=ties(3, 4, 5), oracle=lambda x: x.amax(2)),
    Cell("x -> graph_readout(mask = m)", x=_GARBAGE, m=PRESENT, oracle=lambda x, m: (x * m[:, None]).sum(2)),
    Cell(
        "x -> graph_readout(mask = m, mode = mean)",
        x=_GARBAGE,
        m=PRESENT,
        oracle=lambda x, m: (x * m[:, None]).sum(2) / m.sum(1).clamp(min=1)[:, None],
    ),
    Cell(
        "x -> graph_readout(mask = m, mode = max)",
        x=_NEGATIVE,
        m=PRESENT,
        oracle=lambda x, m: (x + ~m[:, None] * -100.0).amax(2) * m.any(1)[:, None],
    ),
    Cell(
        "x -> graph_readout(mask = m, mode = max) -> linear(3)",
        x=noise(3, 4, 5),
        m=PRESENT,
        types={"x": "float32[N, 4, V]", "m": "bool[N, V]"},
    ),
)

BAD = (
    Bad("mode", "x -> graph_readout(mode = min)", "CNN047", "sum, mean, max", x=noise(1, 4, 3)),
    Bad("", "x -> graph_readout", "CNN030", "rank 3", "rank 4", x=noise(1, 4, 3, 3)),
    Bad("", "x -> graph_readout(mask = m)", "CNN037", "bool", "float32", x=noise(1, 4, 3), m=np.ones((1, 3))),
)
