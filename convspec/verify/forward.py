"""Outputs of a target, in the precision that the spec declares, against the float64 reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convspec.diagnostics import Failure
from convspec.ir.graph import Graph
from convspec.ir.types import Array
from convspec.precision import LOW
from convspec.runtime.base import Network, RunOptions, Session, find_runtime
from convspec.runtime.devices import parse_device
from convspec.runtime.reference import evaluate
from convspec.verify import locate, optimised
from convspec.verify.backends import open_backend
from convspec.verify.graphs import with_graph
from convspec.verify.precision import gates_of, judge
from convspec.verify.report import Divergence, Report, Row
from convspec.verify.subject import Case, Subject

RUNTIMES = {"onnx": "onnxruntime", "pytorch": "pytorch", "tensorflow": "tensorflow"}
PACKAGES = {"onnx": "onnxruntime", "pytorch": "torch", "tensorflow": "tensorflow"}
_NOT_THERE = ("CNN303", "CNN304")
_NO_KERNEL = "Could not find an implementation"
"""What ONNX Runtime says of a sound model with an element type that it has no code for on this device."""


def check_outputs(subject: Subject, target: str, required: bool, report: Report) -> None:
    """A row for every choice of sizes; the first layer that diverges where one fails."""
    session = open_session(subject, target, required, report)
    if session is None:
        return
    about = session.about
    row = Row(target=target, runtime=f"{about.runtime} {about.version}", device=about.device, status="pass", required=required)
    for case in subject.cases:
        at = replace(row, sizes=case.sizes, quantity="outputs", precision=_precision(subject))
        try:
            found = session.run(case.arrays)
        except Exception as problem:  # a framework may raise anything
            report.rows.append(replace(at, status="fail", note=locate.told(problem)))
            _add_breakdown(subject, target, about.device, case, report)
            return
        finished = _judged(subject, case, found, at)
        report.rows.append(finished)
        if finished.status == "fail":
            _add_divergence(subject, target, about.device, case, report)
            return


def open_session(subject: Subject, target: str, required: bool, report: Report) -> Session | None:
    """The network on the target's runtime; None where that cannot be, which is then a row of the report."""
    row = Row(target=target, status="not run", required=required)
    if target not in RUNTIMES:
        report.rows.append(replace(row, note=f"not run: convspec knows no runtime for the target `{target}`"))
        return None
    device = parse_device(subject.device)
    if device is not None and device.kind == "tensorrt" and target != "onnx":
        report.rows.append(replace(row, note=f"not run: {target} does not run on tensorrt"))
        return None
    try:
        made = subject.made_for(target)
        options = RunOptions(subject.device, precision=subject.precision)
        return find_runtime(RUNTIMES[target]).open(Network(made.module, made.weights), options)
    except Failure as failure:
        report.rows.append(_refusal(row, failure))
        if report.rows[-1].status == "fail":
            report.divergences += [Divergence(target, "compile", "", "", d) for d in failure.diagnostics]
    except Exception as problem:  # a framework may raise anything
        report.rows.append(replace(row, status="fail", note=locate.told(problem)))
        _add_breakdown(subject, target, "cpu", subject.cases[0], report)
    return None


def _refusal(row: Row, failure: Failure) -> Row:
    """Not there, or not able: only the first is no failure."""
    first = failure.diagnostics[0]
    if first.code == "CNN303" and first.message.endswith("is not installed"):
        return replace(row, note=f"not run: {PACKAGES[row.target]} is not installed")
    if first.code in _NOT_THERE or (first.code == "CNN305" and _NO_KERNEL in first.message):
        return replace(row, note=f"not run: {first.message}")
    return replace(row, status="fail", quantity="compile", note=f"refused: {first.message}")


def _judged(subject: Subject, case: Case, found: Mapping[str, Array], row: Row) -> Row:
    declared = {output.name: output.value for output in subject.graph.outputs}
    wrong = [name for name, value in declared.items() if found[name].dtype.name != value.type.dtype]
    if wrong:
        note = f"`{wrong[0]}` is declared {declared[wrong[0]].type.dtype} and comes as {found[wrong[0]].dtype.name}"
        return replace(row, status="fail", tensor=wrong[0], note=note)
    told = judge(found, case.expected, subject.gates(case).__getitem__, lambda: subject.movement(case))
    return replace(row, tensor=told.tensor, error=told.error, gate=told.gate, status=told.status, note=told.note)


def _precision(subject: Subject) -> str:
    if subject.precision != "fp32":
        return LOW[subject.precision]
    return ", ".join(dict.fromkeys(output.value.type.dtype for output in subject.graph.outputs))


# ── where ────────────────────────────────────────────────────────────────────────────────────────────────────


def _observer(subject: Subject, target: str, device: str, case: Case) -> locate.Observe:
    """Runs graphs on the target in the declared precision."""

    def observe(graph: Graph) -> Mapping[str, Array]:
        module = with_graph(subject.module, graph)
        names = {parameter for parameter in graph.parameters()}
        weights = {name: array for name, array in subject.weights.items() if name in names}
        if target == "onnx":
            session: Any = find_runtime("onnxruntime").open(Network(module, weights), RunOptions(device))
            found: Mapping[str, Array] = session.run(case.arrays)
            return found
        backend = open_backend(target, module, weights, dtype=None, device=device, straight=True)
        return backend.run(case.arrays).outputs

    return observe


def _add_divergence(subject: Subject, target: str, device: str, case: Case, report: Report) -> None:
    if not subject.as_written:
        change = optimised.wrong_change(subject, target, case)
        if change is not None:
            report.divergences.append(optimised.divergence(target, change))
            return
        subject = optimised.as_made(subject, target)
    if subject.precision != "fp32":
        report.notes.append(
            f"{target}: see whether it passes without --precision; if so, it is the precision that costs too much"
        )
        return
    values = evaluate(subject.wide, subject.weights, case.arrays, keep=True).values
    gates = {value.name: gate for value, gate in gates_of(subject.graph).items()}
    try:
        place = locate.by_values(subject.graph, _observer(subject, target, device, case), values, gates)
    except Exception as problem:
        report.notes.append(f"{target}: the layer could not be found, since looking inside fails: {locate.told(problem)}")
        return
    if place is None:
        report.notes.append(
            f"{target}: no layer diverges when all values are outputs: what is wrong is in how layers are put together"
        )
    else:
        report.divergences.append(locate.divergence(target, "outputs", "reference", place))


def _add_breakdown(subject: Subject, target: str, device: str, case: Case, report: Report) -> None:
    if not subject.as_written:
        subject = optimised.as_made(subject, target)
    found = locate.by_breaking(subject.graph, _observer(subject, target, device, case))
    if found is None:
        report.notes.append(f"{target}: no single layer fails when the network is compiled up to it")
    else:
        report.divergences.append(locate.breakdown(target, "outputs", *found))


__all__ = ["PACKAGES", "RUNTIMES", "check_outputs", "open_session"]
