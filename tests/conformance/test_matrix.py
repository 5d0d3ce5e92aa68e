"""Every cell on every target: outputs in float32 and float64, all gradients, and statistics in training."""

from __future__ import annotations

import pytest

from tests.conformance.catalogue import every_cell
from tests.conformance.cell import Cell
from tests.conformance.check import TARGETS, check

MATRIX = [pytest.param(cell, target, id=f"{op}-{target}-{cell!r}") for op, cell in every_cell() for target in TARGETS]


@pytest.mark.parametrize(("cell", "target"), MATRIX)
def test_cell(cell: Cell, target: str) -> None:
    check(cell, target)
