"""The work of a network and the least time for it, against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from convspec import load, loads
from convspec.bench.peaks import Peaks
from convspec.bench.roofline import POINTWISE, VIEWS, Work, groups, work_of
from convspec.ir.graph import Graph

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.cnn"))
H100 = Peaks("H100 SXM", "bf16", 989.4e12, 3350e9, "")


def graph(body: str, inputs: str = "input x: float32[N, 8, 10, 10]") -> Graph:
    return loads(f"model Net {{\n    {inputs}\n    {body}\n}}\n").module.graph


def layers(found: Work) -> list[tuple[str, int, int]]:
    return [(layer.op, layer.flops, layer.bytes) for layer in found.layers]


def test_a_convolution_with_all_that_is_drawn_into_it() -> None:
    """conv + batch norm + relu read the input and their tensors once, and write the output once."""
    found = work_of(graph("output x -> conv(16, 3x3, pad = 1, bias = false) -> batchnorm -> relu"), {"N": 2})
    macs = 2 * 16 * 10 * 10 * 8 * 9
    elements = 2 * 16 * 10 * 10
    moved = 4 * (2 * 8 * 10 * 10 + 16 * 8 * 9 + 4 * 16 + elements)
    (layer,) = found.layers
    assert (layer.op, layer.bytes) == ("conv", moved)
    assert 2 * macs < layer.flops <= 2 * macs + 5 * elements
    assert layer.intensity == layer.flops / moved


def test_a_residual_sum_reads_the_other_branch() -> None:
    """The second convolution and the addition are one layer, which reads its input, the shortcut and the weights."""
    found = work_of(graph("y = x -> conv(8, 1x1, bias = false)\n    output (y -> conv(8, 1x1, bias = false)) + y"), {"N": 1})
    size, weights = 8 * 100 * 4, 64 * 4
    assert [layer[2] for layer in layers(found)] == [2 * size + weights, 2 * size + weights]


def test_a_shortcut_past_the_layer_is_read_again() -> None:
    found = work_of(graph("y = x -> conv(8, 1x1, bias = false)\n    output (y -> conv(8, 1x1, bias = false)) + x"), {"N": 1})
    size, weights = 8 * 100 * 4, 64 * 4
    assert [layer[2] for layer in layers(found)] == [2 * size + weights, 3 * size + weights]


def test_a_gate_waits_for_what_it_gates() -> None:
    """The product belongs to the gate, which comes last; it reads the gated tensor from memory. No layer waits in a circle."""
    body = """y = x -> conv(8, 1x1, bias = false)
    g = y -> global_avgpool -> conv(8, 1x1, bias = false) -> sigmoid
    output y * g"""
    found = work_of(graph(body), {"N": 1})
    size, small, weights = 8 * 100 * 4, 8 * 4, 64 * 4
    assert [layer[2] for layer in layers(found)] == [2 * size + weights, size + small, small + weights + size + size]


def test_an_intermediate_that_others_read_is_written() -> None:
    """Both the convolution's own output and its relu are read elsewhere, so both are written."""
    body = """y = x -> conv(8, 1x1, bias = false)
    z = y -> relu
    output a = z -> maxpool(2x2)
    output b = y -> maxpool(2x2)"""
    found = work_of(graph(body), {"N": 1})
    size = 8 * 100 * 4
    assert layers(found)[0][2] == size + 64 * 4 + 2 * size


def test_views_move_nothing_and_dropout_does_nothing() -> None:
    with_views = work_of(graph("output x -> flatten -> dropout(0.5) -> linear(3)"), {"N": 2})
    assert [(layer.op, layer.bytes) for layer in with_views.layers] == [("linear", 4 * (2 * 800 + 3 * 800 + 3 + 2 * 3))]


def test_a_table_is_read_only_where_it_is_looked_up() -> None:
    found = work_of(graph("output x -> embedding(1000, 16)", "input x: int64[N, 5] "), {"N": 2})
    assert [layer.bytes for layer in found.layers] == [2 * (2 * 5 * 16 * 4)]


@pytest.mark.parametrize(("precision", "share"), [("fp32", 1.0), ("tf32", 1.0), ("fp16", 0.5), ("bf16", 0.5), ("int8", 0.25)])
def test_bytes_go_by_the_precision_and_flops_do_not(precision: str, share: float) -> None:
    net = graph("output x -> conv(16, 3x3) -> relu -> conv(4, 1x1)")
    wide, found = work_of(net, {"N": 3}), work_of(net, {"N": 3}, precision)
    assert found.flops == wide.flops and found.bytes == share * wide.bytes


def test_indices_keep_their_own_size() -> None:
    net = graph("output i -> embedding(10, 4)", "input i: int64[N, 3]")
    assert work_of(net, {"N": 1}, "fp16").bytes == 2 * (3 * 4 * 2)


def test_the_least_time_is_the_larger_of_computing_and_moving_layer_by_layer() -> None:
    """Ten flops and one byte a second: of two layers one waits for memory and the other for computing."""
    found = work_of(graph("output x -> conv(8, 3x3, pad = 1, bias = false) -> maxpool(2x2)"), {"N": 1})
    conv, pool = found.layers
    peaks = Peaks("test", "fp32", 10.0, 1.0, "")
    assert conv.intensity > 10 > pool.intensity
    assert found.seconds(peaks) == conv.flops / 10 + pool.bytes
    assert found.memory_bound(peaks) == pytest.approx(pool.bytes / (conv.flops / 10 + pool.bytes))
    assert found.seconds(peaks) > max(found.flops / 10, found.bytes), "the sum of maxima is no less than the maximum of sums"


def test_resnet50_on_an_h100() -> None:
    """4.089 GMACs a picture, known from the paper's table; 52,800 pictures a second worked out for it apart from this code."""
    found = work_of(load("zoo:resnet50").module.graph, {"N": 256, "h": 7, "w": 7}, "bf16")
    assert found.flops / 256 == pytest.approx(2 * 4.089e9, rel=0.01)
    assert 256 / found.seconds(H100) == pytest.approx(52_800, rel=0.01)
    assert 0.7 < found.memory_bound(H100) < 0.9


@pytest.mark.parametrize(
    "path", [path for path in EXAMPLES if path.stem in ("lenet5", "googlenet", "mnist_tutorial", "molecules", "sequence")]
)
def test_every_node_is_in_one_layer_and_layers_can_be_run_in_order(path: Path) -> None:
    net = load(path).module.graph
    found = groups(net)
    assert sorted(map(id, net.nodes)) == sorted(id(node) for group in found for node in group)
    home = {value: number for number, group in enumerate(found) for node in group for value in node.outputs}
    for number, group in enumerate(found):
        for node in group:
            assert all(home.get(value, -1) <= number for value in node.inputs), node.path
            assert node is group[0] or node.op.name in POINTWISE | VIEWS or node.op.training_only


def test_the_sum_of_the_layers_is_what_summary_counts() -> None:
    net = load("zoo:resnet50")
    sizes = {"N": 1, "h": 7, "w": 7}
    assert work_of(net.module.graph, sizes).flops == net.summary(sizes).cost.flops


def test_names_of_layers_are_ops_that_there_are() -> None:
    from convspec.bench.roofline import PARTIAL

    ops = {path.stem for path in (Path(__file__).parent.parent.parent / "convspec" / "ops").glob("*.py")}
    assert ops >= POINTWISE | VIEWS | PARTIAL
