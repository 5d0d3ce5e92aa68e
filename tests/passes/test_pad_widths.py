"""Odd widths become multiples of 4 where ONNX Runtime gains by it, exactly, and stay where it does not or it is not safe."""

from __future__ import annotations

import pytest

from convspec.passes.pad_widths import PASS
from tests.passes.proving import ops, prove, unchanged

X = "input x: float64[N, 8, h + 6, w + 6]\n"


def widths(body: str) -> list[int]:
    """The filters of the convolutions that are left."""
    found = prove(X + body, PASS)
    assert not unchanged(found)
    return [node.output_types[0].channels for node in found.module.graph.nodes if "conv" in node.op.name]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("between", "made"),
    [
        ("depthwise_conv(3x3, pad = 1)", [32, 32, 8]),
        ("conv(30, 3x3, pad = 1, groups = 30, bias = false) -> relu", [32, 32, 8]),
        ("relu -> depthwise_conv(3x3, stride = 2) -> hardswish", [32, 32, 8]),
        ("sigmoid -> depthwise_conv(3x3, pad = 1, pad_mode = reflect) -> batchnorm -> softplus", [32, 32, 8]),
        ("depthwise_conv(3x3, pad = 1, pad_mode = constant, pad_value = 3) -> batchnorm(scale = false) -> 2 - _", [32, 32, 8]),
        ("depthwise_conv(3x3) -> maxpool(2x2) -> avgpool(2x2, stride = 1) -> upsample(2)", [32, 32, 8]),
        ("depthwise_conv(3x3) -> resize(9x9, mode = linear) -> gelu", [32, 32, 8]),
        ("depthwise_conv(3x3) -> conv(30, 3x3, pad = 1)", [32, 32, 32, 8]),
    ],
)
def test_a_region_is_widened(between: str, made: list[int]) -> None:
    if " - _" in between:
        body = f"y = x -> conv(30, 1x1) -> {between.replace(' -> 2 - _', '')}\noutput (2 - y) -> conv(8, 1x1)"
    else:
        body = f"output x -> conv(30, 1x1) -> {between} -> conv(8, 1x1)"
    assert widths(body) == made


def test_sums_and_gates_are_widened_together() -> None:
    body = """
    a = x -> conv(30, 1x1) -> relu
    b = a + (a -> depthwise_conv(3x3, pad = 1))
    c = b * (b -> global_avgpool -> conv(30, 1x1) -> sigmoid)
    output c - (x -> conv(30, 1x1)) -> conv(8, 1x1)
    """
    assert widths(body) == [32, 32, 32, 32, 8]


def test_a_map_of_one_channel_may_weigh_all() -> None:
    body = "a = x -> conv(30, 1x1) -> depthwise_conv(3x3, pad = 1)\noutput a * (x -> conv(1, 1x1)) -> conv(8, 1x1)"
    assert widths(body)[0] == 32


def test_what_else_reads_it_gets_the_old_channels() -> None:
    body = """
    a = x -> conv(30, 1x1) -> depthwise_conv(3x3, pad = 1)
    output b = a -> conv(8, 1x1)
    output c = a
    output d = concat(a, x)
    """
    found = prove(X + body, PASS)
    assert ops(found).count("slice") == 1
    assert [output.name for output in found.module.graph.outputs] == ["b", "c", "d"]


def test_one_change_is_reported_and_what_it_costs() -> None:
    found = prove(X + "output x -> conv(30, 1x1) -> depthwise_conv(3x3) -> conv(8, 1x1)", PASS)
    (change,) = found.report.changes
    assert change.note == "30 channels became 32" and change.saved.stored < 0


@pytest.mark.parametrize(
    "body",
    [
        "output x -> conv(32, 1x1) -> depthwise_conv(3x3) -> conv(8, 1x1)",
        "output x -> conv(30, 1x1) -> relu",
        "output x -> conv(18, 1x1) -> conv(18, 1x1) -> conv(8, 1x1)",
        "output x -> conv(30, 1x1) -> depthwise_conv(3x3, 2) -> softmax",
        "output x -> conv(30, 1x1, groups = 2) -> depthwise_conv(3x3) -> conv(8, 1x1)",
        "output x -> conv(30, 1x1) -> global_avgpool -> flatten -> linear(4)",
        "output x -> global_avgpool -> conv(30, 1x1) -> conv(8, 1x1)",
        "layer c = conv(30, 1x1)\noutput a = x -> c -> depthwise_conv(3x3) -> conv(8, 1x1)\noutput b = x -> relu -> c",
        "p = x -> conv(30, 1x1)\nq = x -> conv(60, 1x1) -> split(2)\noutput concat(p, x)",
        "a, b = x -> conv(60, 1x1) -> split(2)\noutput (a -> conv(30, 1x1)) + b -> softmax",
        # 1 / 0 in a new channel would be no number, and 0 times it neither.
        "y = x -> conv(30, 1x1) -> exp\noutput y -> softmax",
    ],
)
def test_it_stays(body: str) -> None:
    assert unchanged(prove(X + body, PASS))


def test_what_is_not_finite_at_zero_is_kept_apart() -> None:
    body = "a = x -> conv(30, 1x1) -> depthwise_conv(3x3)\noutput (1 / (a -> exp)) -> conv(8, 1x1)"
    found = prove(X + body, PASS)
    for node in found.module.graph.nodes:
        if node.op.name in ("exp", "div"):
            assert node.output_types[0].channels == 30


def test_other_targets_are_left_alone() -> None:
    text = X + "output x -> conv(30, 1x1) -> depthwise_conv(3x3) -> conv(8, 1x1)"
    assert unchanged(prove(text, PASS, target="pytorch"))


def test_pictures_alone_have_the_layout() -> None:
    text = "input x: float64[N, 8, 20]\noutput x -> conv(30, 1) -> depthwise_conv(3) -> conv(8, 1)"
    assert unchanged(prove(text, PASS))


def test_an_input_with_odd_channels_is_no_region() -> None:
    text = "input x: float64[N, 30, 9, 9]\noutput x + (x -> conv(30, 1x1) -> depthwise_conv(3x3, pad = 1)) -> conv(8, 1x1)"
    assert unchanged(prove(text, PASS))


def test_a_size_taken_from_a_widened_tensor() -> None:
    body = "a = x -> conv(30, 1x1) -> depthwise_conv(3x3)\noutput (x -> resize(like = a) -> conv(8, 1x1)) + (a -> conv(8, 1x1))"
    assert widths(body)[0] == 32
