"""What is verified: a network with its weights, and inputs with the reference's answers at several sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from convspec.elaborate.module import Module
from convspec.ir.graph import Graph
from convspec.ir.types import FLOATS, Array
from convspec.passes import Optimised, optimise
from convspec.precision import LOW, Lowered, lower
from convspec.precision.gates import gates as measured_gates
from convspec.precision.gates import simulate
from convspec.runtime.reference import evaluate
from convspec.verify import sizes as choices
from convspec.verify.compare import EXACT, GATES, scaled_error
from convspec.verify.graphs import in_float64
from convspec.verify.inputs import draw, nudged
from convspec.verify.precision import ROUNDING, coarsest, gates_of

TRIES = (1, 1)
"""By how many roundings inputs and weights are moved, one try after another."""
TRIES_OF_CHOICES = (*TRIES, *[10] * 6)
"""The same where a layer chooses: values that roundings on the way may exchange seldom change places by one at the input."""
CHOOSING = ("kmaxpool",)
"""Layers whose output jumps where two values change places."""


@dataclass(frozen=True, slots=True)
class Case:
    """Inputs at some sizes, and what the float64 reference makes of them."""

    sizes: Mapping[str, int]
    arrays: Mapping[str, Array]
    expected: Mapping[str, Array]


@dataclass
class Subject:
    """One network. The reference is run once for each choice of sizes."""

    module: Module
    weights: Mapping[str, Array]
    seed: int
    device: str = "auto"
    optimize: int = 0
    """The level at which targets run the network; the reference runs it as it is."""
    precision: str = "fp32"
    """The precision that targets run it in."""
    wide: Graph = field(init=False)
    """The graph with every float a float64, which is what the reference runs."""

    def __post_init__(self) -> None:
        self.wide = in_float64(self.module.graph)

    @property
    def graph(self) -> Graph:
        return self.module.graph

    @property
    def as_written(self) -> bool:
        """Whether targets run the network as its spec has it."""
        return not self.optimize and self.precision == "fp32"

    def made_for(self, target: str) -> Optimised:
        """What `target` is given to run; in a lower precision it lowers that itself."""
        level = self.optimize if self.precision == "fp32" else max(1, self.optimize)
        return optimise(self.module, self.weights, level, target)

    @cached_property
    def lowered(self) -> Lowered:
        """The network in the precision that targets compute in."""
        made = self.made_for("onnx")
        return lower(made.module, made.weights, self.precision)

    def gates(self, case: Case) -> dict[str, float]:
        """The scaled error that each output is allowed, by name.

        In a lower precision at least what the network loses if nothing but its tensors is rounded, and some more.
        """
        if self.precision == "fp32":
            gates = gates_of(self.graph)
            return {output.name: gates[output.value] for output in self.graph.outputs}
        graph = self.lowered.module.graph
        low = GATES[LOW[self.precision]]
        base = {o.name: low if o.value.type.dtype in FLOATS else EXACT for o in graph.outputs}
        return measured_gates(simulate(graph, self.lowered.weights, case.arrays), case.expected, base)

    @cached_property
    def cases(self) -> list[Case]:
        """The choices of sizes at which outputs are compared."""
        return [self._case(number, at) for number, at in enumerate(choices.for_outputs(self.graph))]

    def _case(self, number: int, at: Mapping[str, int]) -> Case:
        arrays = draw(self.graph, at, self.seed + number)
        return Case(at, arrays, evaluate(self.wide, self.weights, arrays).outputs)

    @cached_property
    def rounding(self) -> float:
        """One rounding of the coarsest float that the network declares."""
        through = {dtype for dtype in coarsest(self.graph).values() if dtype in FLOATS}
        return max((ROUNDING[dtype] for dtype in through), default=0.0)

    def movement(self, case: Case) -> dict[str, float]:
        """By how much each output moves for each rounding by which inputs and weights are moved, the most of a few tries."""
        found = dict.fromkeys(case.expected, 0.0)
        if self.precision != "fp32":
            return found  # its gates have been measured already
        chooses = any(node.op.name in CHOOSING for node in self.wide.nodes)
        for seed, roundings in enumerate(TRIES_OF_CHOICES if chooses else TRIES):
            weights, arrays = (nudged(given, roundings * self.rounding, seed) for given in (self.weights, case.arrays))
            moved = evaluate(self.wide, weights, arrays).outputs
            found = {n: max(far, scaled_error(moved[n], case.expected[n]) / roundings) for n, far in found.items()}
        return found

    def remarks(self) -> list[str]:
        """What weakens the proof: outputs of the reference that are not finite, or zero throughout."""
        found = []
        for case in self.cases:
            for name, values in case.expected.items():
                if values.dtype.name not in FLOATS or not values.size:
                    continue
                odd = int((~np.isfinite(values)).sum())
                if odd:
                    found.append(f"{name}: {odd:,} of {values.size:,} values are infinite or no numbers in the reference too")
                elif not values.any():
                    found.append(f"{name}: the reference gives zeros throughout, which proves little")
        return list(dict.fromkeys(found))


__all__ = ["Case", "Subject"]
