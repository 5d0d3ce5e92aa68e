"""Comparisons on a clock that the subjects themselves move."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from itertools import count

import pytest

from convspec.bench.timing import Comparison, compare, pooled
from tests.bench.clocks import Clock, noisy


def measured(seconds: dict[str, float], noise: float = 0.02, rounds: int = 60, slow: float = 0.0) -> Comparison:
    clock = Clock()
    times = {name: noisy(value, noise, seed, slow) for seed, (name, value) in enumerate(seconds.items())}
    return compare({name: clock.subject(each) for name, each in times.items()}, rounds, clock=clock)


def test_exact_times_give_exact_ratios() -> None:
    clock = Clock()
    found = compare({"base": clock.subject(2.0), "fast": clock.subject(0.5)}, 7, clock=clock)
    assert found.seconds("fast").value == 0.5
    assert found.speedup("fast").value == 4.0
    assert found.speedup("base", over="fast").value == 0.25
    assert found.noise() is not None and found.noise().value == 1.0  # type: ignore[union-attr]
    assert found.rounds == 7 and found.subjects == ["base", "fast"]


@pytest.mark.parametrize("slow", [0.0, 0.2])
def test_a_subject_that_is_a_tenth_slower_is_found(slow: float) -> None:
    found = measured({"base": 1.0, "slower": 1.1, "faster": 0.9}, slow=slow)
    assert found.verdict("slower") == "slower"
    assert found.verdict("faster") == "faster"
    assert found.speedup("slower").contains(1 / 1.1)


def test_equals_are_the_same_and_the_control_is_near_one() -> None:
    found = measured({"base": 1.0, "twin": 1.0})
    noise = found.noise()
    assert noise is not None and abs(noise.value - 1) < 0.02
    assert found.verdict("twin") == "same"


def test_equals_are_seldom_called_different() -> None:
    """Over many pairs of equals with 5 % noise, a verdict of faster or slower is as rare as the interval promises."""
    wrong = 0
    for seed in range(20):
        clock = Clock()
        one, other = noisy(1.0, 0.05, 2 * seed), noisy(1.0, 0.05, 2 * seed + 1)
        found = compare({"one": clock.subject(one), "other": clock.subject(other)}, 20, clock=clock)
        wrong += found.verdict("other") != "same"
    assert wrong <= 2


def test_less_than_three_percent_counts_as_none_however_sure() -> None:
    clock = Clock()
    found = compare({"base": clock.subject(1.0), "other": clock.subject(0.98)}, 50, clock=clock)
    assert not found.speedup("other").contains(1.0)
    assert found.verdict("other") == "same"


def test_a_difference_below_the_noise_of_the_control_counts_as_none() -> None:
    group = {"base": [1.0] * 9, "other": [0.95] * 9, "base (again)": [0.92] * 9}
    assert Comparison("base", "base (again)", (group,)).verdict("other") == "same"
    assert Comparison("base", None, (group,)).verdict("other") == "faster"


def test_a_machine_that_slows_down_does_not_change_a_ratio() -> None:
    """Pairs of one round share the state of the machine: the medians of times mix it, the ratio does not."""
    clock = Clock()
    speed = {"now": 1.0}

    def subject(seconds: float) -> Callable[[], object]:
        def run() -> object:
            clock.now += seconds * speed["now"]
            return None

        return run

    def after(number: int) -> None:
        speed["now"] = 3.0 if number >= 15 else 1.0

    found = compare({"base": subject(1.0), "fast": subject(0.5)}, 30, clock=clock, after_round=after)
    ratio = found.speedup("fast")
    assert (ratio.low, ratio.value, ratio.high) == (2.0, 2.0, 2.0)


def test_rounds_are_interleaved_in_changing_order() -> None:
    ran: list[str] = []
    subjects = {name: partial(ran.append, name) for name in "abc"}
    compare(subjects, 20, warmup=2, clock=Clock())
    assert ran[:8] == ["a", "b", "c", "a"] * 2  # warm-up, the control at the end of each turn
    rounds = [tuple(ran[8 + 4 * i : 12 + 4 * i]) for i in range(20)]
    assert all(sorted(each) == ["a", "a", "b", "c"] for each in rounds)
    assert len(set(rounds)) > 5


def test_the_order_is_that_of_the_seed() -> None:
    def order(seed: int) -> list[str]:
        ran: list[str] = []
        compare({name: partial(ran.append, name) for name in "abcd"}, 10, seed=seed, clock=Clock())
        return ran

    assert order(0) == order(0) != order(1)


def test_warmup_is_not_counted() -> None:
    clock = Clock()
    times = iter([100.0, 100.0, *[1.0] * 50])
    found = compare({"base": clock.subject(times)}, 5, warmup=2, control=False, clock=clock)
    assert found.samples("base") == [(1.0,) * 5]


def test_a_budget_ends_it_after_the_least_rounds() -> None:
    clock = Clock()
    found = compare({"base": clock.subject(1.0)}, 100, warmup=0, control=False, budget=12.0, clock=clock)
    assert found.rounds == 12
    found = compare({"base": clock.subject(50.0)}, 100, warmup=0, control=False, budget=12.0, least_rounds=5, clock=clock)
    assert found.rounds == 5


def test_several_calls_make_a_sample_of_one_calls_time() -> None:
    clock = Clock()
    ran = {"base": 0, "other": 0}

    def subject(name: str, seconds: float) -> Callable[[], object]:
        def run() -> object:
            ran[name] += 1
            clock.now += seconds
            return None

        return run

    both = {"base": subject("base", 2.0), "other": subject("other", 3.0)}
    found = compare(both, 4, warmup=0, control=False, calls={"base": 10}, clock=clock)
    assert found.seconds("base").value == 2.0 and found.seconds("other").value == 3.0
    assert ran == {"base": 40, "other": 4}


def test_a_timer_of_its_own_is_used_for_the_control_too() -> None:
    found = compare({"base": lambda: None}, 3, warmup=0, timers={"base": lambda subject: 0.25}, clock=Clock())
    assert found.samples("base") == found.samples("base (again)") == [(0.25,) * 3]


def test_the_control_may_be_a_subject_of_its_own() -> None:
    clock = Clock()
    three = {"base": clock.subject(1.0), "twin": clock.subject(2.0), "fast": clock.subject(0.5)}
    found = compare(three, 3, control="twin", clock=clock)
    assert found.subjects == ["base", "fast"] and found.speedup("fast").value == 2.0
    assert found.noise().value == 0.5  # type: ignore[union-attr]


def test_no_garbage_is_collected_inside_a_sample_and_the_collector_is_as_before() -> None:
    states: list[bool] = []
    assert gc.isenabled()
    compare({"base": lambda: states.append(gc.isenabled())}, 3, clock=Clock())
    assert states and not any(states)
    assert gc.isenabled() and gc.get_freeze_count() == 0
    with pytest.raises(RuntimeError):
        compare({"base": _fail}, 3, clock=Clock())
    assert gc.isenabled() and gc.get_freeze_count() == 0
    gc.disable()
    try:
        compare({"base": lambda: None}, 1, clock=Clock())
        assert not gc.isenabled()
    finally:
        gc.enable()


def _fail() -> object:
    raise RuntimeError("broken")


def test_ctrl_c_keeps_the_complete_rounds() -> None:
    clock, calls = Clock(), count()

    def interrupted() -> object:
        if next(calls) == 10:
            raise KeyboardInterrupt
        return None

    found = compare({"base": clock.subject(1.0), "other": interrupted}, 30, warmup=0, control=False, clock=clock)
    assert found.interrupted and found.rounds == 10
    assert [len(found.samples(name)[0]) for name in found.subjects] == [10, 10]


def test_ctrl_c_before_the_first_round_is_passed_on() -> None:
    def interrupted() -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare({"base": interrupted}, 3, warmup=0, clock=Clock())


def test_results_are_freed_outside_the_sample() -> None:
    """What it costs to free a large result is not part of making it."""
    clock = Clock()

    class Result:
        def __del__(self) -> None:
            clock.now += 1000.0

    found = compare({"base": Result}, 3, warmup=0, control=False, clock=clock)
    assert found.seconds("base").value == 0.0


@pytest.mark.parametrize(
    ("subjects", "settings", "message"),
    [
        ({}, {}, "nothing to compare"),
        ({"a": print}, {"baseline": "b"}, "none of the subjects"),
        ({"a": print, "a (again)": print}, {}, "control's"),
        ({"a": print}, {"control": "b"}, "none of the other"),
        ({"a": print}, {"control": "a"}, "none of the other"),
        ({"a": print}, {"rounds": 0}, "at least one round"),
        ({"a": print}, {"calls": 0}, "at least one call"),
    ],
)
def test_what_cannot_be_compared(subjects: dict[str, Callable[[], object]], settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(subjects, **settings)  # type: ignore[arg-type]


def test_pooling_keeps_the_processes_apart() -> None:
    one = measured({"base": 1.0, "other": 0.5}, rounds=10)
    both = pooled([one, one])
    assert both.rounds == 20 and len(both.groups) == 2
    assert both.speedup("other").value == one.speedup("other").value
    with pytest.raises(ValueError, match="same subjects"):
        pooled([one, measured({"base": 1.0})])


def test_json_has_what_the_report_needs() -> None:
    found = measured({"base": 1.0, "other": 0.5}, rounds=40).to_json()
    assert found["rounds"] == 40 and found["processes"] == 1 and found["control"]["low"] <= 1 <= found["control"]["high"]
    other = found["subjects"]["other"]
    assert other["verdict"] == "faster" and other["p95"] > other["p50"] and other["p99"] is None
    assert list(found["subjects"]) == ["base", "other"]
