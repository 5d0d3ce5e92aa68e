"""The draws: their distributions against the textbook, and bit for bit what they were."""

from __future__ import annotations

from math import erf, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from convspec.weights import draw

COUNT = 1 << 20


def drawn(how: draw.Draw, key: tuple[int, ...] = (3, 1, 4), count: int = COUNT) -> draw.Floats:
    out = np.empty(count, np.float32)
    for block, start in enumerate(range(0, count, draw.BLOCK)):
        draw.fill(how, key, block, out[start : start + draw.BLOCK])
    return out


def words(key: tuple[int, ...], block: int, count: int) -> draw.Words:
    """The words that a draw is made from."""
    found = np.empty(count, np.uint32)

    def copy(bits: draw.Words, out: draw.Floats, _: draw.Scratch) -> None:
        out.view(np.uint32)[:] = bits

    draw.fill(copy, key, block, found.view(np.float32))
    return found


def scratch(bits: draw.Words) -> draw.Scratch:
    return np.empty(bits.size, np.intp)


def kolmogorov_smirnov(sample: draw.Floats, cumulative: list[float]) -> float:
    """The largest distance between the sample's distribution function and `cumulative`, times sqrt(n)."""
    n = len(sample)
    steps = np.arange(1, n + 1) / n
    return float(np.max(np.abs(steps - np.array(cumulative)))) * sqrt(n)


def phi(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2)))


def test_normal_is_normal() -> None:
    sample = drawn(draw.normal(2.0))[: 1 << 18]
    ordered = np.sort(sample)
    assert kolmogorov_smirnov(ordered, [phi(x / 2) for x in ordered.tolist()]) < 1.95  # the 0.1 % point
    assert (sample > 0).mean() == pytest.approx(0.5, abs=0.004)


def test_normal_has_the_moments_of_a_normal() -> None:
    sample = drawn(draw.normal(1.0)).astype(np.float64)
    assert sample.mean() == pytest.approx(0, abs=5 / sqrt(COUNT))
    assert sample.var() == pytest.approx(1, abs=5 * sqrt(2 / COUNT))
    assert (sample**4).mean() == pytest.approx(3, abs=5 * sqrt(96 / COUNT))


def test_normal_follows_the_quantiles_into_the_tail() -> None:
    """Words chosen by hand: the lowest bit is the sign, the others the two-sided tail in units of 2**-31."""
    tails = [1, 3, 255, 4097, 10**6 + 1, 10**9 + 1, 2**31 - 1]
    bits = np.array([tail << 1 for tail in tails], np.uint32)
    out = np.empty(len(tails), np.float32)
    draw.normal(1.0)(bits.copy(), out, scratch(bits))
    expected = [-NormalDist().inv_cdf(tail / 2**32) for tail in tails]
    np.testing.assert_allclose(out, expected, atol=3e-6)
    draw.normal(1.0)(bits | np.uint32(1), out, scratch(bits))
    np.testing.assert_allclose(out, [-x for x in expected], atol=3e-6)


def test_truncated_normal_is_cut_at_two_standard_deviations() -> None:
    sample = np.sort(drawn(draw.truncated_normal(0.5))[: 1 << 18])
    assert -1.0 <= sample[0] < -0.99
    assert 0.99 < sample[-1] <= 1.0
    inner = phi(2) - phi(-2)
    assert kolmogorov_smirnov(sample, [(phi(2 * x) - phi(-2)) / inner for x in sample.tolist()]) < 1.95
    # The standard deviation that is left by the cut: sqrt(1 - 4 φ(2) / (2 Φ(2) - 1)), Johnson, Kotz & Balakrishnan 13.10.
    density = np.exp(-2.0) / sqrt(2 * np.pi)
    assert sample.std() == pytest.approx(0.5 * sqrt(1 - 4 * density / inner), rel=0.005)


def test_uniform_fills_its_interval_evenly() -> None:
    sample = np.sort(drawn(draw.uniform(0.25)))
    assert kolmogorov_smirnov(sample, ((sample.astype(np.float64) + 0.25) / 0.5).tolist()) < 1.95
    assert -0.25 <= sample[0] < -0.2499
    assert 0.2499 < sample[-1] <= 0.25


def test_uniform_ends_stay_inside_the_bound() -> None:
    out = np.empty(2, np.float32)
    draw.uniform(1.0)(np.array([0x7FFFFFFF, 0x80000000], np.uint32), out, np.empty(2, np.intp))
    assert out.tolist() == [1 - 2.0**-24, -(1 - 2.0**-24)]


def test_blocks_and_keys_give_different_numbers() -> None:
    found = [words(key, block, 64).tobytes() for key in ((1, 2), (2, 1), (1,)) for block in (0, 1)]
    assert len(set(found)) == 6


def test_a_shorter_draw_is_the_start_of_a_longer_one() -> None:
    for count in (1, 33, 40_001):
        np.testing.assert_array_equal(words((7,), 0, count), words((7,), 0, 100_000)[:count])


def test_streams_are_what_they_were() -> None:
    """Recorded once. If these change, every seed gives other weights: raise `init.VERSION` and say so in the changelog."""
    assert words((1, 2, 3), 4, 4).tolist() == RECORDED_WORDS
    bits = np.array([0x00000000, 0x12345678, 0x9ABCDEF0, 0xFFFFFFFF], np.uint32)
    out = np.empty(4, np.float32)
    found = {}
    for name, how in (("uniform", draw.uniform(0.1)), ("normal", draw.normal(0.1)), ("truncated", draw.truncated_normal(0.1))):
        how(bits.copy(), out, scratch(bits))
        found[name] = [x.hex() for x in out.astype(np.float64).tolist()]
    assert found == RECORDED


RECORDED_WORDS = [3770347105, 1396511180, 3267766841, 1940896130]
RECORDED = {
    "uniform": ["0x1.99999a0000000p-28", "0x1.d208a60000000p-7", "-0x1.440a060000000p-4", "-0x1.99999a0000000p-28"],
    "normal": ["0x1.3efd460000000p-1", "0x1.719dce0000000p-3", "0x1.a85cbe0000000p-5", "-0x0.0p+0"],
    "truncated": ["-0x1.9999940000000p-3", "-0x1.11ccb60000000p-3", "0x1.9dc7500000000p-6", "0x1.9999940000000p-3"],
}
