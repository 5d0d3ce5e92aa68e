"""The comparisons in float64: gradients in inference, and steps of training, between PyTorch and TensorFlow."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from convspec.diagnostics import Failure
from convspec.ir.graph import Graph
from convspec.ir.types import FLOATS, Array
from convspec.runtime.reference import evaluate
from convspec.verify import locate
from convspec.verify.backends import GRADIENT_TARGETS, Backend, open_backend
from convspec.verify.compare import EXACT, GATES, scaled_error
from convspec.verify.graphs import NoMask, Probe, exposing, inner_values, with_graph, with_probes
from convspec.verify.precision import judge
from convspec.verify.report import Report, Row
from convspec.verify.sizes import for_gradients, lonely_norm
from convspec.verify.subject import Subject
from convspec.verify.trial import INPUT_GRADIENTS, OUTPUTS, STATISTICS, WEIGHT_GRADIENTS, Tensors, Trial

T = TypeVar("T")
GATE = GATES["float64"]
MEASURE = "pytorch"
"""What gradients and training are held against."""


@dataclass(frozen=True, slots=True)
class Framework:
    """A target that can differentiate, as it runs here."""

    target: str
    runtime: str
    """Name and version."""
    device: str
    asked: bool
    """Whether it is among the targets to be verified; else it only serves as the measure."""


def check_exactly(subject: Subject, frameworks: Sequence[Framework], gradients: bool, steps: int, report: Report) -> None:
    """With `gradients`: outputs in float64 against the reference and all gradients, in inference.

    With `steps`: outputs and gradients of the first step of training, running statistics and weights after the last.
    """
    spare: dict[str, Backend] = {}
    if gradients:
        _check(subject, frameworks, 0, spare, report)
        gc.collect()
    if steps:
        _check(subject, frameworks, steps, spare, report)


def _check(subject: Subject, frameworks: Sequence[Framework], steps: int, spare: dict[str, Backend], report: Report) -> None:
    row = Row(
        target=" and ".join(f.target for f in frameworks if f.asked) or "pytorch and tensorflow",
        precision="float64",
        mode="training" if steps else "inference",
        quantity=f"{steps} training step{'s' if steps > 1 else ''}" if steps else "gradients",
        status="not run",
    )
    sizes = for_gradients(subject.graph)
    missing = [name for name in GRADIENT_TARGETS if name not in {framework.target for framework in frameworks}]
    if missing:
        note = f"not run: this compares PyTorch with TensorFlow, and {' and '.join(missing)} did not run"
        report.rows.append(replace(row, note=note))
        return
    norm = lonely_norm(subject.graph, sizes) if steps else None
    if norm is not None:
        note = f"not run: the batch norm `{norm}` would see one value per channel, on which it cannot train"
        report.rows.append(replace(row, sizes=sizes, note=note))
        return
    try:
        trial = Trial(subject, sizes, steps, spare=spare)
    except NoMask as problem:
        report.rows.append(replace(row, note=f"not run: {problem}"))
        return
    if trial.masks:
        count = len(trial.masks)
        report.notes.append(
            f"training: {'a mask' if count == 1 else f'{count} masks'} drawn here for dropout, the same in both frameworks; "
            "their own generators are not compared"
        )
    _Comparison(trial, {framework.target: framework for framework in frameworks}, report).make()


class _Comparison:
    """One trial on both frameworks, and its rows."""

    def __init__(self, trial: Trial, frameworks: Mapping[str, Framework], report: Report) -> None:
        self.trial, self.frameworks, self.report = trial, frameworks, report
        self.subject = trial.subject
        self._moved: dict[str, dict[str, float]] = {}
        self.measured: dict[str, Tensors] = {}
        self.failed = False

    def make(self) -> None:
        """Gradients are judged and let go before training goes on: there are as many of them as weights."""
        other = next(target for target in GRADIENT_TARGETS if target != MEASURE)
        if not self._measure():
            return
        run = self._attempt(other, lambda: self.trial.open(other, self.frameworks[other].device))
        found = self._attempt(other, run.begin) if run is not None else None
        if run is None or found is None:
            return
        if not self.trial.steps:
            self._against_reference(other, found)
        begun = [INPUT_GRADIENTS, WEIGHT_GRADIENTS]
        self._pair(other, [OUTPUTS, *begun] if self.trial.steps else begun, found)
        del self.measured[INPUT_GRADIENTS], self.measured[WEIGHT_GRADIENTS], found
        if self.trial.steps:
            ended = self._attempt(other, run.finish)
            if ended is not None:
                self._pair(other, [STATISTICS, self.trial.last], ended)

    def _measure(self) -> bool:
        """PyTorch's part; whether it has worked."""
        run = self._attempt(MEASURE, lambda: self.trial.open(MEASURE, self.frameworks[MEASURE].device))
        found = self._attempt(MEASURE, run.begin) if run is not None else None
        if run is None or found is None:
            return False
        self.measured |= found
        if not self.trial.steps:
            self._against_reference(MEASURE, found)
            return True
        ended = self._attempt(MEASURE, run.finish)
        self.measured |= ended or {}
        return ended is not None

    def _attempt(self, target: str, work: Callable[[], T]) -> T | None:
        """What `work` gives; where the target gives up, a row that tells and None."""
        try:
            return work()
        except Exception as problem:  # a framework may raise anything
            what = "training" if self.trial.steps else "gradients"
            note = f"refused: {locate.told(problem)}" if isinstance(problem, Failure) else locate.told(problem)
            self.report.rows.append(self._row(target, what, status="fail", note=note))
            self._add_breakdown(target, what)
            return None

    def _row(self, target: str, quantity: str, **more: object) -> Row:
        framework = self.frameworks[target]
        row = Row(
            target=target,
            runtime=framework.runtime,
            device=framework.device,
            precision="float64",
            mode="training" if self.trial.steps else "inference",
            sizes=self.trial.sizes,
            quantity=quantity,
            against=MEASURE,
            status="pass",
        )
        return replace(row, **more)  # type: ignore[arg-type]

    # ── comparisons ──────────────────────────────────────────────────────────────────────────────────────────

    def _against_reference(self, target: str, found: Mapping[str, Tensors]) -> None:
        """Outputs in inference, which the reference gives too."""
        if not self.frameworks[target].asked:
            return
        row = self._judged(target, OUTPUTS, found[OUTPUTS], self.trial.expected, against="reference")
        if row.status == "fail":
            inputs = self.trial.batches[0]
            values = evaluate(self.subject.wide, self.subject.weights, inputs, keep=True).values
            self._guarded(target, lambda: self._locate_values(target, "reference", values))

    def _pair(self, target: str, quantities: Sequence[str], found: Mapping[str, Tensors]) -> None:
        """What the reference does not give, against the measure; of what fails the very first is looked into."""
        for quantity in quantities:
            if not found[quantity] and not self.measured[quantity]:
                continue
            row = self._judged(target, quantity, found[quantity], self.measured[quantity])
            if row.status == "fail" and not self.failed:
                self.failed = True
                self._locate(target, row, found)

    def _judged(self, target: str, quantity: str, found: Tensors, expected: Tensors, against: str = MEASURE) -> Row:
        whole = {o.name for o in self.trial.graph.outputs if o.value.type.dtype not in FLOATS} if quantity == OUTPUTS else set()
        told = judge(
            found,
            expected,
            lambda name: EXACT if name in whole else GATE,
            lambda: self._movement(quantity),
            self._layers if quantity == WEIGHT_GRADIENTS else None,
        )
        row = self._row(target, quantity, against=against, tensor=told.tensor, error=told.error, gate=told.gate)
        row = replace(row, status=told.status, note=told.note)
        self.report.rows.append(row)
        return row

    def _layers(self, name: str) -> set[str]:
        """The parameters of the layers that have the parameter `name`."""
        layers = [{parameter.name for parameter in node.params.values()} for node in self.trial.graph.nodes]
        return set().union(*(names for names in layers if name in names))

    def _movement(self, quantity: str) -> dict[str, float]:
        """By how much a quantity moves on the measure itself, when inputs and weights do; the most of two tries."""
        if quantity not in self._moved:
            for seed in range(2):
                run = self.trial.open(MEASURE, self.frameworks[MEASURE].device, moved=seed)
                again = run.begin()
                if quantity not in again:
                    again = run.finish()
                for other in again.keys() & self.measured.keys():
                    moved = self._moved.setdefault(other, {})
                    for name, array in again[other].items():
                        moved[name] = max(scaled_error(array, self.measured[other][name]), moved.get(name, 0.0))
        return self._moved[quantity]

    # ── where ────────────────────────────────────────────────────────────────────────────────────────────────

    def _locate(self, target: str, row: Row, found: Mapping[str, Tensors]) -> None:
        if row.quantity == OUTPUTS:
            self._guarded(target, lambda: self._locate_values(target, MEASURE, self._values(MEASURE)))
        elif row.quantity in (INPUT_GRADIENTS, WEIGHT_GRADIENTS):
            self._guarded(target, lambda: self._locate_gradients(target))
        else:
            self._locate_parameter(target, row, found)

    def _guarded(self, target: str, search: Callable[[], None]) -> None:
        try:
            search()
        except Exception as problem:
            self.report.notes.append(
                f"{target}: the layer could not be found, since looking inside fails: {locate.told(problem)}"
            )

    def _observer(self, target: str) -> locate.Observe:
        def observe(graph: Graph) -> Tensors:
            module, names = with_graph(self.trial.module, graph), graph.parameters()
            weights = {name: array for name, array in self.subject.weights.items() if name in names}
            backend = open_backend(
                target,
                module,
                weights,
                training=self.trial.steps > 0,
                device=self.frameworks[target].device,
                straight=True,
            )
            return backend.run(self.trial.batches[0]).outputs

        return observe

    def _values(self, target: str) -> Tensors:
        """Every inner value, by the name of its Value."""
        seen, names = exposing(self.trial.graph, inner_values(self.trial.graph))
        found = self._observer(target)(seen)
        return {value.name: found[name] for name, value in names.items()}

    def _locate_values(self, target: str, against: str, expected: Mapping[str, Array]) -> None:
        gates = {
            value.name: GATE if value.type.dtype in FLOATS else EXACT
            for node in self.trial.graph.nodes
            for value in node.outputs
        }
        place = locate.by_values(self.trial.graph, self._observer(target), expected, gates)
        self._add(target, OUTPUTS, against, place)

    def _locate_gradients(self, target: str) -> None:
        graph, probes = with_probes(self.trial.graph)
        module = with_graph(self.trial.module, graph)
        gradients = {}
        for name in (target, MEASURE):
            backend = open_backend(
                name,
                module,
                self.subject.weights,
                training=self.trial.steps > 0,
                device=self.frameworks[name].device,
                straight=True,
            )
            gradients[name] = backend.run(self._with_zeros(probes), self.trial.cotangents).gradients
        place = locate.by_gradients(self.trial.graph, probes, gradients[target], gradients[MEASURE], GATE)
        self._add(target, "gradients", MEASURE, place)

    def _with_zeros(self, probes: Sequence[Probe]) -> Tensors:
        import numpy as np

        from convspec.ir.dims import evaluate as size_of

        zeros = {p.value.name: np.zeros([size_of(size, self.trial.sizes) for size in p.value.type.shape]) for p in probes}
        return self.trial.batches[0] | zeros

    def _locate_parameter(self, target: str, row: Row, found: Mapping[str, Tensors]) -> None:
        """The layer that owns the worst statistic or weight."""
        name = row.tensor
        for node in self.subject.graph.nodes:
            if name is not None and name in {parameter.name for parameter in node.params.values()}:
                known = self.measured[row.quantity]
                place = locate.Place(node, f"`{name}`", found[row.quantity][name], known[name], GATE)
                self._add(target, row.quantity, MEASURE, place)
                return

    def _add(self, target: str, quantity: str, against: str, place: locate.Place | None) -> None:
        if place is None:
            self.report.notes.append(f"{target}, {quantity}: no layer diverges by itself when looked at one by one")
        else:
            self.report.divergences.append(locate.divergence(target, quantity, against, place))

    def _add_breakdown(self, target: str, what: str) -> None:
        found = locate.by_breaking(self.trial.graph, self._differentiating(target))
        if found is not None:
            self.report.divergences.append(locate.breakdown(target, what, *found))

    def _differentiating(self, target: str) -> locate.Observe:
        """Runs a graph forward and backward."""

        def observe(graph: Graph) -> Tensors:
            module, names = with_graph(self.trial.module, graph), graph.parameters()
            weights = {name: array for name, array in self.subject.weights.items() if name in names}
            device, training = self.frameworks[target].device, self.trial.steps > 0
            backend = open_backend(target, module, weights, training=training, device=device, straight=True)
            outputs = backend.run(self.trial.batches[0]).outputs
            return backend.run(self.trial.batches[0], outputs).outputs

        return observe


__all__ = ["Framework", "check_exactly"]
