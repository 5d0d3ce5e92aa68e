"""Medians, quantiles and their intervals: on samples whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from convspec.bench.statistics import Estimate, median, quantile


def test_the_median_of_known_samples() -> None:
    found = median([[3.0, 1.0, 2.0, 100.0, 0.5]])
    assert found.value == 2.0
    assert 0.5 <= found.low <= 2.0 <= found.high <= 100.0


def test_equal_samples_have_no_interval() -> None:
    assert median([[4.0] * 7, [4.0] * 3]) == Estimate(4.0, 4.0, 4.0)


def test_one_sample_says_nothing_of_its_spread_and_does_not_fail() -> None:
    assert median([[4.0]]) == Estimate(4.0, 4.0, 4.0)


def test_the_interval_is_the_same_for_the_same_samples() -> None:
    samples = list(np.random.default_rng(1).standard_normal(40))
    assert median([samples]) == median([samples])
    assert median([samples], seed=1) != median([samples], seed=2)


@pytest.mark.parametrize("draw", ["standard_normal", "standard_exponential", "standard_cauchy"])
def test_the_interval_holds_the_true_median_as_often_as_it_says(draw: str) -> None:
    truth = {"standard_normal": 0.0, "standard_exponential": float(np.log(2)), "standard_cauchy": 0.0}[draw]
    generator = np.random.default_rng(7)
    tries = 200
    held = sum(median([getattr(generator, draw)(31)]).contains(truth) for _ in range(tries))
    # 95 % of 200 is 190, with a deviation of 3; the percentile bootstrap of a median is a little off at this size.
    assert 0.91 <= held / tries <= 0.99


def test_groups_that_differ_widen_the_interval() -> None:
    """What three processes that disagree show is less sure than what the same samples in one process seem to."""
    generator = np.random.default_rng(3)
    groups = [list(centre + 0.01 * generator.standard_normal(30)) for centre in (1.0, 1.1, 1.2)]
    apart, together = median(groups), median([[x for group in groups for x in group]])
    assert apart.value == together.value
    assert apart.half_width > 2 * together.half_width
    assert apart.low < 1.05 and apart.high > 1.15


def test_groups_of_different_sizes() -> None:
    found = median([[1.0] * 20, [1.0], []])
    assert found == Estimate(1.0, 1.0, 1.0)


def test_padding_of_short_groups_never_shows() -> None:
    """Groups are put into one table; what fills the short ones up (zeros) is no sample."""
    found = median([[5.0] * 50, [6.0, 6.0]])
    assert found.low >= 5.0


@pytest.mark.parametrize(
    ("count", "share", "known"), [(100, 0.99, True), (99, 0.99, False), (20, 0.95, True), (19, 0.95, False)]
)
def test_a_quantile_needs_samples_beyond_it(count: int, share: float, known: bool) -> None:
    assert (quantile([list(map(float, range(count)))], share) is not None) is known


def test_quantiles_are_numpys() -> None:
    samples = np.random.default_rng(0).random(1000)
    assert quantile([list(samples[:300]), list(samples[300:])], 0.95) == np.quantile(samples, 0.95)


def test_a_throughput_turns_the_interval_round() -> None:
    assert Estimate(0.5, 0.25, 1.0).per(8) == Estimate(16.0, 8.0, 32.0)
    assert Estimate(0.5, 0.25, 1.0).scaled(1000) == Estimate(500.0, 250.0, 1000.0)
