"""Which inputs hold indices is read off the graph."""

from __future__ import annotations

import pytest

from convspec.elaborate import loads
from convspec.ir.indices import IndexRange, index_ranges


def ranges(text: str, **inputs: str) -> dict[str, tuple[IndexRange, ...]]:
    declared = "\n".join(f"    input {name}: {of}" for name, of in inputs.items())
    return index_ranges(loads(f"model Net {{\n{declared}\n{text}\n}}\n").graph)


@pytest.mark.parametrize(
    ("of", "path"),
    [
        ("int32[N, 4]", "embedding(7, 3)"),
        ("int64[N]", "embedding(7, 3)"),
        ("int32[N, 2, 3]", "flatten -> embedding(7, 3)"),
        ("int64[N, 2, 3]", "reshape([6]) -> embedding(7, 3)"),
        ("uint8[N, 4]", "cast(int32) -> cast(int64) -> embedding(7, 3)"),
    ],
)
def test_an_input_is_followed(of: str, path: str) -> None:
    assert ranges(f"output y = x -> {path}", x=of) == {"x": (IndexRange(7),)}


@pytest.mark.parametrize(
    ("of", "path"),
    [
        ("int32[N, 4]", "(x + 1) -> embedding(7, 3)"),
        ("int64[N, 4]", "x -> cast(int32) -> embedding(7, 3)"),  # might lose bits, and then be in range
        ("float32[N, 4]", "x -> cast(int32) -> embedding(7, 3)"),
        ("float32[N, 4]", "x -> relu"),
    ],
)
def test_what_is_computed_is_not_followed(of: str, path: str) -> None:
    assert ranges(f"output y = {path}", x=of) == {}


def test_one_input_can_be_used_in_two_ways() -> None:
    found = ranges("output y = x -> embedding(7, 3)\noutput z = x -> embedding(9, 3)", x="int32[N, 4]")
    assert found == {"x": (IndexRange(7), IndexRange(9))}


def test_inputs_meet() -> None:
    body = "output y = concat(a, b, axis = 1) -> embedding(7, 3)"
    assert ranges(body, a="int32[N, 4]", b="int32[N, 1]") == {"a": (IndexRange(7),), "b": (IndexRange(7),)}


def test_a_split_input_has_a_range_for_each_part() -> None:
    body = """a, b = x -> split([1, 3])
    c, d = b -> split([1, 2])
    output y = a -> embedding(2, 3)
    output z = d -> embedding(9, 3)"""
    assert ranges(body, x="int32[N, 4]") == {"x": (IndexRange(2, ((1, 0, 1, 1),)), IndexRange(9, ((1, 1, 4, 1), (1, 1, 3, 1))))}


def test_a_slice_has_its_own_range() -> None:
    body = "output y = x -> slice(-3, axis = channels, step = 2) -> embedding(5, 3)"
    assert ranges(body, x="int32[N, 4]") == {"x": (IndexRange(5, ((1, -3, None, 2),)),)}


def test_parts_of_what_was_moved_are_not_followed() -> None:
    body = "a, b = x -> flatten -> split(2)\noutput y = a -> embedding(2, 3)\noutput z = b -> cast(float32)"
    assert ranges(body, x="int32[N, 2, 3]") == {}
