"""Layers that slide a window over space: their window, step and padding per axis."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.ir.dims import Size
from convspec.ir.graph import Node
from convspec.ops._axes import axis_name
from convspec.records import dataclass

OPS = frozenset({"conv", "depthwise_conv", "separable_conv", "ws_conv", "maxpool", "avgpool", "lppool"})
_MADE_UP = ("zeros", "constant")


@dataclass(frozen=True, slots=True)
class Slide:
    """One axis: `taps` cells, `dilation` apart, at every `stride`-th place of an input of `size` cells, padded."""

    index: int
    """Of the spatial axes."""
    axis: str
    size: Size
    outputs: Size
    taps: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def extent(self) -> int:
        """Cells from the first tap to the last, both included."""
        return (self.taps - 1) * self.dilation + 1


def slides(node: Node) -> Iterator[Slide]:
    """The axes of a sliding layer whose padding holds a constant; of any other layer nothing."""
    if node.op.name not in OPS or getattr(node.attrs, "pad_mode", "zeros") not in _MADE_UP:
        return
    a, source, made = node.attrs, node.input_types[0], node.output_types[0]
    dilation = getattr(a, "dilation", None) or (1,) * len(a.kernel)
    for index, (size, outputs) in enumerate(zip(source.spatial, made.spatial, strict=True)):
        before, after = a.pad[index]
        name = axis_name(index + 2, source.rank)
        yield Slide(index, name, size, outputs, a.kernel[index], a.stride[index], dilation[index], before, after)
