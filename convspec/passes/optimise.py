"""`optimise`: run the passes of a level over a network and its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir.graph import Graph
from convspec.ir.types import Array
from convspec.passes.base import LEVELS, Pass
from convspec.passes.draft import Draft, Enough
from convspec.passes.pipelines import PIPELINES, ROUNDS
from convspec.passes.report import OptimisationReport, Size, work_of


@dataclass(frozen=True, slots=True)
class Optimised:
    """A rewritten network: `module.rewritten` says so, and `weights` are its own, by name, in canonical layout."""

    module: Module
    weights: Mapping[str, Array]
    report: OptimisationReport


def optimise(
    module: Module, weights: Mapping[str, Array], level: int, target: str = "onnx", most: int | None = None
) -> Optimised:
    """A network with the outputs of `module` up to rounding, at level 0, 1 or 2, made for one target.

    Level 0 is the network itself. It is for inference: layers that only training has are gone. Names and types of inputs and
    outputs stay; labels inside may go. `most` ends it after that many changes, to find out which of them did what.
    Failure CNN401 for another level.
    """
    if level not in LEVELS:
        raise fail(error("CNN401", f"there is no optimisation level {level}", hint="the levels are 0, 1 and 2"))
    if level == 0:
        size = _size(module.graph)
        return Optimised(module, weights, OptimisationReport(0, (), size, size, {}))
    return run_passes(module, weights, PIPELINES[level], target, level, most)


def run_passes(
    module: Module,
    weights: Mapping[str, Array],
    passes: Sequence[Pass],
    target: str = "onnx",
    level: int = 0,
    most: int | None = None,
) -> Optimised:
    """`passes` in order, again and again until nothing changes, or until there were `most` changes."""
    before = _size(module.graph)
    draft = Draft(module.graph, weights, target, most)
    with suppress(Enough):
        _repeat(draft, passes)
    graph, arrays = draft.finish()
    made = replace(module, graph=graph, asserts=(), rewritten=f"optimised at level {level}")
    summaries = {one.name: one.summary for one in passes}
    return Optimised(made, arrays, OptimisationReport(level, tuple(draft.changes), before, _size(graph), summaries))


def _repeat(draft: Draft, passes: Sequence[Pass]) -> None:
    for _ in range(ROUNDS):
        done = len(draft.changes)
        for one in passes:
            draft.acting = one.name
            one.run(draft)
        if len(draft.changes) == done:
            return


def _size(graph: Graph) -> Size:
    return Size(len(graph.nodes), work_of(graph.nodes))


__all__ = ["Optimised", "optimise", "run_passes"]
