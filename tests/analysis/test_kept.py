"""What layers keep for their backward pass, against what autograd really saves."""

from __future__ import annotations

import pytest

from convspec import load
from convspec.analysis import training
from convspec.analysis.kept import ESTIMATED, is_float
from convspec.analysis.sizes import symbolic_sizes
from convspec.analysis.training import plan
from convspec.elaborate import loads
from convspec.ir.graph import Graph
from convspec.zoo import find, networks
from tests.analysis.autograd import kept_by_autograd
from tests.conformance.catalogue import cells, op_names

SMALL_TABLES = {"normalize", "graph_readout"}
"""Layers that keep a few numbers that are not counted: constants, one for each example."""
OTHERWISE = {
    "x -> avgpool(3, stride = 2, pad = [[1, 0], 1, [0, 1]], ceil = true)",
    "x -> matmul(y, transpose_a = true)",
    "x -> maxpool(2, stride = 1, dilation = 3, pad = 2, indices = true)",
    "x -> pad(0, mode = reflect)",
}
"""Cells that PyTorch takes another way than the layer usually goes."""


EXACT = sorted(set(op_names()) - ESTIMATED - SMALL_TABLES)


@pytest.mark.parametrize("op", EXACT)
def test_every_layer(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _hold_against_autograd(op, 9, monkeypatch)


@pytest.mark.zoo
@pytest.mark.parametrize("op", EXACT)
def test_every_cell(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _hold_against_autograd(op, 1, monkeypatch)


def _hold_against_autograd(op: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step-th cell of the conformance tests, with inputs that need gradients, to the byte."""
    _learning_inputs(monkeypatch)
    checked = 0
    for cell in [cell for cell in cells(op) if cell.text not in OTHERWISE and "pytorch" not in cell.impossible][::step]:
        module = cell.module
        sizes = {name: max(least, 2) for name, least in symbolic_sizes(module.graph).items()}
        assert plan(module.graph).kept_bytes(sizes) == kept_by_autograd(module, sizes, inputs_learn=True), cell.text
        checked += 1
    assert checked, "something was compared"


def _learning_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the middle of a network, where what comes in needs a gradient."""
    usual = training._Training.__init__

    def init(self: training._Training, graph: Graph, made: training.Plan) -> None:
        usual(self, graph, made)
        self.needs |= {each.value for each in graph.inputs if is_float(each.value.type)}

    monkeypatch.setattr(training._Training, "__init__", init)


@pytest.mark.parametrize("name", ["LeNet5", "SqueezeNet1_1", "TextCNN", "ConvVAE"])
def test_networks(name: str) -> None:
    network = find(name)
    module = load(f"zoo:{name}").module
    sizes = {**network.sizes, **({"N": 3} if "N" in network.sizes else {})}
    assert plan(module.graph).kept_bytes(sizes) == kept_by_autograd(module, sizes)


LARGE_ERRORS = {"Tox21GCN": 0.02, "LRASPP_MobileNetV3_Large": 0.001}
"""Networks with layers that are estimated, and how far off the count may be."""


@pytest.mark.zoo
@pytest.mark.parametrize("name", [each.name for each in networks() if each.macs < 6e9])
def test_the_zoo(name: str) -> None:
    network = find(name)
    module = load(f"zoo:{name}").module
    sizes = {**network.sizes, **({"N": 2} if "N" in network.sizes else {})}
    real = kept_by_autograd(module, sizes)
    allowed = LARGE_ERRORS.get(name, 0.001 if {node.op.name for node in module.graph.nodes} & ESTIMATED else 0.0)
    assert abs(plan(module.graph).kept_bytes(sizes) - real) <= allowed * real


@pytest.mark.parametrize(
    ("body", "bytes_"),
    [
        ("output x -> relu", 0),  # nothing learns
        ("output x -> relu -> conv(1, 1x1) -> relu", 512 + 256),  # the input of conv, and the output of the last relu
        ("y = x -> conv(2, 1x1)\noutput y -> flatten -> linear(3)", 512 + 512),
        ("y = x -> conv(2, 1x1)\noutput y -> dropout(0.5) -> conv(2, 1x1)", 512 + 128 + 512),
        ("y = x -> conv(2, 1x1)\noutput y -> dropout(0) -> conv(2, 1x1)", 512 + 512),
        ("y = x -> conv(2, 1x1)\noutput y -> maxpool(2x2)", 512 + 512 + 32 * 8),
        ("y = x -> conv(2, 1x1)\noutput y + y", 512),
        ("y = x -> conv(2, 1x1)\noutput y * y", 512 + 512),
        ("y = x -> conv(2, 1x1)\na, b = y -> split(2)\noutput a * b", 512 + 512),
        ("y = x -> conv(2, 1x1) -> batchnorm -> relu\noutput y -> conv(2, 1x1)", 512 + 512 + 16 + 512),
        ("layer same = conv(2, 1x1)\noutput x -> same -> same", 512 + 512),
    ],
)
def test_by_hand(body: str, bytes_: int) -> None:
    """`x` has 128 elements of float32."""
    module = loads(f"model Net {{\ninput x: float32[1, 2, 8, 8]\n{body}\n}}")
    assert plan(module.graph).kept_bytes({}) == bytes_
    assert kept_by_autograd(module, {}) == bytes_
