"""One experiment in float64, done alike by PyTorch and TensorFlow: outputs and gradients, or some steps of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from convspec.elaborate.module import Module
from convspec.ir import dims
from convspec.ir.graph import Graph
from convspec.ir.types import FLOATS, Array
from convspec.runtime.reference import evaluate
from convspec.verify.backends import Backend, Result, as_floats, open_backend
from convspec.verify.compare import largest
from convspec.verify.graphs import FLOAT64, Mask, in_float64, live_nodes, with_graph, with_masks
from convspec.verify.inputs import draw, draw_masks, nudged, projection
from convspec.verify.precision import ROUNDING
from convspec.verify.subject import Subject

LARGE = 20_000_000
"""Networks with more parameters than this are built anew for training rather than kept, which would take the memory."""

Tensors = Mapping[str, Array]
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
    def batches(self) -> list[dict[str, Array]]:
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

    @cached_property
    def expected(self) -> dict[str, Array]:
        """What the reference makes of the first batch, in inference."""
        return evaluate(self.subject.wide, self.subject.weights, self.batches[0]).outputs

    def open(self, target: str, device: str, moved: int | None = None) -> Run:
        """The trial on one target. `moved`: the seed by which inputs and weights are moved a little."""
        weights, batches = self.subject.weights, self.batches
        if moved is not None:
            far = ROUNDING[FLOAT64]
            weights, batches = nudged(weights, far, moved), [nudged(batch, far, moved) for batch in batches]
        backend = self.spare.pop(target, None) if moved is None else None
        if backend is None:
            backend = open_backend(target, self.module, weights, device=device, straight=self.straight)
        if not self.steps and moved is None and sum(array.size for array in weights.values()) <= LARGE:
            self.spare[target] = backend
        backend.training = self.steps > 0
        return Run(self, backend, batches)


class Run:
    """A trial on one target: `begin`, then `finish`, each once. In between, what began may be looked at and let go."""

    def __init__(self, trial: Trial, backend: Backend, batches: Sequence[Tensors]) -> None:
        self.trial, self.backend, self.batches = trial, backend, batches

    def begin(self) -> dict[str, Tensors]:
        """Outputs and gradients of the first batch, by quantity and tensor."""
        result = self.backend.run(self.batches[0], self.trial.cotangents)
        if self.trial.steps and self.trial.rate is None:
            self.trial.rate = _rate(self.trial.subject.weights, result)
        masks = {mask.value.name for mask in self.trial.masks}
        inputs = [item.value.name for item in self.trial.graph.inputs]
        return {
            OUTPUTS: result.outputs,
            INPUT_GRADIENTS: result.gradients.only(name for name in inputs if name not in masks),
            WEIGHT_GRADIENTS: result.gradients.only(name for name in result.gradients if name not in inputs),
        }

    def finish(self) -> dict[str, Tensors]:
        """Running statistics and weights after the steps of training, of which the first has begun."""
        rate = self.trial.rate
        assert rate is not None
        self.backend.step(rate)
        for batch in self.batches[1:]:
            self.backend.run(batch, self.trial.cotangents)
            self.backend.step(rate)
        state = self.backend.state()
        nodes = live_nodes(self.trial.graph)
        live = {parameter.name: parameter.trainable for node in nodes for parameter in node.params.values()}
        return {
            STATISTICS: state.only(name for name in state if live.get(name) is False),
            self.trial.last: state.only(name for name in state if live.get(name)),
        }


def _rate(weights: Mapping[str, Array], result: Result) -> float:
    """A rate at which no weight moves by more than a small share of itself: training neither stands still nor runs away."""
    shares = []
    for name in result.gradients:
        far, scale = largest(result.gradients[name]), largest(weights[name]) if name in weights else 0.0
        if scale > 0:
            shares.append(far / scale)
    return STRIDE / max(shares) if shares and max(shares) > 0 else 0.01


__all__ = ["INPUT_GRADIENTS", "OUTPUTS", "STATISTICS", "WEIGHT_GRADIENTS", "Run", "Trial"]
