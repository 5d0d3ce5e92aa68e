"""One experiment in float64, done alike by PyTorch and TensorFlow: outputs and gradients, or some steps of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from convspec.elaborate.module import Module
from convspec.ir import dims
from convspec.ir.graph import Graph
from convspec.ir.types import FLOATS, Array
from convspec.verify.backends import Backend, Result, as_floats, open_backend
from convspec.verify.graphs import FLOAT64, Mask, in_float64, with_graph, with_masks
from convspec.verify.inputs import draw, draw_masks, nudged, projection
from convspec.verify.precision import ROUNDING
from convspec.verify.subject import Subject

LARGE = 20_000_000
"""Networks with more parameters than this are built anew for training rather than kept, which would take the memory."""

Tensors = dict[str, Array]
OUTPUTS, INPUT_GRADIENTS, WEIGHT_GRADIENTS, STATISTICS = (
    "outputs",
    "input gradients",
    "weight gradients",
    "running statistics",
)
STRIDE = 0.05
"""How far the first step of training moves the weight that it moves most, as a share of its largest element."""


@dataclass
class Trial:
    """`steps` 0: outputs and gradients in inference. More: in training, one batch and one set of masks for each step."""

    subject: Subject
    sizes: Mapping[str, int]
    steps: int = 0
    rate: float | None = None
    """Of the descent; found by the first run."""
    spare: dict[str, Backend] = field(default_factory=dict)
    """Backends with untouched weights, by target, that an earlier trial has left; building a deep one takes long."""
    module: Module = field(init=False)
    """The network in float64, with masks as inputs where it trains."""
    masks: list[Mask] = field(init=False)

    def __post_init__(self) -> None:
        graph, self.masks = with_masks(self.subject.graph) if self.steps else (self.subject.graph, [])
        wide = in_float64(graph)
        self.straight = wide is not self.subject.graph
        self.module = with_graph(self.subject.module, wide) if self.straight else self.subject.module
        if self.masks:
            self.spare = {}  # they are of another graph

    @property
    def graph(self) -> Graph:
        return self.module.graph

    @property
    def last(self) -> str:
        """The name of what the weights are in the end."""
        return f"weights after {self.steps} step{'s' if self.steps > 1 else ''}"

    @cached_property
    def batches(self) -> list[Tensors]:
        """The inputs of every step, masks too, floats in float64."""
        found = []
        for number in range(max(1, self.steps)):
            seed = self.subject.seed + 100 + number
            arrays = draw(self.subject.graph, self.sizes, seed) | draw_masks(self.masks, self.sizes, seed)
            found.append(as_floats(arrays, FLOAT64))
        return found

    @cached_property
    def cotangents(self) -> Tensors:
        """What each float output is multiplied with to make the loss."""
        outputs = {output.name: output.value.type for output in self.graph.outputs}
        return {
            name: projection(name, [dims.evaluate(size, self.sizes) for size in of.shape])
            for name, of in outputs.items()
            if of.dtype in FLOATS
        }

    def run(self, target: str, device: str, moved: int | None = None, begin: bool = False) -> dict[str, Tensors]:
        """What the target finds, by quantity and tensor.

        `moved`: the seed by which inputs and weights are moved a little. `begin`: the first step's part alone.
        """
        weights, batches = as_floats(self.subject.weights, FLOAT64), self.batches
        if moved is not None:
            far = ROUNDING[FLOAT64]
            weights, batches = nudged(weights, far, moved), [nudged(batch, far, moved) for batch in batches]
        backend = self.spare.pop(target, None) if moved is None else None
        if backend is None:
            backend = open_backend(target, self.module, weights, device=device, straight=self.straight)
        del weights  # it has its own by now
        backend.training = self.steps > 0
        first = backend.run(batches[0], self.cotangents)
        found = self._first(first)
        if self.steps and not begin:
            self._train(backend, first, batches)
            found |= self._state(backend.state())
        elif moved is None and sum(array.size for array in self.subject.weights.values()) <= LARGE:
            self.spare[target] = backend
        return found

    def _first(self, result: Result) -> dict[str, Tensors]:
        masks = {mask.value.name for mask in self.masks}
        inputs = {item.value.name for item in self.graph.inputs}
        return {
            OUTPUTS: result.outputs,
            INPUT_GRADIENTS: {n: g for n, g in result.gradients.items() if n in inputs and n not in masks},
            WEIGHT_GRADIENTS: {n: g for n, g in result.gradients.items() if n not in inputs},
        }

    def _train(self, backend: Backend, first: Result, batches: list[Tensors]) -> None:
        if self.rate is None:
            self.rate = _rate(self.subject.weights, first.gradients)
        backend.step(self.rate)
        for batch in batches[1:]:
            backend.run(batch, self.cotangents)
            backend.step(self.rate)

    def _state(self, state: Tensors) -> dict[str, Tensors]:
        learned = {name for name, parameter in self.graph.parameters().items() if parameter.trainable}
        return {
            STATISTICS: {name: array for name, array in state.items() if name not in learned},
            self.last: {name: array for name, array in state.items() if name in learned},
        }


def _rate(weights: Mapping[str, Array], gradients: Mapping[str, Array]) -> float:
    """A rate at which no weight moves by more than a small share of itself: training neither stands still nor runs away."""
    import numpy as np

    shares = []
    for name, array in weights.items():
        largest = float(np.abs(gradients[name]).max()) if name in gradients and array.size else 0.0
        scale = float(np.abs(array.astype(np.float64)).max()) if largest else 0.0
        if scale > 0 and np.isfinite(largest):
            shares.append(largest / scale)
    return STRIDE / max(shares) if shares and max(shares) > 0 else 0.01


__all__ = ["INPUT_GRADIENTS", "OUTPUTS", "STATISTICS", "WEIGHT_GRADIENTS", "Trial"]
