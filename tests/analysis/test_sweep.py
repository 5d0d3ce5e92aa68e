"""Combinations, and the front that no other beats."""

from __future__ import annotations

import random
from typing import cast

import pytest

from convspec.analysis.networks import Entry
from convspec.analysis.sweep import Point, Setting, combinations, front
from convspec.bench.tradeoff import Axis, Spot, short, tradeoff
from convspec.diagnostics import Failure


def axis(name: str, *values: int) -> list[Setting]:
    return [Setting(name, str(value), value) for value in values]


def test_every_combination_the_last_fastest() -> None:
    made = combinations([axis("a", 1, 2), axis("b", 3, 4)], 4)
    assert [tuple(each.value for each in settings) for settings in made] == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert combinations([], 1) == [()]


def test_too_many_combinations_are_refused_before_any_is_made() -> None:
    axes = [axis(str(i), *range(100)) for i in range(10)]
    with pytest.raises(Failure) as caught:
        combinations(axes, 1000)
    assert caught.value.diagnostics[0].message.startswith("these are 100,000,000,000,000,000,000 combinations")


class _Entry:
    """What `front` asks an entry."""

    def __init__(self, x: int, y: int) -> None:
        self.numbers = {"macs": x, "params": y, "memory": y}

    def number(self, name: str) -> int:
        return self.numbers[name]


def points(pairs: list[tuple[int, int] | None]) -> list[Point]:
    return [Point((), cast(Entry, _Entry(*pair)) if pair else None) for pair in pairs]


@pytest.mark.parametrize(("y", "sign"), [("params", 1), ("memory", -1)])
def test_the_front_against_its_definition(y: str, sign: int) -> None:
    """Every pair is compared: a point is beaten by one that is at least as good in both, and better in one."""
    rng = random.Random(7)
    for _ in range(200):
        pairs = [(rng.randrange(6), rng.randrange(6)) if rng.random() < 0.9 else None for _ in range(rng.randrange(1, 12))]
        expected = {
            i
            for i, a in enumerate(pairs)
            if a and not any(b and b[0] <= a[0] and sign * (b[1] - a[1]) >= 0 and b != a for b in pairs)
        }
        assert front(points(pairs), "macs", y) == expected


@pytest.mark.parametrize("values", [[0], [0, 0], [1], [5, 5], [0, 10**15], [1, 10**15], [999, 1001], [3, 70], [1, 10, 100]])
def test_every_value_has_a_place_on_its_axis(values: list[int]) -> None:
    made = Axis.of("x", values)
    assert all(-1e-9 <= made.place(value) <= 1 + 1e-9 for value in values)
    assert 1 <= len(made.ticks()) <= 17
    assert all(-1e-9 <= made.place(tick) <= 1 + 1e-9 for tick in made.ticks())


def test_the_chart_is_well_formed_whatever_it_is_called() -> None:
    from xml.etree import ElementTree

    spots = [Spot(f'a<b & "c" {i}', f"<g{i % 3}>", 10**i, i, i % 2 == 0, i == 4) for i in range(12)]
    made = tradeoff("<script>", "é & 日本", ("MACs", "parameters"), spots)
    root = ElementTree.fromstring(made.svg())
    names = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "<script>" in names and "é & 日本" in names
    assert sum(each.tag.endswith("circle") for each in root.iter()) == 12 + 3
    assert made.png().startswith(b"\x89PNG")


def test_one_dot() -> None:
    assert tradeoff("one", "", ("x", "y"), [Spot("a", "", 0, 0, True, False)]).svg()


def test_short_numbers() -> None:
    assert [short(value) for value in (0, 999, 1500, 2e6, 3.25e9, 4e12)] == ["0", "999", "1.5k", "2M", "3.25G", "4T"]
