"""How a parameter is filled before training: data only; `weights/init.py` draws the numbers."""

from __future__ import annotations

from typing import Literal

from convspec.records import dataclass

InitName = Literal[
    "zeros", "ones", "constant", "kaiming_uniform", "kaiming_normal", "xavier_uniform", "xavier_normal",
    "truncated_normal", "normal", "uniform",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Init:
    """`fan_in` and `fan_out` are counts of connections per output and input unit; 0 where the initialiser needs none.

    `value` is the constant, or the standard deviation of normal and truncated_normal, or the bound of uniform. `gain` scales
    Kaiming and Xavier draws (Kaiming: sqrt(2) for relu).
    """

    name: InitName
    fan_in: int = 0
    fan_out: int = 0
    value: float = 0.0
    gain: float = 1.0
    zero_row: int | None = None
    """The index along the first axis that is zeros whatever else is drawn (an embedding's padding)."""


ZEROS = Init("zeros")
ONES = Init("ones")
