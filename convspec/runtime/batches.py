"""How many pictures go in together: as many as an estimate of the memory allows, up to where more brings nothing.

Convention. A picture in a batch of `b` takes
- what the activations take, one layer after the other (`analysis.memory`: no workspace, nothing in place), times `_MARGIN`,
- its input three times: decoded ahead, decoded for this batch, and in the batch (which the activations count),
- its outputs twice: as they come, and as they wait to be written.
Weights and what the runtime takes for itself are not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from convspec.analysis.memory import DimError, activation_memory, tensor_bytes
from convspec.diagnostics import Failure
from convspec.ir.dims import evaluate
from convspec.ir.graph import Graph
from convspec.runtime.base import ModelFile, Program
from convspec.runtime.inputs import BATCH
from convspec.runtime.signature import Signature
from convspec.runtime.sizes import solve_sizes

DEFAULT_MEMORY = 2_000_000_000
MOST_ON_CPU, MOST_ON_GPU = 32, 256
"""Where larger batches bring no more throughput."""
_MARGIN = 2.0
"""For layouts that a runtime pads, and memory that it keeps in pieces. ONNX Runtime's CPU provider took 1.4 to 1.9 times the
peak of ResNet-18, ResNet-50, MobileNetV3 and DenseNet-121."""

Peak: TypeAlias = Callable[[dict[str, int]], int]
"""The peak of the activations in bytes, at these values of the symbolic sizes. DimError where it cannot be told."""

Shape: TypeAlias = tuple[int, ...]


@dataclass(slots=True)
class Memory:
    """The estimate for one network with one input of pictures, and the budget that batches have to keep to.

    `peak` is None where nothing is known of the activations.
    """

    signature: Signature
    budget: int
    most: int
    peak: Peak | None
    _known: dict[Shape, int | None] = field(default_factory=dict)

    @property
    def declared(self) -> int | None:
        """The batch size, where the network takes no other."""
        size = self.signature.inputs[0].type.shape[0]
        return size if isinstance(size, int) else None

    def largest(self, shape: Shape) -> int:
        """The largest batch of pictures of `shape` (C, H, W) within the budget; at least 1."""
        if self.declared is not None:
            return self.declared
        each = self.each(shape)
        return BATCH if each is None else max(1, min(self.most, self.budget // max(1, each)))

    def each(self, shape: Shape) -> int | None:
        """The bytes that one more picture of `shape` takes, None where that cannot be told."""
        if shape not in self._known:
            self._known[shape] = self._estimate(shape)
        return self._known[shape]

    def _estimate(self, shape: Shape) -> int | None:
        spec = self.signature.inputs[0]
        if self.peak is None:
            return None
        try:
            one, two = ({**solve_sizes([spec], {spec.name: (count, *shape)})} for count in (1, 2))
            inputs = evaluate(tensor_bytes(spec.type), one)
            outputs = sum(evaluate(tensor_bytes(output.type), one) for output in self.signature.outputs)
            peak = max(self.peak(one), self.peak(two) - self.peak(one))
        except (DimError, Failure, TypeError, KeyError, ValueError):
            return None
        return round(_MARGIN * peak) + 2 * inputs + 2 * outputs


def memory_of(program: Program, signature: Signature, device: str, budget: int, wide: bool) -> Memory:
    """What `program` needs on `device`, by the layers of a spec, or by the shapes that a compiled model declares.

    `wide`: the runtime computes in float64 whatever is declared.
    """
    most = MOST_ON_CPU if device.startswith("cpu") else MOST_ON_GPU
    peak = _peak_of_file(program) if isinstance(program, ModelFile) else _peak_of(program.module.graph, 2 if wide else 1)
    return Memory(signature, budget, most, peak)


def _peak_of(graph: Graph, factor: int) -> Peak:
    return lambda sizes: factor * evaluate(activation_memory(graph, sizes), {})


def _peak_of_file(model: ModelFile) -> Peak | None:
    from convspec.runtime.onnxmemory import peak_of

    return peak_of(model.path)
