"""Why an optimised network fails: the change of the optimiser that moved its outputs, or else the target is to blame."""

from __future__ import annotations

from collections.abc import Mapping

from convspec.diagnostics import error
from convspec.ir.types import Array
from convspec.passes import Optimised, optimise
from convspec.passes.report import Change
from convspec.runtime.reference import evaluate
from convspec.verify.compare import scaled_error
from convspec.verify.graphs import in_float64
from convspec.verify.precision import gates_of
from convspec.verify.report import Divergence
from convspec.verify.subject import Case, Subject


def as_made(subject: Subject, target: str) -> Subject:
    """What `target` runs, as a subject of its own: the reference then runs what the optimiser made."""
    found = subject.made_for(target)
    return Subject(found.module, found.weights, subject.seed, subject.device, precision=subject.precision)


def wrong_change(subject: Subject, target: str, case: Case) -> Change | None:
    """The first change after which the reference gives other outputs than those of the network as written, by bisection.

    None where the reference gives the same after all of them: then it is not the optimiser that is wrong.
    """
    whole = subject.made_for(target)
    if _agrees(subject, whole, case):
        return None
    low, high = 0, len(whole.report.changes)
    while high - low > 1:
        middle = (low + high) // 2
        made = optimise(subject.module, subject.weights, whole.report.level, target, middle)
        low, high = (middle, high) if _agrees(subject, made, case) else (low, middle)
    return whole.report.changes[high - 1]


def _agrees(subject: Subject, found: Optimised, case: Case) -> bool:
    outputs: Mapping[str, Array] = evaluate(in_float64(found.module.graph), found.weights, case.arrays).outputs
    gates = gates_of(subject.graph)
    return all(
        scaled_error(outputs[output.name], case.expected[output.name]) <= gates[output.value]
        for output in subject.graph.outputs
    )


def divergence(target: str, change: Change) -> Divergence:
    """The diagnostic at the layer that was rewritten."""
    message = f"the optimiser moves the outputs for {target}: `{change.name}` is wrong here"
    diagnostic = error("CNN308", message, change.span, change.note or ", ".join(change.layers))
    return Divergence(target, "optimise", ", ".join(change.layers), change.name, diagnostic)


__all__ = ["as_made", "divergence", "wrong_change"]
