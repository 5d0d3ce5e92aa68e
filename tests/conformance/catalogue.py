"""The cells of all ops, found by file name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from tests.conformance.cell import Bad, Cell

FOLDER = Path(__file__).parent / "cells"


def op_names() -> list[str]:
    """The ops that have a file of cells."""
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def cells(op: str) -> tuple[Cell, ...]:
    found: tuple[Cell, ...] = import_module(f"tests.conformance.cells.{op}").CELLS
    return found


def bad(op: str) -> tuple[Bad, ...]:
    found: tuple[Bad, ...] = import_module(f"tests.conformance.cells.{op}").BAD
    return found


def every_cell() -> Iterator[tuple[str, Cell]]:
    """Every cell with the op that it belongs to."""
    for op in op_names():
        for cell in cells(op):
            yield op, cell


__all__ = ["bad", "cells", "every_cell", "op_names"]
