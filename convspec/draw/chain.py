"""A network without branches as tensors in a row, and what leads from each to the next: what volumes are drawn of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Any

from convspec.diagnostics import Failure, error, fail
from convspec.draw.diagram import Diagram, Layer, Measure
from convspec.ir.dims import Size, evaluate
from convspec.ir.types import TensorType
from convspec.records import dataclass

MOST = 40
"""More tensors than these are no picture."""
_HINT = "--style blocks draws any network"


@dataclass(slots=True, eq=False)
class Step:
    """A tensor, and the layers that made it out of the one before: a first one, and those after it that keep its shape."""

    extents: tuple[int, ...]
    """Without the batch: channels, then space; one number for a vector."""
    layers: list[Layer] = field(default_factory=list)

    def weight(self, measure: Measure) -> float:
        """What its layers cost."""
        return sum(layer.numbers.weights[measure] for layer in self.layers)

    @property
    def kernel(self) -> tuple[int, ...] | None:
        """The window of the first layer along each axis, dilation counted in; None where it has none."""
        return window(self.layers[0]) if self.layers else None


def chain(drawn: Diagram) -> list[Step]:
    """The tensors from the input to the output, at the diagram's basis. Failure CNN401 where the network has branches."""
    if len(drawn.inputs) != 1 or len(drawn.outputs) != 1:
        ends = f"{_count(len(drawn.inputs), 'input')} and {_count(len(drawn.outputs), 'output')}"
        raise fail(error("CNN401", f"volumes show a network with one input and one output; this has {ends}", hint=_HINT))
    readers: dict[object, int] = {}
    for edge in drawn.edges:
        readers[edge.value] = readers.get(edge.value, 0) + 1
    steps = [Step(_extents(drawn.inputs[0].type, drawn))]
    current = next(edge.value for edge in drawn.edges if edge.source == "in0") if drawn.edges else None
    for layer in drawn.root.layers():
        if layer.node.inputs != (current,) or readers.get(current) != 1 or len(layer.outputs) != 1:
            raise _branch(layer)
        current = layer.node.outputs[0]
        _add(steps, layer, drawn)
    if len(steps) > MOST:
        message = f"volumes show at most {MOST} tensors, and this network has {len(steps):,}"
        raise fail(error("CNN401", message, hint=_HINT))
    return steps


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _branch(layer: Layer) -> Failure:
    message = f"volumes show a network without branches, and `{layer.node.path}` stands on one"
    return fail(error("CNN401", message, layer.span, hint=_HINT))


def _add(steps: list[Step], layer: Layer, drawn: Diagram) -> None:
    extents = _extents(layer.outputs[0], drawn)
    last = steps[-1]
    plain = layer.node.op.receptive_field is None and layer.numbers.weights["macs"] == 0
    if last.layers and plain and extents == last.extents:
        last.layers.append(layer)
    else:
        steps.append(Step(extents, [layer]))


def _extents(kind: TensorType, drawn: Diagram) -> tuple[int, ...]:
    sizes: tuple[Size, ...] = kind.shape[1:] if kind.rank > 1 else kind.shape
    return tuple(evaluate(size, drawn.basis) for size in sizes)


def window(layer: Layer) -> tuple[int, ...] | None:
    """The extent of a layer's window on its input, along each axis; None where it has none or sees a whole axis."""
    node = layer.node
    if node.op.receptive_field is None:
        return None
    found = node.op.receptive_field(node.attrs, *node.input_types)
    if found is None or None in found.extent or all(extent == 1 for extent in found.extent):
        return None
    return tuple(extent for extent in found.extent if extent is not None)


def said(layer: Layer) -> str:
    """A layer in few words: `conv 7×7 /2`, `maxpool 2×2 /2`, `relu`."""
    attrs = layer.node.attrs
    words = [layer.node.op.name, _sizes(getattr(attrs, "kernel", None))]
    stride = _sizes(getattr(attrs, "stride", None))
    if stride and set(stride) - set("1×"):
        words.append(f"/{stride.split('×')[0] if len(set(stride.split('×'))) == 1 else stride}")
    return " ".join(filter(None, words))


def _sizes(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple) and value and all(isinstance(each, int) for each in value):
        return "×".join(map(str, value))
    return ""


def texts(step: Step) -> Iterator[str]:
    """What leads to a tensor: the label of the first layer where it names weights, then a line for each layer."""
    if step.layers and step.layers[0].node.params:
        yield step.layers[0].node.path
    yield from map(said, step.layers)
