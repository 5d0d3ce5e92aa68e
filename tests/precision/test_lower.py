"""Which layers go to low precision, how many casts that takes, and what stays as it was."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from convspec import Failure
from convspec.ir.graph import Graph, Node
from convspec.ir.types import FLOATS
from convspec.precision import lower
from convspec.precision.assign import assign
from convspec.precision.policy import FOLLOWS, HEAVY, kinds
from convspec.weights.randomised import randomised
from tests.precision.proving import casts, lowered, network, types

LAYERS = [
    # what is worth it, and what follows it
    ("input x: float32[N, 3, 8, 8]\noutput x -> conv(4, 3x3) -> relu -> maxpool(2x2)", "conv1 relu1 maxpool1", 2),
    ("input x: float32[N, 3, 8, 8]\noutput x -> flatten -> linear(4)", "linear1", 2),
    # nothing heavy: nothing to gain
    ("input x: float32[N, 3, 8, 8]\noutput x -> relu -> maxpool(2x2)", "", 0),
    # what loses too much stays, and casts stand around it
    ("input x: float32[N, 3, 8, 8]\noutput x -> flatten -> linear(4) -> softmax", "linear1", 2),
    ("input x: float32[N, 3, 8, 8]\noutput x -> conv(4, 1x1) -> batchnorm -> relu -> conv(4, 1x1)", "conv1 conv2", 4),
    ("input x: float32[N, 3, 8, 8]\noutput x -> conv(4, 1x1) -> layernorm -> conv(4, 1x1)", "conv1 conv2", 4),
    ("input x: float32[N, 3, 8, 8]\noutput x -> conv(4, 1x1) -> exp", "conv1", 2),
    (
        "input x: float32[N, 3, 8, 8]\noutput x -> conv(4, 1x1) -> upsample(2, mode = linear) -> conv(2, 1x1)",
        "conv1 conv2",
        4,
    ),
    (
        "input x: float32[N, 3, 8, 8]\noutput x -> conv(4, 1x1) -> upsample(2, mode = nearest) -> conv(2, 1x1)",
        "conv1 upsample1 conv2",
        2,
    ),
    # one cast for both readers
    ("input x: float32[N, 3, 8, 8]\na = x -> conv(4, 1x1)\nb = x -> conv(4, 1x1)\noutput a + b", "conv1 conv2 add1", 2),
    # an output that is read on is cast for the outside alone
    ("input x: float32[N, 3, 8, 8]\na = x -> conv(4, 1x1)\noutput a\noutput b = a -> conv(4, 1x1)", "conv1 conv2", 3),
    # a split into two that float32 reads: one cast before is less than two behind
    (
        "input x: float32[N, 4, 8, 8]\na, b = x -> conv(4, 1x1) -> split(2)\noutput c = a -> softmax\noutput d = b -> softmax",
        "conv1",
        2,
    ),
    # two parts of a float32 input that convolutions read: one cast before the split
    (
        "input x: float32[N, 4, 8, 8]\na, b = x -> split(2)\noutput c = a -> conv(4, 1x1)\noutput d = b -> conv(4, 1x1)",
        "split1 conv1 conv2",
        3,
    ),
    # integers and bools are none of it
    ("input x: int32[N, 4]\noutput x -> embedding(10, 8) -> conv(4, 3)", "conv1", 2),
    # a number of the layer's own that float16 cannot hold
    ("input x: float32[N, 3, 8, 8]\noutput x -> conv(4, 1x1) -> clip(-1e6, 1e6) -> conv(4, 1x1)", "conv1 conv2", 4),
    ("input x: float32[N, 3, 8, 8]\noutput x -> pad(1, value = -1e9) -> conv(4, 1x1)", "conv1", 2),
    # a precision that the spec asks for stays
    ("input x: float64[N, 3, 8, 8]\noutput x -> conv(4, 1x1)", "", 0),
]


@pytest.mark.parametrize(("body", "low", "count"), LAYERS)
def test_layers(body: str, low: str, count: int) -> None:
    found = lowered(body)
    assert {layer for layer, dtype in types(found).items() if dtype == "float16"} == set(low.split())
    assert casts(found.module.graph) == found.report.casts == count


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
@pytest.mark.parametrize("body", [body for body, _, _ in LAYERS])
def test_the_graph_is_whole(body: str, precision: str) -> None:
    """Types agree with what each op infers; inputs, outputs and their names are those of the spec; labels are distinct."""
    net, found = network(body), lowered(body, precision)
    graph = found.module.graph
    assert [(i.value.name, i.value.type) for i in graph.inputs] == [
        (i.value.name, i.value.type) for i in net.module.graph.inputs
    ]
    assert [(o.name, o.value.type) for o in graph.outputs] == [(o.name, o.value.type) for o in net.module.graph.outputs]
    made = {item.value for item in graph.inputs}
    for node in graph.nodes:
        assert set(node.inputs) <= made
        inferred = node.op.infer(node.attrs, *node.input_types)
        assert node.output_types == (inferred if isinstance(inferred, tuple) else (inferred,))
        floats = {t.dtype for t in node.input_types if t.dtype in FLOATS} | {p.dtype for p in node.params.values()}
        assert len(floats) < 2 or node.op.name == "cast", node.path
        made.update(node.outputs)
    names = [value.name for node in graph.nodes for value in node.outputs]
    assert len(set(names)) == len(names)
    assert {name: array.dtype.name for name, array in found.weights.items()} == {
        name: parameter.dtype for name, parameter in graph.parameters().items()
    }


@pytest.mark.parametrize("body", [body for body, _, _ in LAYERS])
def test_no_choice_takes_fewer_casts(body: str) -> None:
    """Every choice for the layers that may follow is tried."""
    graph = network(body).module.graph
    kind = {node: kind for node, (kind, _) in kinds(graph.nodes, "float16").items()}
    free = [node for node in graph.nodes if kind[node] == "follows"]
    heavy = {node for node in graph.nodes if kind[node] == "heavy"}
    choices = product((False, True), repeat=len(free))
    least = min(crossings(graph, heavy | {n for n, low in zip(free, choice, strict=True) if low}) for choice in choices)
    assert crossings(graph, assign(graph, kind)) == least


def crossings(graph: Graph, low: set[Node]) -> int:
    """Pairs of a value and a type that it is not made in but read in."""
    makers = graph.producers()
    pairs = {(output.value, False) for output in graph.outputs}
    pairs |= {(value, node in low) for node in graph.nodes for value in node.inputs if value.type.dtype in FLOATS}
    return sum((value in makers and makers[value] in low) != wanted for value, wanted in pairs)


def test_what_follows_and_what_is_heavy_are_ops() -> None:
    from convspec.ops import find

    assert [name for name in (*HEAVY, *FOLLOWS) if find(name) is None] == []


def test_a_shared_layer_has_one_precision() -> None:
    shared = """
