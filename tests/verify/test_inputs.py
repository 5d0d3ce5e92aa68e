"""Drawn inputs are what the network can take, and the same again for the same seed."""

from __future__ import annotations

import numpy as np

from convspec.ir.graph import Graph
from convspec.verify.inputs import draw, nudged, projection
from convspec.verify.sizes import fewest_values, for_gradients, for_outputs, lonely_norm, work
from tests.verify.helpers import NET, module

MIXED = """model Mixed {
    input features: float32[N, 4, V]
    input edges: float32[N, V, V]
    input real: bool[N, V]
    input ids: int64[N, 6]
    input bytes: uint8[N, 6]
    input count: int32[N]
    output graph = features -> graph_conv(adjacency = edges, mask = real, features = 3)
    output words = ids -> embedding(11, 2)
    output few = bytes -> embedding(3, 2)
    output more = count + 1
}
"""
SIZES = {"N": 40, "V": 5}


def test_every_input_has_the_values_that_its_reader_takes() -> None:
    graph = module(MIXED).graph
    arrays = draw(graph, SIZES, seed=1)
    assert {name: array.dtype.name for name, array in arrays.items()} == {
        item.value.name: item.value.type.dtype for item in graph.inputs
    }
    edges, real = arrays["edges"], arrays["real"]
    assert set(np.unique(edges)) == {0.0, 1.0}
    np.testing.assert_array_equal(edges, edges.transpose(0, 2, 1))
    assert not np.diagonal(edges, axis1=1, axis2=2).any()
    assert real.any(axis=1).all() and not real.all(axis=1).any(), "some nodes are hidden in each graph, never all"
    assert set(np.unique(arrays["ids"])) == set(range(11))
    assert set(np.unique(arrays["bytes"])) == set(range(3))
    assert abs(float(arrays["features"].mean())) < 0.2 and 0.8 < float(arrays["features"].std()) < 1.2


def test_a_seed_gives_the_same_again_and_each_input_its_own() -> None:
    graph = module("model T {\n    input a: float32[N, 9]\n    input b: float32[N, 9]\n    output c = a + b\n}\n").graph
    first, again, other = draw(graph, {"N": 2}, 5), draw(graph, {"N": 2}, 5), draw(graph, {"N": 2}, 6)
    np.testing.assert_array_equal(first["a"], again["a"])
    assert not np.array_equal(first["a"], first["b"]) and not np.array_equal(first["a"], other["a"])


def test_a_mask_of_one_place_is_true() -> None:
    graph = module("model T {\n    input m: bool[N, 1]\n    input x: float32[N, 2, 1]\n    output x\n    output m\n}\n").graph
    assert draw(graph, {"N": 4})["m"].all()


def test_the_projection_is_fixed_and_does_not_grow() -> None:
    np.testing.assert_array_equal(projection("fc", (2, 3)), projection("fc", (2, 3)))
    assert not np.array_equal(projection("fc", (2, 3)), projection("cf", (2, 3)))
    assert abs(float(np.linalg.norm(projection("fc", (100, 100)))) - 1) < 0.05


def test_a_nudge_moves_floats_by_its_share_and_leaves_integers() -> None:
    arrays = {"x": np.array([2.0, -4.0], np.float32), "ids": np.array([1, 2])}
    moved = nudged(arrays, 1e-3, 0)
    np.testing.assert_allclose(np.abs(moved["x"] - arrays["x"]), [2e-3, 4e-3])
    np.testing.assert_array_equal(moved["ids"], arrays["ids"])


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sizes_begin_with_the_smallest_that_are_declared() -> None:
    text = "model S {\n    input x: float32[N, 2, L >= 7, 4*q]\n    output x -> conv(3, 7x3, pad = 1)\n}\n"
    found = for_outputs(module(text).graph)
    assert found[0] == {"N": 1, "L": 7, "q": 1}
    assert [sizes["N"] for sizes in found] == [1, 2, 3]
    assert all(sizes["L"] >= 7 for sizes in found) and len({sizes["L"] - sizes["q"] for sizes in found}) > 1


def test_a_network_without_symbols_has_one_choice() -> None:
    graph = module("model S {\n    input x: float32[2, 3]\n    output x -> relu\n}\n").graph
    assert for_outputs(graph) == [{}] and for_gradients(graph) == {}


def test_a_norm_is_not_given_one_value_alone() -> None:
    """It is its own mean, and what is left the rounding of 0. (Instance and group norms on such sizes are refused before.)"""
    norm = "layernorm(axes = length, affine = false)"
    assert {sizes["N"]: sizes["L"] for sizes in for_outputs(_normed(norm, "L"))} == {1: 2, 2: 3, 3: 9}
    for other in (norm, "instancenorm", "groupnorm(4)"):
        assert for_outputs(_normed(other, "L >= 2"))[0] == {"N": 1, "L": 2}
    assert for_outputs(_normed("batchnorm", "L"))[0] == {"N": 1, "L": 1}


def _normed(norm: str, size: str) -> Graph:
    return module(f"model S {{\n    input x: float32[N, 4, {size}]\n    output x -> {norm}\n}}\n").graph


def test_a_heavy_network_is_run_at_its_smallest_and_with_one_more_batch() -> None:
    text = "model S {\n    input x: float32[N, 512, 256*h, 256*w]\n    output x -> conv(512, 3x3, pad = 1)\n}\n"
    graph = module(text).graph
    assert work(graph, {"N": 1, "h": 1, "w": 1}) > 1e11
    assert for_outputs(graph) == [{"N": 1, "h": 1, "w": 1}, {"N": 2, "h": 1, "w": 1}]
    assert for_gradients(graph) == {"N": 2, "h": 1, "w": 1}


def test_a_batch_norm_gets_enough_values_to_train_on() -> None:
    text = NET.replace("2*h, 2*w", "64*h, 64*w").replace("maxpool(2x2)", "conv(600, 64x64, stride = 64) -> batchnorm")
    graph = module(text).graph
    sizes = for_gradients(graph)
    assert (fewest_values(graph, sizes) or 0) >= 8 and lonely_norm(graph, sizes) is None
    assert lonely_norm(graph, {"N": 1, "h": 1, "w": 1}) == "batchnorm1"
