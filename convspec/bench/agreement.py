"""Do all subjects compute the same? A subject that does not gets no speed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf

from convspec.bench.plan import Subject
from convspec.bench.results import Agreement
from convspec.ir.types import FLOATS, Array
from convspec.verify.compare import GATES, scaled_error

TOLERANCE = {"fp32": 10 * GATES["float32"], "tf32": 2e-2, "fp16": 2e-2, "bf16": 1e-1, "int8": 0.5}
"""Scaled errors allowed between two subjects, max|a - b| / max|b|, by the coarser precision of the two.

`verify` holds one computation against a float64 reference; here two are held against each other through a whole network, where
roundings of every layer add up. int8 says only that it is no other network: how much accuracy it costs is told by data with
labels, not by a largest difference.
"""
_ORDER = list(TOLERANCE)
_DECLARED = {"float16": "fp16", "bfloat16": "bf16"}


def reference_of(subjects: Sequence[Subject]) -> Subject:
    """Whom the others are held against: the first of the finest precision; the file of --against only where it is alone."""
    return min(subjects, key=lambda each: (each.against, _ORDER.index(each.arithmetic)))


def allowed(one: Subject, other: Subject, tolerance: float | None, declared: Iterable[str] = ()) -> float:
    """The scaled error that two subjects may have: `tolerance` where it was given.

    `declared` are the dtypes that the network itself declares: one of bfloat16 is that coarse however it is run.
    """
    if tolerance is not None:
        return tolerance
    coarse = [TOLERANCE[_DECLARED[dtype]] for dtype in declared if dtype in _DECLARED]
    return max([TOLERANCE[one.arithmetic], TOLERANCE[other.arithmetic], *coarse])


def agreement(found: Mapping[str, Array], expected: Mapping[str, Array], reference: str, limit: float) -> Agreement:
    """The worst output. By name where the names agree, else in order: another tool may have named them otherwise.

    Integers and bools must be equal.
    """
    if found.keys() != expected.keys():
        if len(found) != len(expected):
            return Agreement(reference, f"{len(found)} outputs for {len(expected)}", inf, limit)
        found = dict(zip(expected, found.values(), strict=True))
    errors = {name: _error(found[name], expected[name]) for name in expected}
    worst = max(errors, key=lambda name: errors[name])
    return Agreement(reference, worst, errors[worst], limit)


def _error(found: Array, expected: Array) -> float:
    error = scaled_error(found, expected)
    if expected.dtype.name not in FLOATS and error > 0:
        return inf
    return error


__all__ = ["TOLERANCE", "agreement", "allowed", "reference_of"]
