"""What is verified: how far the reference moves when its inputs move by a rounding."""

from __future__ import annotations

import numpy as np

from convspec.elaborate import loads
from convspec.verify.subject import Case, Subject


def moved(body: str, values: list[float]) -> float:
    """Of the output `y` of a network without weights."""
    module = loads(f"model Net {{\ninput x: float32[1, 1, {len(values)}]\noutput y = x -> {body}\n}}")
    x = np.array(values, np.float32).reshape(1, 1, -1)
    subject = Subject(module, {}, seed=0)
    expected = module.graph.nodes[0].op.evaluate(module.graph.nodes[0].attrs, {}, x.astype(np.float64))
    return subject.movement(Case({}, {"x": x}, {"y": expected}))["y"]


def test_a_choice_that_hangs_by_a_rounding_is_found() -> None:
    """2, 5, 2: the second largest is the first or the last, and so 5 is at the end or at the beginning."""
    assert moved("kmaxpool(2)", [2.0, 5.0, 2.0]) > 0.05


def test_so_is_one_that_hangs_by_a_few() -> None:
    above = float(np.nextafter(np.float32(2), np.float32(3)))
    assert moved("kmaxpool(2)", [2.0, 5.0, above]) > 0.05


def test_a_choice_that_does_not_is_none() -> None:
    assert moved("kmaxpool(2)", [2.0, 5.0, 1.9999]) < 1e-6
