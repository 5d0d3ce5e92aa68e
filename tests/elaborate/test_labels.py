"""Names of stages: labels, ordinals, groups, repeats, and what may not be alike."""

from __future__ import annotations

import pytest

from tests.elaborate.helpers import codes, network, paths, weights


def test_a_label_names_the_weights() -> None:
    module = network("output x -> first: conv(4, 3x3)")
    assert weights(module) == {"first.weight": (4, 3, 3, 3), "first.bias": (4,)}


def test_without_a_label_the_name_is_the_op_and_its_ordinal() -> None:
    module = network("y = x -> conv(4, 1x1) -> relu -> conv(4, 1x1)\noutput y -> relu")
    assert paths(module) == ["conv1", "relu1", "conv2", "relu2"]


def test_ordinals_do_not_depend_on_the_branch_taken() -> None:
    body = "if {} {{ x = x -> conv(4, 1x1) }} else {{ x = x -> conv(4, 1x1) }}\noutput x -> conv(4, 1x1)"
    assert paths(network(body.format("true"))) == ["conv1", "conv3"]
    assert paths(network(body.format("false"))) == ["conv2", "conv3"]


def test_turn_numbers_follow_an_automatic_name_inside_a_loop() -> None:
    module = network("for i in 0..2 { for j in 0..2 { x = x -> conv(4, 1x1) } }\noutput x")
    assert paths(module) == ["conv1.0.0", "conv1.0.1", "conv1.1.0", "conv1.1.1"]


def test_a_labelled_group_counts_every_stage() -> None:
    module = network("output x -> features: [conv(8, 3x3) -> relu -> conv(8, 3x3)]")
    assert paths(module) == ["features.0", "features.1", "features.2"]


def test_a_label_inside_a_group_replaces_the_number() -> None:
    module = network("output x -> features: [conv(8, 3x3) -> act: relu -> conv(8, 3x3)]")
    assert paths(module) == ["features.0", "features.act", "features.2"]


def test_a_group_of_one_still_has_its_number() -> None:
    assert paths(network("output x -> head: [conv(8, 3x3)]")) == ["head.0"]


def test_an_unlabelled_group_adds_no_level() -> None:
    assert paths(network("output x -> [a: conv(8, 3x3) -> relu]")) == ["a", "relu1"]


def test_a_repeat_always_adds_a_level() -> None:
    assert paths(network("output x -> layer1: 3 * relu")) == ["layer1.0", "layer1.1", "layer1.2"]
    assert paths(network("output x -> layer1: 1 * relu")) == ["layer1.0"]
    assert paths(network("output x -> 2 * conv(3, 1x1)")) == ["conv1.0", "conv1.1"]


def test_a_repeat_of_none_passes_the_tensor_on() -> None:
    module = network("output x -> layer1: 0 * relu -> last: relu")
    assert paths(module) == ["last"]
    assert module.graph.nodes[0].inputs[0].name == "x"


def test_a_repeat_in_a_labelled_group_is_the_stage_written_n_times() -> None:
    module = network("output x -> layer1: [relu -> 3 * relu -> relu]")
    assert paths(module) == [f"layer1.{i}" for i in range(5)]


def test_a_repeated_group_numbers_turns_and_stages() -> None:
    module = network("output x -> stem: 2 * [conv(3, 1x1) -> relu]")
    assert paths(module) == ["stem.0.0", "stem.0.1", "stem.1.0", "stem.1.1"]


def test_string_labels_interpolate() -> None:
    module = network('for i in 0..2 { x = x -> "layer{i + 1}.conv": conv(3, 1x1) }\noutput x')
    assert paths(module) == ["layer1.conv", "layer2.conv"]


def test_blocks_prefix_their_labels() -> None:
    before = "block B(x: tensor, n: int) { return x -> a: conv(n, 1x1) -> relu }"
    module = network("output x -> b: B(4) -> B(5)", before)
    assert paths(module) == ["b.a", "b.relu1", "B1.a", "B1.relu1"]


def test_labels_may_share_leading_levels() -> None:
    module = network('output x -> "stem.0": relu -> "stem.1": relu')
    assert paths(module) == ["stem.0", "stem.1"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("output x -> a: relu -> a: relu", "CNN050"),
        ("for i in 0..2 { x = x -> a: conv(3, 1x1) }\noutput x", "CNN050"),
        ('output x -> a: relu -> "a.b": relu', "CNN051"),
        ('output x -> "a.b": relu -> a: relu', "CNN051"),
        ('output x -> f: [relu] -> "f.0.x": relu', "CNN051"),
        ('output x -> "a..b": relu', "CNN052"),
        ('output x -> "a/b": relu', "CNN052"),
        ('output x -> "": relu', "CNN052"),
    ],
)
def test_labels_that_cannot_be(body: str, code: str) -> None:
    assert codes(body) == [code]


def test_operators_and_calls_have_names_too() -> None:
    module = network("y = x + x\nz = concat(x, y) -> relu\noutput p = z * 2.0, q = sum([x, y, x])")
    assert paths(module) == ["add1", "concat1", "relu1", "mul1", "sum1.0", "sum1.1"]
