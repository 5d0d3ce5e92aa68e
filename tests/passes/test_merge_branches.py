"""Branches over one tensor become one convolution where that computes the same with no more work, and stay apart elsewhere."""

from __future__ import annotations

import pytest

from convspec.passes.merge_branches import PASS
from tests.passes.proving import ops, prove, unchanged

X = "input x: float64[N, 6, h + 8, w + 8]\n"


def convolutions(body: str) -> list[dict[str, object]]:
    """The windows of what is left after the pass, if that is convolutions and nothing else."""
    found = prove(X + body, PASS)
    assert set(ops(found)) <= {"conv", "depthwise_conv"}
    names = ("kernel", "stride", "pad", "dilation")
    return [{name: getattr(node.attrs, name) for name in names} for node in found.module.graph.nodes]


@pytest.mark.parametrize(
    "body",
    [
        "output (x -> conv(6, 3x3, pad = 1)) + (x -> conv(6, 1x1)) + x",
        "output x + (x -> conv(6, 3x3, pad = 1, bias = false))",
        "output (x -> conv(6, 3x3, pad = 1)) + (x -> conv(6, 1x3, pad = [0, 1])) + (x -> conv(6, 3x1, pad = [1, 0]))",
        "output (x -> conv(4, 3x3, pad = 1)) + (x -> conv(4, 3x3, pad = 1)) + (x -> conv(4, 3x3, pad = 1, bias = false))",
        "output (x -> conv(6, 3x3, pad = 1, groups = 3)) + (x -> conv(6, 3x3, pad = 1, groups = 6)) + x",
        "output (x -> conv(6, 3x3, pad = 1)) + (x -> conv(6, 3x3, pad = 1, groups = 2)) + (x -> batchnorm)",
        "output (x -> conv(8, 5x5, pad = 2, stride = 2)) + (x -> conv(8, 1x1, stride = 2))",
        "output (x -> conv(6, 3x3, pad = 2, dilation = 2)) + (x -> conv(6, 1x1)) + (x -> batchnorm)",
        "output (x -> conv(6, 5x5, pad = 2)) + (x -> conv(6, 3x3, pad = 2, dilation = 2))",
        "output (x -> depthwise_conv(3x3, pad = 1)) + (x -> depthwise_conv(1x1)) + x",
        "output (x -> depthwise_conv(3x3, 2, pad = 1)) + (x -> depthwise_conv(1x1, 2))",
        "output (x -> linear(6, axis = channels)) + (x -> conv(6, 3x3, pad = 1))",
        "y = x -> conv(6, 3x3, pad = 1)\noutput y + y + (x -> conv(6, 1x1)) + x + x",
        "output (x -> conv(6, 3x3, pad = 1, pad_mode = reflect)) + (x -> conv(6, 1x1)) + x",
        "output (x -> conv(6, 3x3, pad = 1, pad_mode = circular)) + (x -> conv(6, 1x3, pad = [0, 1], pad_mode = circular))",
        "output (x -> conv(6, 3x3, pad = 1, pad_mode = constant, pad_value = 2)) + (x -> conv(6, 1x1))",
        "output (x -> conv(6, 3x3, pad = 1, pad_mode = constant)) + (x -> conv(6, 3x3, pad = 1))",
    ],
)  # fmt: skip
def test_branches_become_one(body: str) -> None:
    assert len(convolutions(body)) == 1


def test_the_window_is_the_one_that_holds_all() -> None:
    body = """
    output (x -> conv(6, 2x2, pad = [[1, 0], [0, 1]])) + (x -> conv(6, 3x3, pad = 1))
        + (x -> conv(6, 3x5, pad = [[1, 1], [3, 1]]))
    """
    (found,) = convolutions(body)
    assert found == {"kernel": (3, 5), "stride": (1, 1), "pad": ((1, 1), (3, 1)), "dilation": (1, 1)}


def test_dilated_kernels_keep_their_grid() -> None:
    (found,) = convolutions("output (x -> conv(6, 3x3, pad = 2, dilation = 2)) + (x -> conv(6, 1x1)) + x")
    assert found["kernel"] == (3, 3) and found["dilation"] == (2, 2) and found["pad"] == ((2, 2), (2, 2))


