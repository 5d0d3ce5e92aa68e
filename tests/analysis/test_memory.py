"""Peak activation memory against counts by hand, in elements of float32."""

from __future__ import annotations

import pytest

from convspec.analysis.memory import activation_memory, tensor_bytes
from convspec.elaborate import loads
from convspec.ir.dims import DimError, symbol
from convspec.ir.graph import Graph
from convspec.ir.types import TensorType

FLOAT = 4


def graph(body: str, shape: str = "1, 2, 8, 8") -> Graph:
    return loads(f"model Net {{\ninput x: float32[{shape}]\n{body}\n}}").graph


@pytest.mark.parametrize(
    ("body", "elements"),
    [
        # A chain: input and output of the largest layer.
        ("output x -> relu -> relu -> relu", 128 + 128),
        ("output x -> conv(4, 3x3, pad = 1) -> conv(1, 3x3, pad = 1)", 128 + 256),
        ("output x -> conv(4, 1x1) -> conv(8, 1x1) -> conv(1, 1x1)", 256 + 512),
        # A skip stays until the addition has read it: x, relu's output and the sum.
        ("output x + (x -> relu)", 128 + 128 + 128),
        ("y = x -> relu -> relu\noutput x + y", 3 * 128),
        # The skip lives beside the widest layer of the branch.
        ("y = x -> conv(8, 1x1) -> conv(8, 1x1) -> conv(2, 1x1)\noutput x + y", 128 + 512 + 512),
        # An output lives to the end.
        ("y = x -> conv(8, 1x1)\noutput y\noutput z = y -> conv(1, 1x1) -> relu -> conv(16, 1x1)", 512 + 64 + 1024),
        # Nothing in place; dropout costs nothing.
        ("output x -> dropout -> relu -> dropout -> relu", 128 + 128),
        ("y = x -> dropout\noutput y + (y -> relu)", 3 * 128),
        ("output x + (x -> dropout)", 128 + 128),
        # The input may be an output.
        ("output x\noutput y = x -> relu -> relu -> relu", 3 * 128),
        # A tensor read twice by one layer is there once.
        ("output x + x", 256),
        # A part of a split that nobody reads goes at once.
        ("a, b = x -> split(2)\noutput a -> relu -> relu", 128 + 128),
    ],
)
def test_peaks_by_hand(body: str, elements: int) -> None:
    assert activation_memory(graph(body)) == FLOAT * elements


def test_symbolic_peak() -> None:
    net = graph("output x -> conv(8, 3x3, stride = 2, pad = 1) -> relu -> global_avgpool", "N, 3, 2*h, 2*h")
    assert str(activation_memory(net)) == f"{FLOAT * (3 * 4 + 8)}*N*h**2"
    assert activation_memory(net, {"N": 2, "h": 5}) == FLOAT * 20 * 2 * 25
    assert str(activation_memory(net, {"h": 5})) == f"{FLOAT * 20 * 25}*N"


def test_a_peak_that_depends_on_the_sizes() -> None:
    """Wide and flat: which layer is the peak depends on the size of the image."""
    net = graph("y = x -> global_avgpool -> flatten -> linear(1000) -> linear(1000)\noutput y", "1, 1, H, H")
    with pytest.raises(DimError):
        activation_memory(net)
    assert activation_memory(net, {"H": 4}) == FLOAT * 2000
    assert activation_memory(net, {"H": 100}) == FLOAT * (10_000 + 1)


@pytest.mark.parametrize(
    ("dtype", "size"), [("float64", 8), ("float16", 2), ("bfloat16", 2), ("int64", 8), ("uint8", 1), ("bool", 1)]
)
def test_bytes_of_types(dtype: str, size: int) -> None:
    assert tensor_bytes(TensorType(dtype, (2, 3))) == 6 * size
    assert tensor_bytes(TensorType(dtype, (symbol("N"), 3))) is 3 * size * symbol("N")
