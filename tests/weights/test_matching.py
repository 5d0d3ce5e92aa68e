"""Matching by structure: taken where order and shape leave one way, refused and listed where they leave several."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from convspec import elaborate
from convspec.diagnostics import Diagnostic, Failure
from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.targets.tensorflow.exchange import own_variables
from convspec.targets.tensorflow.weights import to_keras
from convspec.weights.convert import Conversion, convert
from convspec.weights.randomised import randomised
from convspec.weights.sources.base import Kind, Source, StoredTensor
from tests.weights.sources import source_of

CHAIN = """model Chain {
    input x: float32[N, 4, 8, 8]
    output x -> a: conv(4, 3x3, pad = 1) -> n: batchnorm -> b: conv(4, 3x3, pad = 1) -> m: batchnorm -> c: conv(4, 3x3)
}
"""
RESIDUAL = """model Residual {
    input x: float32[N, 4, 8, 8]
    left = x -> a: conv(4, 3x3, pad = 1) -> an: batchnorm -> relu -> b: conv(8, 3x3, pad = 1) -> bn: batchnorm
    right = x -> short: conv(8, 3x3, pad = 1) -> sn: batchnorm
    output y = left + right
}
"""


def foreign(weights: dict[str, Array], renamed: dict[str, str]) -> dict[str, Array]:
    """The same tensors under other names of layers, in the order of `renamed`."""
    return {
        f"{other}.{name.rpartition('.')[2]}": array
        for label, other in renamed.items()
        for name, array in weights.items()
        if name.rpartition(".")[0] == label
    }


def by_structure(module: Module, arrays: dict[str, Array], kind: Kind = "torch", **more: object) -> Conversion:
    return convert(module, source_of(kind, arrays), match="structure", **more)  # type: ignore[arg-type]


def refusal(module: Module, arrays: dict[str, Array], kind: Kind = "torch", **more: object) -> Diagnostic:
    with pytest.raises(Failure) as caught:
        by_structure(module, arrays, kind, **more)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def assert_same(found: Conversion, weights: dict[str, Array]) -> None:
    assert list(found.weights) == list(weights)
    for name, array in weights.items():
        assert found.weights[name].tobytes() == array.tobytes(), name


def test_a_chain_is_matched_by_order() -> None:
    module = elaborate.loads(CHAIN)
    weights = randomised(module.graph)
    renamed = {"a": "0", "n": "1", "b": "3", "m": "4", "c": "6"}
    found = by_structure(module, foreign(weights, renamed))
    assert_same(found, weights)
    assert {row.how for row in found.rows} == {"structure"}


def test_what_shape_alone_tells_may_stand_in_any_order() -> None:
    module = elaborate.loads(
        "model M {\n    input x: float32[N, 2]\n    output x -> a: linear(3) -> b: linear(4) -> c: linear(5)\n}\n"
    )
    weights = randomised(module.graph)
    assert_same(by_structure(module, foreign(weights, {"c": "z", "a": "y", "b": "x"})), weights)


def test_two_sides_of_a_sum_are_ambiguous() -> None:
    """ResNets in which the projection has the shape of the last convolution: files differ in which comes first."""
    module = elaborate.loads(RESIDUAL.replace("a: conv(4, 3x3, pad = 1)", "a: conv(4, 1x1)"))
    weights = randomised(module.graph)
    torch_order = {"a": "conv1", "an": "bn1", "b": "conv2", "bn": "bn2", "short": "down.0", "sn": "down.1"}
    diagnostic = refusal(module, foreign(weights, torch_order))
    assert diagnostic.code == "CNN203"
    (pair,) = diagnostic.notes
    assert pair == "ambiguous: `conv2.weight` float32[8, 4, 3, 3] and `conv2.bias` float32[8] could be `b` or `short`"


def test_a_mapping_settles_what_is_ambiguous() -> None:
    module = elaborate.loads(RESIDUAL.replace("a: conv(4, 3x3, pad = 1)", "a: conv(4, 1x1)"))
    weights = randomised(module.graph)
    arrays = foreign(weights, {"a": "conv1", "an": "bn1", "b": "conv2", "bn": "bn2", "short": "down.0", "sn": "down.1"})
    for mapping in ({"conv2": "b"}, {"down.0": "short"}):
        found = by_structure(module, arrays, mapping=mapping)
        assert_same(found, weights)
        assert [row.how for row in found.rows].count("mapping") == 2


def test_order_decides_where_a_forerunner_is_still_to_come() -> None:
    """With the projection first in the file, the main path cannot have got so far: its first convolution has not been."""
    module = elaborate.loads(RESIDUAL.replace("a: conv(4, 3x3, pad = 1)", "a: conv(4, 1x1)"))
    weights = randomised(module.graph)
    first = {"short": "0_conv", "sn": "0_bn", "a": "1_conv", "an": "1_bn", "b": "2_conv", "bn": "2_bn"}
    assert_same(by_structure(module, foreign(weights, first)), weights)


def test_numbers_that_differ_are_refused() -> None:
    module = elaborate.loads(CHAIN)
    weights = randomised(module.graph)
    diagnostic = refusal(module, foreign(weights, {"a": "0", "n": "1", "m": "4", "c": "6"}))
    assert any(
        note.startswith("number: of one shape the spec has 3 (`a`, `b` or `c`), the file 2 (`0`, `6`)")
        for note in diagnostic.notes
    )


def test_a_pattern_does_not_choose_which_of_a_shape_is_missing() -> None:
    module = elaborate.loads(CHAIN)
    weights = randomised(module.graph)
    less = foreign(weights, {"a": "0", "n": "1", "m": "4", "c": "6"})
    assert refusal(module, less, allow_missing=["*"]).code == "CNN203"
    found = by_structure(module, less, allow_missing=["b.*"])
    assert [item.label for item in found.missing] == ["b.weight", "b.bias"]
    assert found.weights["c.weight"].tobytes() == weights["c.weight"].tobytes()


def test_an_order_that_contradicts_the_spec_is_refused() -> None:
    module = elaborate.loads(CHAIN.replace("c: conv(4, 3x3)", "c: conv(4, 3x3) -> last: conv(9, 1x1)"))
    weights = randomised(module.graph)
    diagnostic = refusal(module, foreign(weights, {"last": "9", "a": "0", "n": "1", "b": "3", "m": "4", "c": "6"}))
    assert diagnostic.notes == (
        "order: `9.weight` float32[9, 4, 1, 1] and `9.bias` float32[9] could be `last`, which comes behind `a` there and not in"
        " the file",
    )


def test_another_network_is_refused_by_name() -> None:
    module = elaborate.loads(CHAIN)
    diagnostic = refusal(module, {"w.weight": np.zeros((3, 3), np.float32)})
    assert "not in the spec: `w.weight` float32[3, 3] fits no layer that is left" in diagnostic.notes
    assert "missing: `a.weight`, float32[4, 4, 3, 3]" in diagnostic.notes


def test_names_count_for_nothing() -> None:
    """A tensor that has a name of the spec by chance is placed by structure all the same, and one set aside nowhere."""
    module = elaborate.loads("model M {\n    input x: float32[N, 2]\n    output x -> a: linear(2) -> b: linear(2)\n}\n")
    weights = randomised(module.graph)
    crossed = foreign(weights, {"a": "b", "b": "a"})
    assert_same(by_structure(module, crossed), weights)
    assert_same(by_structure(module, crossed, mapping={"b": "a"}), weights)
    one = elaborate.loads("model M {\n    input x: float32[N, 2]\n    output x -> a: linear(2)\n}\n")
    wanted = randomised(one.graph)
    more = foreign(wanted, {"a": "first"}) | {"a.weight": np.ones((2, 2), np.float32), "a.bias": np.ones(2, np.float32)}
    found = by_structure(one, more, allow_missing=["a.weight", "a.bias"])
    assert_same(found, wanted)
    assert [item.source for item in found.ignored] == ["a.weight", "a.bias"]


def test_onnx_without_names_goes_tensor_by_tensor() -> None:
    module = elaborate.loads(
        "model M {\n    input x: float32[N, 2]\n    output x -> a: linear(3) -> b: linear(3) -> c: linear(3)\n}\n"
    )
    weights = randomised(module.graph)
    arrays = {f"onnx::Gemm_{i}": array for i, array in enumerate(weights.values())}
    assert_same(by_structure(module, arrays, "onnx"), weights)


def test_a_batch_norm_without_names_is_ambiguous() -> None:
    module = elaborate.loads("model M {\n    input x: float32[N, 2]\n    output x -> a: batchnorm\n}\n")
    weights = randomised(module.graph)
    arrays = {f"onnx::{i}": array for i, array in enumerate(weights.values())}
    assert refusal(module, arrays, "onnx").notes[0].startswith("ambiguous: `onnx::0` float32[2] could be ")


def test_onnx_knows_what_its_nodes_read() -> None:
    module = elaborate.loads("model M {\n    input x: float32[N, 2]\n    output x -> a: batchnorm -> b: linear(2)\n}\n")
    weights = randomised(module.graph)
    roles = ("gamma", "beta", "moving_mean", "moving_variance", "kernel", "bias")
    tensors: dict[str, StoredTensor] = {}
    for role, (name, array) in zip(roles, weights.items(), strict=True):
        tensors |= source_of("onnx", {f"onnx::{name[::-1]}": array}, role=role).tensors
    found = convert(module, Source(Path("x.onnx"), "onnx", tensors), match="structure")
    assert_same(found, weights)


@pytest.mark.parametrize("model", ["ResNet18", "ResNet50"])
def test_keras_kernels_are_matched_by_their_layouts(model: str) -> None:
    module = elaborate.load("examples/resnet.cnn", model=model)
    weights = randomised(module.graph)
    stored = to_keras(own_variables(module.graph).values(), weights)
    renamed = {f"l{key.replace('.', '_')}": array for key, array in stored.items()}
    assert_same(by_structure(module, renamed, "keras"), weights)


@pytest.mark.parametrize("seed", range(30))
def test_no_order_of_use_is_ever_matched_wrongly(seed: int) -> None:
    """Random branches and chains of equal layers, listed in every order that a file may have: right, or refused."""
    rng = random.Random(seed)
    lines, tips, before = ["    t0 = x"], ["t0"], {"t0": set[str]()}
    for i in range(6):
        source = rng.choice(tips)
        lines.append(f"    t{i + 1} = {source} -> l{i}: linear({rng.choice((4, 4, 5)) if i == 5 else 4}, bias = false)")
        before[f"t{i + 1}"] = before[source] | {f"l{i}"}
        tips.append(f"t{i + 1}")
    ends = [tip for tip in tips[1:]]
    text = "\n".join(["model M {", "    input x: float32[N, 4]", *lines, *(f"    output o{tip} = {tip}" for tip in ends), "}"])
    module = elaborate.loads(text)
    weights = randomised(module.graph)
    waiting = {f"l{i}": before[f"t{i + 1}"] - {f"l{i}"} for i in range(6)}
    order: list[str] = []
    while waiting:
        ready = [layer for layer, needed in waiting.items() if not needed & waiting.keys()]
        order.append(rng.choice(sorted(ready)))
        del waiting[order[-1]]
    arrays = foreign(weights, {layer: f"q{place}" for place, layer in enumerate(order)})
    try:
        assert_same(by_structure(module, arrays), weights)
    except Failure as failure:
        notes = failure.diagnostics[0].notes
    else:
        return
    assert any(note.startswith("ambiguous: ") for note in notes)
