"""Rewritten graphs compute what the old ones do, and show what they are made to show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from convspec.ir.opdef import OpDef
from convspec.runtime.reference import evaluate
from convspec.verify.backends import open_backend
from convspec.verify.graphs import NoMask, exposing, in_float64, inner_values, with_graph, with_masks, with_probes
from convspec.verify.inputs import draw, draw_masks, projection
from convspec.weights.randomised import randomised
from tests.verify.helpers import DROPS, module

SIZES = {"N": 3, "h": 4, "w": 5}


def test_masks_stand_where_dropout_stood() -> None:
    graph, masks = with_masks(module(DROPS).graph)
    assert [mask.node.op.name for mask in masks] == ["channel_dropout", "drop_path", "dropout"]
    assert [[str(size) for size in mask.value.type.shape] for mask in masks] == [
        ["N", "6", "1", "1"],
        ["N", "1", "1", "1"],
        ["N", "6"],
    ]
    assert not any(node.op.training_only for node in graph.nodes)
    drawn = draw_masks(masks, SIZES, seed=3)
    for mask, rate in zip(masks, (0.3, 0.4, 0.5), strict=True):
        values = np.unique(drawn[mask.value.name])
        assert set(values) <= {0.0, 1 / (1 - rate)}
    assert all(np.array_equal(drawn[name], again) for name, again in draw_masks(masks, SIZES, seed=3).items())


def test_masks_of_ones_are_inference() -> None:
    made = module(DROPS)
    graph, masks = with_masks(made.graph)
    weights, arrays = randomised(made.graph), draw(made.graph, SIZES)
    ones = {name: np.ones_like(array) for name, array in draw_masks(masks, SIZES).items()}
    expected = evaluate(made.graph, weights, arrays).outputs
    np.testing.assert_array_equal(evaluate(graph, weights, arrays | ones).outputs["fc"], expected["fc"])


def test_a_layer_that_draws_in_another_way_is_not_guessed() -> None:
    graph = module(DROPS).graph
    unknown: OpDef = replace(graph.nodes[3].op, name="shuffle_everything")
    graph.nodes[3] = replace(graph.nodes[3], op=unknown)
    with pytest.raises(NoMask, match="`shuffle_everything`"):
        with_masks(graph)


def test_a_network_of_float32_stays_and_others_are_widened() -> None:
    graph = module().graph
    assert in_float64(graph) is graph
    text = "model H {\n    input x: float16[N, 3]\n    output x -> linear(2, bias = false) -> linear(2, bias = false)\n}\n"
    half = module(text).graph
    wide = in_float64(half)
    assert {value.type.dtype for node in wide.nodes for value in (*node.inputs, *node.outputs)} == {"float64"}
    assert {parameter.dtype for parameter in wide.parameters().values()} == {"float64"}
    assert {value.type.dtype for node in half.nodes for value in node.outputs} == {"float16"}, "the old graph is as it was"


def test_inner_values_leave_out_what_no_output_needs() -> None:
    text = "model D {\n    input x: float32[N, 3]\n    unused = x -> relu\n    output y = x -> sigmoid\n}\n"
    assert [value.name for value in inner_values(module(text).graph)] == ["sigmoid1"]


def test_exposed_values_are_those_of_the_reference() -> None:
    made = module()
    values = inner_values(made.graph)
    graph, names = exposing(made.graph, values)
    assert [output.name for output in graph.outputs] == list(names) and len(names) == len(made.graph.nodes)
    weights, arrays = randomised(made.graph), draw(made.graph, SIZES)
    seen = evaluate(graph, weights, arrays).outputs
    inside = evaluate(made.graph, weights, arrays, keep=True).values
    for name, value in names.items():
        np.testing.assert_array_equal(seen[name], inside[value.name])


def test_probes_change_nothing_and_carry_gradients() -> None:
    text = "model P {\n    input x: float32[N, 3]\n    y = x -> sigmoid\n    output z = y * y\n}\n"
    made = module(text)
    graph, probes = with_probes(made.graph)
    x = np.array([[0.5, -1.0, 2.0]])
    zeros = {probe.value.name: np.zeros((1, 3)) for probe in probes}
    backend = open_backend("pytorch", with_graph(made, graph), {}, straight=True)
    direction = projection("z", (1, 3))
    result = backend.run({"x": x, **zeros}, {"z": direction})
    y = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(result.outputs["z"], y * y)
    expected = [direction * 2 * y * y * (1 - y), direction * y, direction * y]
    assert [(probe.node.op.name, probe.index) for probe in probes] == [("sigmoid", 0), ("mul", 0), ("mul", 1)]
    for probe, gradient in zip(probes, expected, strict=True):
        np.testing.assert_allclose(result.gradients[probe.value.name], gradient, rtol=1e-12)


def test_new_names_avoid_those_of_the_network() -> None:
    text = 'model S {\n    input seen: float32[N, 3]\n    output "seen_0" = seen -> relu\n}\n'
    graph = module(text).graph
    _, names = exposing(graph, inner_values(graph))
    taken = {"seen", *(value.name for node in graph.nodes for value in node.outputs)}
    assert not taken.intersection(names)
