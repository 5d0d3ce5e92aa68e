"""A clock that only the subjects move, so that tests of timing take no time and never fail by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def subject(self, seconds: Iterator[float] | float) -> Callable[[], object]:
        """Something that takes so long, or each time as long as the next of an iterator."""

        def run() -> object:
            self.now += seconds if isinstance(seconds, int | float) else next(seconds)
            return self.now

        return run


def noisy(seconds: float, noise: float, seed: int, slow: float = 0.0) -> Iterator[float]:
    """Times around `seconds` with log-normal noise; a share `slow` of them takes twice as long, as on a shared machine."""
    generator = np.random.default_rng(seed)
    while True:
        factor = 2.0 if generator.random() < slow else 1.0
        yield float(seconds * factor * np.exp(noise * generator.standard_normal()))
