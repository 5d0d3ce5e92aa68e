"""What widths cost on ONNX Runtime's CPU, which lays tensors out in blocks of channels where it can.

Measured on a processor with AVX-512 (blocks of 16), one thread: stacks of layers of one width, side by side with the same
stacks at a multiple of 4. A convolution runs in blocks where its input has a multiple of 4 channels (or less than a block), a
depthwise one where it has a multiple of 4; the number of output channels does not matter. Outside of blocks a 1x1 or 3x3
convolution takes 1.2 + 22 / width times as long for each multiplication, a depthwise one 5 to 6 times.
"""

from __future__ import annotations

from math import prod, sqrt

from convspec.ir import dims
from convspec.ir.graph import Node
from convspec.ir.types import TensorType
from convspec.passes._branches import conv_of

BLOCK = 16
ALIGNED = 4

_DEPTHWISE = 4.2
"""A multiplication of a depthwise convolution in blocks, in those of a dense one."""
_DEPTHWISE_OUTSIDE = 23.0
_COPY = 15.0
"""Moving one element into or out of blocks, or into a slice."""
_TYPICAL = 7
"""What a symbolic size is taken for: only how layers compare at one size matters."""


def aligned(channels: int) -> int:
    """The multiple of 4 from `channels` up."""
    return -(-channels // ALIGNED) * ALIGNED


def area(x: TensorType) -> int:
    """Cells of one channel of one example."""
    return prod(
        dims.evaluate(n, {name: max(_TYPICAL, dims.minima(n).get(name, 1)) for name in dims.symbols(n)}) for n in x.spatial
    )


def copy_cost(x: TensorType, channels: int) -> float:
    """Moving a tensor."""
    return _COPY * area(x) * channels


def depthwise_cost(node: Node, channels: int) -> float:
    """A depthwise convolution with this many channels."""
    each = _DEPTHWISE if channels % ALIGNED == 0 else _DEPTHWISE_OUTSIDE
    return each * area(node.output_types[0]) * prod(conv_of(node).kernel) * channels


def dense_cost(node: Node, channels: int, filters: int) -> float:
    """A convolution of one group, or a linear layer over channels."""
    kernel = prod(node.attrs.kernel) if node.op.name == "conv" else 1
    cells = area(node.output_types[0]) * kernel
    if in_blocks(channels):
        return cells * _whole(channels if channels >= BLOCK else 0, channels) * _whole(filters, filters)
    return cells * channels * filters * (1.2 + 22 / sqrt(channels * filters))


def in_blocks(channels: int) -> bool:
    """Whether a dense convolution over this many channels runs in blocks."""
    return channels < BLOCK or channels % ALIGNED == 0


def _whole(channels: int, least: int) -> int:
    return max(least, -(-channels // BLOCK) * BLOCK)
