"""Cells of `cast`."""

from typing import Any

import numpy as np

from convspec.ir.types import Array
from tests.conformance.cell import Bad, Cell, noise

FRACTIONS = np.array([-2.7, -1.5, -1.0, -0.4, 0.0, 0.3, 0.999, 1.5, 2.5, 3.7, 100.25, 7.0])
WIDE = np.array([-257, -1, 0, 1, 255, 256, 260, 70000, 2**31 - 1, 2**24 + 1, 12, 3])
SIZES = ((2, 2, 3), (2, 1, 2, 3), (2, 1, 1, 2, 3))
"""On all of which the numbers above lie."""


def _shaped(array: Array, size: tuple[int, ...]) -> Array:
    return array.reshape(size)


def _lowest_byte(x: Any) -> Any:
    return (x * 200).trunc().remainder(256).byte()


CELLS = (
    # every type, on every number of axes
    *(
        cell
        for size in SIZES
        for cell in (
            Cell("x -> cast(int32) -> cast(int64) -> cast(float32)", x=_shaped(FRACTIONS, size), gradients=False),
            Cell("x * x -> cast(uint8) -> cast(bool) -> cast(float64)", x=_shaped(FRACTIONS, size), gradients=False),
            Cell("x -> cast(float64) -> cast(float16) -> cast(bfloat16) -> cast(float32)", x=noise(*size)),
        )
    ),
    # toward zero
    Cell("x -> cast(int32)", x=_shaped(FRACTIONS, (2, 6)), gradients=False),
    Cell("x -> cast(int64)", x=_shaped(FRACTIONS, (2, 6)), types={"x": "float32[N, L]"}, gradients=False),
    Cell("x -> cast(uint8)", x=np.abs(_shaped(FRACTIONS, (2, 6))), gradients=False),
    Cell("x * 200 -> cast(uint8)", x=noise(3, 5), gradients=False, oracle=_lowest_byte),
    # integers that do not fit keep their lowest bits
    Cell("x -> cast(uint8)", x=_shaped(WIDE, (2, 6)), gradients=False),
    Cell("x -> cast(uint8)", x=_shaped(WIDE, (2, 6)).astype(np.int32), gradients=False),
    Cell("x -> cast(int32)", x=_shaped(WIDE, (2, 6)) * 2**20 + 5, gradients=False),
    Cell("x -> cast(int32)", x=_shaped(WIDE, (2, 6)).astype(np.uint8), gradients=False),
    # to and from bool, from every kind
    Cell("x -> cast(bool)", x=_shaped(FRACTIONS, (2, 6)), gradients=False),
    Cell("x -> cast(bool)", x=_shaped(WIDE, (2, 6)), gradients=False),
    Cell("x -> cast(bool) -> cast(int32)", x=_shaped(WIDE, (2, 6)).astype(np.uint8), gradients=False),
    Cell("x -> cast(float32) -> linear(3)", x=_shaped(WIDE, (2, 6)) > 0),
    # integers to float32, which a network in float64 has in float64
    Cell("x -> cast(float32) -> linear(3)", x=_shaped(WIDE, (2, 6)) % 1000),
    Cell("x -> cast(float32)", x=_shaped(WIDE, (2, 6)).astype(np.uint8), gradients=False),
    # nothing to do
    Cell("x -> cast(float32) -> relu", x=noise(2, 3)),
    Cell("x -> cast(int32)", x=_shaped(WIDE, (2, 6)).astype(np.int32), gradients=False),
    Cell("x -> cast(bool)", x=_shaped(WIDE, (2, 6)) > 0, gradients=False),
)

BAD = (
    Bad("dtype", "x -> cast(float8)", "CNN047", "float8", "float16", x="float32[N, 3]"),
    Bad("dtype", "x -> cast", "CNN041", "dtype", x="float32[N, 3]"),
)
