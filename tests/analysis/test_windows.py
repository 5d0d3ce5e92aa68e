"""Windows of units are exactly what gradients reach: for layers with random attributes at every unit, and for networks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convspec
from convspec import Failure
from convspec.analysis.cost import total_cost
from convspec.analysis.window import seen_by_units, unit_windows
from convspec.api import Net
from convspec.ir.graph import Node
from tests.analysis.windows import Oracle

HEAD = "model M {\n    input x: float32[1, 2, %s]\n    output x -> %s -> probe: conv(3, %s)\n}\n"


def _net(layers: str, sizes: tuple[int, ...]) -> Net:
    shape = ", ".join(map(str, sizes))
    return convspec.loads(HEAD % (shape, layers, "x".join("1" * len(sizes))))


def _probe(net: Net) -> Node:
    return next(node for node in net.module.graph.nodes if node.path == "probe")


def _check(net: Net) -> None:
    """At every unit of the last layer: the hull is that of the gradient, along every axis."""
    oracle, probe = Oracle(net, {}), _probe(net)
    seen = seen_by_units(net.module.graph, {})[probe.outputs[0]]
    spatial = [int(str(size)) for size in probe.outputs[0].type.spatial]
    for place in product(*(range(size) for size in spatial)):
        reached = oracle.seen(probe, place)
        for (name, axis), cells in reached.items():
            window = seen[name, axis].window((0, *place))
            if not cells:
                assert any(each.window((0, *place)) is None for key, each in seen.items() if key[0] == name)
            elif seen[name, axis].exact:
                assert window == (min(cells), max(cells)), (place, axis)
            else:
                assert window is not None
                assert window[0] <= min(cells) <= max(cells) <= window[1], (place, axis)


@st.composite
def windowed(draw: st.DrawFn) -> str:
    """A layer that slides over 1 axis of 12 cells."""
    kernel, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    lo, hi = draw(st.integers(0, (kernel - 1) * dilation)), draw(st.integers(0, (kernel - 1) * dilation))
    pads = f"pad = [[{lo}, {hi}]]"
    kind = draw(
        st.sampled_from(
            ("conv", "maxpool", "avgpool", "conv_transpose", "lppool", "blurpool", "resize", "upsample", "adaptive")
        )
    )
    match kind:
        case "conv":
            mode = draw(st.sampled_from(("zeros", "reflect", "replicate", "circular")))
            return f"conv(2, {kernel}, stride = {stride}, dilation = {dilation}, {pads}, pad_mode = {mode})"
        case "maxpool" | "avgpool" | "lppool":
            half = kernel // 2
            ceil = draw(st.sampled_from(("true", "false")))
            extra = f", pad = {half}, ceil = {ceil}" if kind != "lppool" else ""
            spread = f", dilation = {dilation}" if kind == "maxpool" else ""
            return f"{kind}({kernel}, stride = {stride}{extra}{spread})"
        case "conv_transpose":
            return (
                f"conv_transpose(2, {kernel}, stride = {stride}, dilation = {dilation}, pad = [[{min(lo, 1)}, {min(hi, 1)}]])"
            )
        case "blurpool":
            return f"blurpool({kernel}, stride = {stride}, pad_mode = {draw(st.sampled_from(('reflect', 'replicate')))})"
        case "upsample":
            return f"upsample({draw(st.integers(1, 3))}, mode = {draw(st.sampled_from(('nearest', 'linear')))})"
        case "resize":
            mode = draw(st.sampled_from(("nearest", "linear", "linear, antialias = true", "linear, align_corners = true")))
            return f"resize({draw(st.integers(3, 20))}, mode = {mode})"
    return f"adaptive_avgpool({draw(st.integers(1, 12))})"


@settings(max_examples=40, deadline=None)
@given(st.lists(windowed(), min_size=1, max_size=3))
def test_layers_that_slide(layers: list[str]) -> None:
    try:
        net = _net(" -> ".join(layers), (12,))
    except Failure:
        return  # layers that do not fit behind each other
    _check(net)


MOVING = [
    "pad([[1, 2], [0, 3]])",
    "pad([[1, 2], [2, 1]], mode = reflect)",
    "crop([[1, 0], [2, 1]])",
    "roll(2, height)",
    "reverse(width)",
    "slice(1, 5, axis = height)",
    "slice(0, 6, step = 2, axis = width)",
    "permute([0, 1, 3, 2])",
    "permute([0, 3, 1, 2]) -> conv(2, 1x3)",
    "space_to_depth(2)",
    "space_to_depth(2) -> conv(4, 1x1) -> depth_to_space(2)",
    "global_avgpool -> upsample(4)",
    "softmax(axis = height)",
    "layernorm",
    "instancenorm",
    "groupnorm(2)",
    "batchnorm",
    "reshape([2, 4, 9])",
    "tile([1, 2, 1])",
    "attention(2)",
    "glu(axis = width)",
    "linear(5, axis = channels)",
    "conv_transpose(2, 3x2, stride = 2, pad = 1)",
    "separable_conv(4, 3x3, dilation = 2, pad = 2)",
    "resize(5x9, mode = cubic)",
]


@pytest.mark.parametrize("layers", MOVING)
def test_layers_that_move(layers: str) -> None:
    _check(_net(layers, (6, 6)))


JOINS = [
    "concat(x -> conv(2, 3x3, pad = 1), x -> conv(2, 5x5, pad = 2))",
    "concat(x -> conv(2, 3x1), x -> conv(2, 1x1), axis = height)",
    "(x -> conv(2, 3x3, stride = 2, pad = 1) -> upsample(2)) + x",
    "x * (x -> global_avgpool -> conv(2, 1x1) -> sigmoid)",
    "x + (x -> permute([0, 1, 3, 2]) -> conv(2, 3x1, pad = [[1, 1], [0, 0]]))",
    "x + (x -> slice(0, 1, axis = height))",
    "maximum(x, x -> conv(2, 1x3, pad = [[0, 0], [1, 1]]))",
]


@pytest.mark.parametrize("joined", JOINS)
def test_branches(joined: str) -> None:
    text = f"model M {{\n    input x: float32[1, 2, 6, 6]\n    y = {joined}\n    output y -> probe: conv(3, 1x1)\n}}\n"
    _check(convspec.loads(text))


def test_only_what_the_data_or_other_axes_decide_is_inexact() -> None:
    inexact = []
    for layers in MOVING:
        net = _net(layers, (6, 6))
        seen = seen_by_units(net.module.graph, {})[_probe(net).outputs[0]]
        inexact += [layers] if not all(each.exact for each in seen.values()) else []
    assert inexact == ["reshape([2, 4, 9])"]


def test_a_unit_of_two_inputs() -> None:
    text = """model M {
    input left: float32[1, 2, 8, 8]
    input right: float32[1, 2, 4, 4]
    y = left -> maxpool(2x2)
    output y + right -> probe: conv(2, 3x3, pad = 1)
}
"""
    net = convspec.loads(text)
    windows = unit_windows(net.module.graph, _probe(net).outputs[0], (0, 0, 3), {})
    assert [(each.name, [(axis.low, axis.high) for axis in each.axes]) for each in windows] == [
        ("left", [(0, 3), (4, 7)]),
        ("right", [(0, 1), (2, 3)]),
    ]
    # Row -1 and column 4 of `right` are padding, and what lies before and after `left` as two of its cells each.
    assert [[(axis.before, axis.after) for axis in each.axes] for each in windows] == [[(2, 0), (0, 2)], [(1, 0), (0, 1)]]


def test_padding_of_one_input_is_none_of_the_other() -> None:
    text = """model M {
    input left: float32[1, 2, 8, 8]
    input right: int64[1, 9]
    a = left -> conv(2, 3x3)
    b = right -> embedding(5, 4) -> row: conv(2, 5, pad = 2)
    output row = b
    output probe = a * (b -> global_avgpool -> reshape([2, 1, 1]))
}
"""
    net = convspec.loads(text)
    graph = net.module.graph
    by_label = {node.path: node.outputs[0] for node in graph.nodes}
    (left, right) = unit_windows(graph, by_label["row"], (0, 1), {})
    assert left.axes == () and [(axis.low, axis.high, axis.before, axis.after) for axis in right.axes] == [(0, 3, 1, 0)]
    (left, right) = unit_windows(graph, graph.outputs[1].value, (0, 5, 5), {})
    assert [(axis.low, axis.high, axis.before, axis.after) for axis in left.axes] == [(5, 7, 0, 0)] * 2
    assert [(axis.low, axis.high, axis.before, axis.after) for axis in right.axes] == [(0, 8, None, None)]


def test_padding_is_marked() -> None:
    net = _net("conv(2, 5x5, pad = 2) -> maxpool(2x2)", (8, 8))
    (window,) = unit_windows(net.module.graph, _probe(net).outputs[0], (0, 0, 3), {})
    first, last = window.axes
    assert (first.low, first.high, first.before, first.after) == (0, 3, 2, 0)
    assert (last.low, last.high, last.before, last.after) == (4, 7, 0, 2)


def test_a_size_without_a_value_is_asked_for() -> None:
    net = convspec.loads("model M {\n    input x: float32[N, 2, H >= 3, 8]\n    output x -> conv(3, 3x3)\n}\n")
    with pytest.raises(Failure) as caught:
        seen_by_units(net.module.graph, {"N": 1})
    assert caught.value.diagnostics[0].hint == "give it one: --sizes H=…"


# ── networks ─────────────────────────────────────────────────────────────────────────────────────────────────

FEW = ("ResNet18", "MobileNetV2", "ShuffleNetV2_x0_5", "SqueezeNet1_1")
_DEAR = 2_000_000_000
"""MACs from which on fewer units of fewer layers are compared: each gradient runs through the whole network."""


def _prove(name: str) -> int:
    """Some units of some layers of a network of the zoo, corners and middle; how many windows were compared."""
    from convspec.zoo import networks

    entry = next(each for each in networks() if each.name == name)
    net = convspec.load(entry.path, model=entry.name)
    graph, sizes = net.module.graph, _small(net, entry.sizes)
    oracle = Oracle(net, sizes)
    seen = seen_by_units(graph, sizes)
    stages = [node for node in oracle.stages() if len(oracle.outputs[node.path].shape) > 2]
    compared = 0
    dear = _macs(net, sizes) > _DEAR
    count = 2 if dear else 4
    for node in stages[:: max(1, len(stages) // count)][:count] + stages[-1:]:
        spatial = oracle.outputs[node.path].shape[2:]
        first, last, middle = ([at(n) for n in spatial] for at in (lambda n: 0, lambda n: n - 1, lambda n: n // 2))
        for place in sorted({tuple(each) for each in ([first, middle] if dear else [first, middle, last])}):
            for key, cells in oracle.seen(node, place).items():
                found = seen[node.outputs[0]].get(key)
                if found is None:
                    assert not cells
                    continue
                window = found.window((0, *place))
                if window is None or not cells:  # it sees padding alone, or the data decide
                    assert not cells, (node.path, place, key)
                    assert window is None or not found.exact, (node.path, place, key)
                    continue
                if found.exact:
                    assert window == (min(cells), max(cells)), (node.path, place, key)
                assert window[0] <= min(cells) <= max(cells) <= window[1], (node.path, place, key)
                compared += 1
    return compared


def _macs(net: Net, sizes: Mapping[str, int]) -> int:
    return int(str(total_cost(net.module.graph.nodes, sizes).macs))


def _small(net: Net, usual: Mapping[str, int]) -> dict[str, int]:
    """Less than half the usual sizes, where the spec takes them: borders are borders, and it is quicker."""
    from convspec.analysis.sizes import symbolic_sizes

    least = symbolic_sizes(net.module.graph)
    return {name: 1 if name == "N" else max(bound, -(-usual.get(name, bound) * 3 // 7)) for name, bound in least.items()}


@pytest.mark.parametrize("name", FEW)
def test_networks(name: str) -> None:
    assert _prove(name) > 10


def _every_network() -> list[str]:
    from convspec.zoo import networks

    return [each.name for each in networks() if each.name not in FEW]


@pytest.mark.zoo
@pytest.mark.parametrize("name", _every_network())
def test_every_network(name: str) -> None:
    assert _prove(name) > 5
