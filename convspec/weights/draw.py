"""Random tensors that are the same on every platform: SFC64's raw stream, then only additions and multiplications.

NumPy guarantees the integer stream of a bit generator, but neither what `Generator.normal` and its like make of it nor the
last bit of `log` and `cos`. So nothing here calls those: a uniform draw is a scaled integer, and normal draws go through a
table of the inverse distribution function with straight lines between its knots. Every step on the way is one correctly
rounded float32 operation, which leaves a single platform-dependent step: the knots, computed in float64 and rounded to float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Words: TypeAlias = npt.NDArray[np.uint32]
Scratch: TypeAlias = npt.NDArray[np.intp]
Draw: TypeAlias = Callable[[Words, Floats, Scratch], None]
"""Turns random 32-bit words, which it may overwrite, into as many float32 numbers, written to the second argument. The third
is memory that it may use, one element for each number."""

BLOCK = 1 << 18
"""Numbers drawn from one stream. Part of what a seed means: another value gives other weights."""

_PIECE = 1 << 15
"""Numbers made at a time, so that all of a step's arrays stay in the cache. Changes no number."""


def fill(draw: Draw, key: Sequence[int], block: int, out: Floats) -> None:
    """Fill `out`, at most BLOCK numbers, from stream `block` under `key` (a sequence of 32-bit integers)."""
    stream = np.random.SFC64(np.random.SeedSequence(list(key), spawn_key=(block,)))
    scratch = np.empty(min(_PIECE, out.size), np.intp)  # of this call: blocks are drawn on several threads
    for start in range(0, out.size, _PIECE):
        piece = out[start : start + _PIECE]
        pairs = stream.random_raw((piece.size + 1) // 2)
        draw(pairs.astype("<u8", copy=False).view("<u4")[: piece.size], piece, scratch[: piece.size])


def uniform(bound: float) -> Draw:
    """Uniform between -bound and bound, in 2**24 equal steps that lie evenly about zero."""
    return partial(_uniform, np.float32(bound * 2.0**-23))


def normal(std: float) -> Draw:
    """Normal with mean 0. The table is off by less than 3e-6 standard deviations; draws end at 6.3 of them."""
    return partial(_normal, np.float32(std))


def truncated_normal(std: float) -> Draw:
    """Normal with mean 0, cut off at two standard deviations. The table is off by less than 5e-6 of them.

    `std` is that of the normal before the cut, as in torch's `trunc_normal_` and Keras's `TruncatedNormal`; what is drawn
    has a standard deviation of 0.8796 * std.
    """
    return partial(_truncated, np.float32(std))


def _uniform(step: np.float32, bits: Words, out: Floats, _: Scratch) -> None:
    steps = bits.view(np.int32)
    np.right_shift(steps, 8, out=steps)
    np.copyto(out, steps, casting="unsafe")  # exact: 24 bits
    out += np.float32(0.5)
    out *= step


def _normal(std: np.float32, bits: Words, out: Floats, segment: Scratch) -> None:
    """The lowest bit is the sign, the others the two-sided tail probability.

    As a float32 that probability is a geometric index by itself: its exponent and first eight fraction bits name a segment of
    the table, so that segments grow finer towards the tail, and its other fraction bits say how far along the segment.
    """
    start, rise = _tail_table()
    word = bits >> 1
    word |= 1
    np.copyto(out, word.view(np.int32), casting="unsafe")
    pattern, spare = out.view(np.int32), word.view(np.float32)
    np.right_shift(pattern, 15, out=word.view(np.int32))
    np.copyto(segment, word.view(np.int32))
    pattern &= 0x7FFF
    np.copyto(spare, pattern, casting="unsafe")
    np.multiply(spare, np.float32(2.0**-15), out=out)
    # Every segment is in range; "clip" is the quick way.
    out *= rise.take(segment, out=spare, mode="clip")
    out += start.take(segment, out=spare, mode="clip")
    out *= std
    np.left_shift(bits, 31, out=bits)
    sign = out.view(np.uint32)
    sign ^= bits


def _truncated(std: np.float32, bits: Words, out: Floats, segment: Scratch) -> None:
    start, rise = _truncated_table()
    np.copyto(segment, bits >> 20)
    np.copyto(out, ((bits >> 8) & 0xFFF).view(np.int32), casting="unsafe")
    out += np.float32(0.5)
    out *= np.float32(2.0**-12)
    out *= rise.take(segment, mode="clip")
    out += start.take(segment, mode="clip")
    out *= std


@cache
def _tail_table() -> tuple[Floats, Floats]:
    """Where each segment of the half normal starts and how far it rises, for two-sided tails 2**-31 … 1, 256 to an octave.

    A segment's place is the first 17 bits of the tail as a float32 of 1 to 2**31: what lies before is never read.
    """
    tails = [2.0 ** (octave - 31) * (1 + step / 256) for octave in range(31) for step in range(256)]
    from statistics import NormalDist  # where it is used: it takes long to import

    inverse = NormalDist().inv_cdf
    knots = np.array([*(-inverse(tail / 2) for tail in tails), 0.0, 0.0], np.float32)
    before = np.zeros(127 << 8, np.float32)  # exponents below that of 1
    return np.concatenate([before, knots[:-1]]), np.concatenate([before, np.diff(knots)])


@cache
def _truncated_table() -> tuple[Floats, Floats]:
    """The same for the normal between -2 and 2, in 4096 segments of equal probability."""
    from statistics import NormalDist

    standard = NormalDist()
    low, high = standard.cdf(-2.0), standard.cdf(2.0)
    inner = [standard.inv_cdf(low + (high - low) * step / 4096) for step in range(1, 4096)]
    knots = np.array([-2.0, *inner, 2.0], np.float32)
    return knots[:-1], np.diff(knots)
