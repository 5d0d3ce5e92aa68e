"""Subjects timed side by side: interleaved rounds, paired ratios with an interval, and a control that shows the noise.

One round times every subject once, in a random order. A ratio is the median over rounds of (time of the baseline / time of the
subject) in the same round, so that what slows the machine down for a while slows both sides of a pair. The control is the
baseline once more, under another name: its ratio should be 1, and what it is instead is the noise of the machine. A difference
counts only where it is at least LEAST, its interval excludes 1, and it is larger than that noise.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from convspec.bench.statistics import Estimate, median, quantile

LEAST = 0.03
"""A difference under this share counts as none: machines that run other work as well show as much between equal programs."""

Subject: TypeAlias = Callable[[], object]
"""Does once what is timed, and returns when it is done (on a GPU: when the device is)."""
Timer: TypeAlias = Callable[[Subject], float]
"""Calls a subject once and says how many seconds it took."""
Verdict: TypeAlias = Literal["faster", "slower", "same"]
Group: TypeAlias = Mapping[str, Sequence[float]]
"""The rounds of one process: for every subject its seconds, one number a round."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured. `control` is the name under which the baseline ran once more, None where it did not."""

    baseline: str
    control: str | None
    groups: tuple[Group, ...]
    interrupted: bool = False
    """Whether Ctrl+C ended it early; the rounds that were complete are here."""

    @property
    def subjects(self) -> list[str]:
        """Every subject in the order given, without the control."""
        return [name for name in self.groups[0] if name != self.control]

    @property
    def rounds(self) -> int:
        """In all processes together."""
        return sum(len(group[self.baseline]) for group in self.groups)

    def samples(self, name: str) -> list[Sequence[float]]:
        """Seconds a call, a list for each process."""
        return [group[name] for group in self.groups]

    def seconds(self, name: str) -> Estimate:
        """The median time of one call."""
        return median(self.samples(name))

    def quantile(self, name: str, share: float) -> float | None:
        """Seconds that `share` of the calls did not exceed; None where there are too few calls to say."""
        return quantile(self.samples(name), share)

    def speedup(self, name: str, over: str | None = None) -> Estimate:
        """How many times as fast as the baseline, or as `over`: the median of the ratios of pairs. Above 1 is faster."""
        other = over or self.baseline
        return median([[o / s for o, s in zip(group[other], group[name], strict=True)] for group in self.groups])

    def noise(self) -> Estimate | None:
        """The control's ratio, which would be 1 on a quiet machine; None where no control ran."""
        return self.speedup(self.control) if self.control else None

    def verdict(self, name: str, over: str | None = None) -> Verdict:
        """Whether a difference counts: at least LEAST, with 1 outside its interval, and larger than the control's."""
        found, noise = self.speedup(name, over), self.noise()
        floor = max(LEAST, abs(noise.value - 1) if noise else 0.0)
        if found.contains(1.0) or abs(found.value - 1) < floor:
            return "same"
        return "faster" if found.value > 1 else "slower"

    def to_json(self) -> dict[str, Any]:
        """What a program reads: per subject the median time and the ratio with intervals, and the control. Seconds."""
        noise = self.noise()
        return {
            "baseline": self.baseline,
            "rounds": self.rounds,
            "processes": len(self.groups),
            "interrupted": self.interrupted,
            "control": noise.to_json() if noise else None,
            "subjects": {name: self._subject_json(name) for name in self.subjects},
        }

    def _subject_json(self, name: str) -> dict[str, Any]:
        return {
            "seconds": self.seconds(name).to_json(),
            "speedup": self.speedup(name).to_json(),
            "verdict": self.verdict(name),
            **{f"p{round(100 * share)}": self.quantile(name, share) for share in (0.5, 0.95, 0.99)},
        }