model T {
    input x: float32[N, 4, 8, 8]
    input z: float32[N, 4, 8, 8]
    layer tower = conv(4, 1x1)
    output a = x -> tower
    output b = z -> tower
}
"""
    found = lowered(shared)
    owners = [node for node in found.module.graph.nodes if node.op.name == "conv"]
    assert len({id(node.params["weight"]) for node in owners}) == 1
    assert {p.dtype for node in owners for p in node.params.values()} == {"float16"}


def test_a_slope_that_float32_reads_too_stays_wide() -> None:
    """`prelu` follows: applied to a convolution and to the input, its one weight cannot have two types."""
    found = lowered("""
model T {
    input x: float32[N, 4, 8, 8]
    layer bend = prelu
    output a = x -> conv(4, 1x1) -> bend
    output b = x -> softmax -> bend
}
""")
    assert {node.params["weight"].dtype for node in found.module.graph.nodes if node.op.name == "prelu"} == {"float32"}


ONE = "input x: float32[N, 4]\noutput x -> head: linear(2)"


@pytest.mark.parametrize(("value", "precision", "fits"), [
    (65504.0, "fp16", True),
    (65519.0, "fp16", True),  # rounds down to the largest
    (65520.0, "fp16", False),
    (-1e5, "fp16", False),
    (1e5, "bf16", True),
    (3.389e38, "bf16", True),
    (3.4e38, "bf16", False),
])  # fmt: skip
def test_weights_beyond_the_range(value: float, precision: str, fits: bool) -> None:
    module = network(ONE).module
    weights = {"head.weight": np.zeros((2, 4), np.float32), "head.bias": np.zeros(2, np.float32)}
    weights["head.weight"][1, 2] = value
    if fits:
        assert all(np.isfinite(array.astype(np.float64)).all() for array in lower(module, weights, precision).weights.values())
        return
    with pytest.raises(Failure) as caught:
        lower(module, weights, precision)
    assert caught.value.diagnostics[0].code == "CNN205"
    assert "`head.weight` holds" in caught.value.diagnostics[0].message


def test_every_layer_beyond_the_range_is_told() -> None:
    module = network("input x: float32[N, 4]\noutput x -> a: linear(2) -> b: linear(2) -> softmax -> c: layernorm").module
    weights = {name: np.full(p.shape, 1e6, np.float32) for name, p in module.graph.parameters().items()}
    with pytest.raises(Failure) as caught:
        lower(module, weights, "fp16")
    told = [diagnostic.message.split("`")[1] for diagnostic in caught.value.diagnostics]
    assert told == ["a.weight", "a.bias", "b.weight", "b.bias"]  # the norm stays in float32, where they fit


def test_weights_that_become_zero_are_counted() -> None:
    module = network(ONE).module
    weights = {"head.weight": np.full((2, 4), 1e-9, np.float32), "head.bias": np.zeros(2, np.float32)}
    assert lower(module, weights, "fp16").report.lost == 8
    assert "8 weights are too small for float16" in lower(module, weights, "fp16").report.text()
    assert lower(module, weights, "bf16").report.lost == 0


@pytest.mark.parametrize("precision", ["fp32", "int8", "fp8", ""])
def test_other_precisions_are_none_of_it(precision: str) -> None:
    module = network(ONE).module
    with pytest.raises(Failure, match="CNN401"):
        lower(module, randomised(module.graph, 1), precision)


def test_the_report() -> None:
    found = lowered("input x: float32[N, 3, 8, 8]\noutput x -> conv(4, 1x1) -> relu -> softmax", "bf16")
    assert "softmax1: softmax in float32: exponentials and their sum" in found.report.text()
    assert "2 of 3 layers in bfloat16, 2 casts" in found.report.text()
    assert found.report.to_json()["bytes"] == {"before": 64, "after": 32}
    assert found.module.rewritten == "in bfloat16, with float32 sums and float32 where that loses too much"


def test_a_label_like_that_of_a_cast_is_no_harm() -> None:
    found = lowered("input x: float32[N, 3, 8, 8]\noutput x -> x_float16: conv(4, 1x1) -> conv1_float32: conv(4, 1x1) -> exp")
    paths = [node.path for node in found.module.graph.nodes]
    assert len(set(paths)) == len(paths)
