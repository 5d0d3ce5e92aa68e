"""Medians and quantiles of samples, and the intervals that hold them, from one process or pooled over several.

The interval is a percentile bootstrap, seeded, so that the same samples give the same interval. Where there are several groups
(processes), groups are drawn first and samples inside them second: rounds of one process share its memory layout and its clock
speed, and are no independent evidence of what another process would show. With three processes such an interval is still
somewhat narrow; it is the honest one of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, and the interval that holds it with CONFIDENCE."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"

    @property
    def half_width(self) -> float:
        """Half the interval, as a share of the value."""
        return (self.high - self.low) / 2 / abs(self.value) if self.value else 0.0

    def contains(self, number: float) -> bool:
        return self.low <= number <= self.high

    def scaled(self, factor: float) -> Estimate:
        """The same estimate in another unit. `factor` is positive."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

    def per(self, amount: float) -> Estimate:
        """`amount` divided by the estimate: a throughput from a time. The ends of the interval change places."""
        return Estimate(amount / self.value, amount / self.high, amount / self.low)

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "low": self.low, "high": self.high}


def median(groups: Sequence[Sequence[float]], seed: int = 0) -> Estimate:
    """The median of all samples, which come in one group for each process. At least one sample."""
    filled = [np.asarray(group, np.float64) for group in groups if len(group)]
    value = float(np.median(np.concatenate(filled)))
    medians = np.median(_resampled(filled, np.random.default_rng(seed)), axis=1)
    tail = 50 * (1 - CONFIDENCE)
    low, high = (float(end) for end in np.percentile(medians, (tail, 100 - tail)))
    return Estimate(value, low, high)


def quantile(groups: Sequence[Sequence[float]], share: float) -> float | None:
    """The value that `share` of the samples do not exceed; None where there are too few to say.

    Of 50 samples none tells what happens once in a hundred: it takes 1 / (1 - share) of them for one to lie beyond.
    """
    samples = np.concatenate([np.asarray(group, np.float64) for group in groups])
    if samples.size * (1 - share) < 1 - 1e-9:
        return None
    return float(np.quantile(samples, share))


def _resampled(groups: Sequence[Any], generator: np.random.Generator) -> Any:
    """RESAMPLES rows of samples drawn with replacement: groups first where there are several, then samples inside them."""
    sizes = np.array([group.size for group in groups])
    widest = int(sizes.max())
    table = np.zeros((len(groups), widest))
    for row, group in zip(table, groups, strict=True):
        row[: group.size] = group
    columns = []
    for _ in groups:
        picked = generator.integers(0, len(groups), RESAMPLES)
        places = (generator.random((RESAMPLES, widest)) * sizes[picked, None]).astype(np.int64)
        columns.append(table[picked[:, None], places])
    return np.concatenate(columns, axis=1)


__all__ = ["CONFIDENCE", "RESAMPLES", "Estimate", "median", "quantile"]