def compare(
    subjects: Mapping[str, Subject],
    rounds: int = 30,
    warmup: int = 3,
    *,
    baseline: str | None = None,
    control: bool | str = True,
    budget: float | None = None,
    least_rounds: int = 5,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
    timers: Mapping[str, Timer] | None = None,
    calls: int | Mapping[str, int] = 1,
    after_round: Callable[[int], None] | None = None,
) -> Comparison:
    """Time `subjects` in interleaved rounds, after `warmup` calls of each.

    `baseline` (the first subject by default) is what ratios refer to; with `control` it runs a second time in every round.
    Where `control` is a name, the subject of that name is the baseline once more (the same in another process, for instance).
    `budget` is seconds after which no round begins, once there are `least_rounds`. `timers` time a subject by other means than
    `clock` (events of a GPU). `calls` of a subject make one sample, whose time is that of one call: for what takes less than
    the clock can tell. `after_round` is told how many rounds are done. Garbage is collected between samples, never inside one;
    what a subject returns is freed outside its sample. Ctrl+C after the first round ends it with what there is.
    ValueError where there is no subject, no round, or a name is taken.
    """
    plan = _Plan.of(subjects, baseline, control, timers, calls, clock)
    if rounds < 1:
        raise ValueError("at least one round is needed")
    taken: dict[str, list[float]] = {name: [] for name in plan.subjects}
    interrupted = False
    with _quiet_collector() as collect:
        for _ in range(warmup):
            for name in plan.order:
                plan.subjects[name]()
        begun, generator = clock(), np.random.default_rng(seed)
        try:
            for number in range(rounds):
                if budget is not None and number >= least_rounds and clock() - begun >= budget:
                    break
                found = _round(plan, generator, collect)
                for name, seconds in found.items():
                    taken[name].append(seconds)
                if after_round is not None:
                    after_round(number + 1)
        except KeyboardInterrupt:
            if not taken[plan.baseline]:
                raise
            interrupted = True
    done = min(len(seconds) for seconds in taken.values())  # Ctrl+C may come between two of these lists
    group = {name: tuple(seconds[:done]) for name, seconds in taken.items()}
    return Comparison(plan.baseline, plan.control, (group,), interrupted)


def pooled(comparisons: Sequence[Comparison]) -> Comparison:
    """The same subjects measured in several processes, as one comparison. ValueError where they are not the same."""
    first = comparisons[0]
    same = all((c.baseline, c.control, c.subjects) == (first.baseline, first.control, first.subjects) for c in comparisons)
    if not same:
        raise ValueError("only comparisons of the same subjects can be pooled")
    groups = tuple(group for comparison in comparisons for group in comparison.groups)
    return Comparison(first.baseline, first.control, groups, any(c.interrupted for c in comparisons))


@dataclass(frozen=True, slots=True)
class _Plan:
    """Who runs, the control included, and how each is timed."""

    baseline: str
    control: str | None
    subjects: Mapping[str, Subject]
    timers: Mapping[str, Timer]
    order: Sequence[str]

    @classmethod
    def of(
        cls,
        subjects: Mapping[str, Subject],
        baseline: str | None,
        control: bool | str,
        timers: Mapping[str, Timer] | None,
        calls: int | Mapping[str, int],
        clock: Callable[[], float],
    ) -> _Plan:
        if not subjects:
            raise ValueError("there is nothing to compare")
        first = baseline or next(iter(subjects))
        if first not in subjects:
            raise ValueError(f"the baseline {first!r} is none of the subjects")
        again = control if isinstance(control, str) else f"{first} (again)" if control else None
        if isinstance(control, str) and (control not in subjects or control == first):
            raise ValueError(f"the control {control!r} is none of the other subjects")
        if control is True and again in subjects:
            raise ValueError(f"the name {again!r} is the control's")
        everyone = dict(subjects)
        if again:
            everyone.setdefault(again, subjects[first])
        found = {}
        for name in everyone:
            own = name if name in subjects else first
            repeats = calls if isinstance(calls, int) else calls.get(own, 1)
            found[name] = (timers or {}).get(own) or _wall(clock, repeats)
        return cls(first, again, everyone, found, list(everyone))


def _round(plan: _Plan, generator: np.random.Generator, collect: Callable[[], object]) -> dict[str, float]:
    """Every subject once, in a random order: none always runs after the same neighbour."""
    found = {}
    for index in generator.permutation(len(plan.order)):
        name = plan.order[int(index)]
        collect()
        found[name] = plan.timers[name](plan.subjects[name])
    return found


def _wall(clock: Callable[[], float], calls: int) -> Timer:
    """Seconds a call by `clock`; the results live until the clock was read."""

    def time_one(subject: Subject) -> float:
        start = clock()
        result = subject()
        seconds = clock() - start
        del result
        return seconds

    def time_several(subject: Subject) -> float:
        start = clock()
        for _ in range(calls):
            subject()
        return (clock() - start) / calls

    if calls < 1:
        raise ValueError("a sample is at least one call")
    return time_one if calls == 1 else time_several


@contextmanager
def _quiet_collector() -> Iterator[Callable[[], object]]:
    """No automatic collection inside; gives what collects the garbage of the last sample, and nothing older.

    Objects that are there already are frozen, or each collection would walk all of an imported framework.
    """
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    gc.freeze()
    try:
        yield gc.collect
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()


__all__ = ["LEAST", "Comparison", "Subject", "Timer", "Verdict", "compare", "pooled"]
