"""The largest batch that fits a given memory, in inference or in training."""

from __future__ import annotations

from collections.abc import Mapping

from convspec.analysis.sizes import symbolic_sizes
from convspec.analysis.training import Plan, Use
from convspec.diagnostics import error, fail
from convspec.ir.dims import minima
from convspec.ir.graph import Graph
from convspec.records import dataclass

MOST = 2**40
"""Where a batch this large fits, the memory does not depend on it."""


@dataclass(frozen=True, slots=True)
class Largest:
    """The answer: `batch` fits and takes `use`; one more would take `beyond`. Batch 0: not even the least fits."""

    batch: int
    use: Use | None
    beyond: Use
    budget: int
    training: bool
    precision: str
    optimizer: str
    name: str
    """The size that is the batch."""
    least: int


def batch_name(graph: Graph) -> str:
    """The symbolic size that every input has in front. Failure CNN401 where there is none, or inputs differ in it."""
    names: set[str] = set()
    for each in graph.inputs:
        names.update(minima(each.value.type.shape[0]) if each.value.type.rank else ())
    if len(names) == 1:
        return names.pop()
    if not names:
        message = f"the batch of {graph.name} is a plain number, so there is none to find"
        raise fail(error("CNN401", message, hint="declare it with a name: float32[N, …]"))
    raise fail(error("CNN401", f"the inputs of {graph.name} have different batches: {', '.join(sorted(names))}"))


def largest_batch(
    planned: Plan, budget: int, sizes: Mapping[str, int], *, training: bool, precision: str = "fp32", optimizer: str = "adam"
) -> Largest:
    """The largest batch whose use is at most `budget` bytes; `sizes` has every other size.

    Exact under the convention of training.py: no size falls when the batch grows, so halving finds it.
    """
    name = batch_name(planned.graph)
    least = symbolic_sizes(planned.graph)[name]

    def use(batch: int) -> Use:
        at = {**sizes, name: batch}
        return planned.train(at, precision, optimizer) if training else planned.infer(at, precision)

    low, high = least - 1, max(1, least)  # low fits or is none, high does not
    while high <= MOST and use(high).total <= budget:
        low, high = high, 2 * high
    while high - low > 1 and low < MOST:
        middle = (low + high) // 2
        if use(middle).total <= budget:
            low = middle
        else:
            high = middle
    fits = low >= least
    found = use(low) if fits else None
    return Largest(low if fits else 0, found, use(high), budget, training, precision, optimizer, name, least)


__all__ = ["MOST", "Largest", "batch_name", "largest_batch"]