@pytest.mark.parametrize(
    ("size", "body"),
    [
        ("8", "conv(4, 3, pad = 1)) + (x -> conv(4, 1))"),
        ("4, 5, 6", "conv(4, 3, pad = 1)) + (x -> conv(4, 1)) + x"),
        ("", "linear(4)) + (x -> linear(4, bias = false)) + x"),
    ],
)
def test_every_rank(size: str, body: str) -> None:
    sizes = ", ".join(part for part in ("N, 4", size) if part)
    found = prove(f"input x: float64[{sizes}]\noutput (x -> {body}", PASS)
    assert len(ops(found)) == 1


@pytest.mark.parametrize(
    ("body", "left"),
    [
        # The wider reach of one is not the other's.
        ("output (x -> conv(6, 3x3, pad = 1)) + (x -> conv(6, 1x1)) + (x -> relu)", ["relu", "conv", "add"]),
        ("output (x -> relu) + (x -> conv(6, 3x3, pad = 1)) + (x -> conv(6, 1x1))", ["relu", "conv", "add"]),
        ("z = x -> relu\noutput (x -> conv(6, 1x1)) + (z -> conv(6, 1x1)) + x + z", ["relu", "conv", "conv", "add"]),
    ],
)
def test_some_addends_merge_where_others_cannot(body: str, left: list[str]) -> None:
    assert sorted(ops(prove(X + body, PASS))) == sorted(left)


@pytest.mark.parametrize(
    "body",
    [
        "y = x -> conv(6, 3x3, pad = 1)\noutput a = y + (x -> conv(6, 1x1))\noutput b = y -> relu",
        "y = x -> conv(6, 3x3, pad = 1)\noutput a = y + (x -> conv(6, 1x1))\noutput b = y",
        "layer c = conv(6, 3x3, pad = 1)\nz = x -> relu\noutput a = (x -> c) + (x -> conv(6, 1x1))\noutput b = z -> c",
        "z = x -> relu\noutput (x -> conv(6, 1x1)) + (z -> conv(6, 1x1))",
        "output (x -> conv(6, 1x3, pad = [0, 1])) + (x -> conv(6, 3x1, pad = [1, 0]))",
        "output (x -> conv(6, 1x1)) + (x -> depthwise_conv(3x3, pad = 1))",
        "output (x -> conv(6, 3x3, pad = 1)) + (x -> conv(6, 5x5, pad = 4, dilation = 2))",
        "output (x -> conv(6, 3x3, pad = 1, pad_mode = reflect)) + (x -> conv(6, 3x3, pad = 1))",
        "output (x -> conv(6, 3x3, pad = 1, pad_mode = constant, pad_value = 1)) + (x -> conv(6, 3x3, pad = 1))",
        "output (x -> conv(1, 1x1)) + x",
        "output (x -> conv(6, 1x1) -> mean) + (x -> conv(6, 1x1))",
        "output (x -> batchnorm) + x",
        "output x + x",
        "output (x -> conv(6, 3x3, pad = 1)) - (x -> conv(6, 1x1))",
        "output (x -> conv(6, 3x3, pad = 1) -> relu) + (x -> conv(6, 1x1))",
    ],
)
def test_branches_stay(body: str) -> None:
    assert unchanged(prove(X + body, PASS))


def test_equal_sizes_by_other_strides_stay() -> None:
    text = "input x: float64[N, 6, 1, 1]\noutput (x -> conv(6, 1x1, stride = 2)) + (x -> conv(6, 1x1))"
    assert unchanged(prove(text, PASS))


def test_a_sum_inside_a_sum_that_others_read_stays() -> None:
    body = "s = (x -> conv(6, 3x3, pad = 1)) + (x -> conv(6, 1x1))\noutput a = s + (x -> conv(6, 1x1))\noutput b = s -> relu"
    found = prove(X + body, PASS)
    assert sorted(ops(found)) == ["add", "conv", "conv", "relu"]


def test_work_is_never_more() -> None:
    found = prove(X + "output (x -> conv(6, 3x3, pad = 1)) + (x -> conv(6, 1x1)) + x", PASS)
    assert found.report.after.work.stored < found.report.before.work.stored
    (node,) = found.module.graph.nodes
    assert node.params["weight"].shape == (6, 6, 3, 3)


def test_repvgg_and_mobileone_become_plain_stacks() -> None:
    text = """
    use RepVGGBlock from "std:repvgg"
    model T {
        input x: float64[N, 4, 8, 8]
        output x -> RepVGGBlock(4) -> RepVGGBlock(8, stride = 2, groups = 2)
    }
    """
    found = prove(text, level=2)
    assert ops(found) == ["conv", "relu", "conv", "relu"]
