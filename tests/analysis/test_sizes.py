"""Symbolic sizes of the inputs, fixed by whoever compiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from convspec import Failure, loads

SPEC = """
model Net {
    input x: float32[N, 3, 2*h, W >= 8]
    y = x -> conv(4, 3x3, stride = 2, pad = 1) -> relu
    output y -> resize(factor = 2) -> avgpool(2x2)
    assert macs(N = 2, h = 5, W = 10) == 2 * 4 * 5 * 5 * 27
}
"""


def refused(sizes: dict[str, int]) -> str:
    with pytest.raises(Failure) as caught:
        loads(SPEC, sizes=sizes)
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.code} {diagnostic.message} ({diagnostic.hint})"


def test_every_type_is_a_plain_number() -> None:
    graph = loads(SPEC, sizes={"N": 2, "h": 4, "W": 9}).module.graph
    assert graph.inputs[0].value.type.shape == (2, 3, 8, 9)
    # 9 columns: (9 + 2 - 3) // 2 + 1 = 5, doubled 10, halved 5
    assert [node.outputs[0].type.shape for node in graph.nodes] == [(2, 4, 4, 5), (2, 4, 4, 5), (2, 4, 8, 10), (2, 4, 4, 5)]


def test_some_may_stay_open() -> None:
    shape = loads(SPEC, sizes={"h": 4}).module.graph.inputs[0].value.type.shape
    assert [str(size) for size in shape] == ["N", "3", "8", "W"]


def test_it_computes_the_same_with_the_same_weights() -> None:
    anywhere, fixed = loads(SPEC, seed=4), loads(SPEC, seed=4, sizes={"N": 2, "h": 4, "W": 9})
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 9)).astype(np.float32)
    (expected,), (found,) = (net.run(x, runtime="reference").values() for net in (anywhere, fixed))
    np.testing.assert_array_equal(found, expected)


def test_data_of_another_size_is_refused() -> None:
    net = loads(SPEC, sizes={"N": 2, "h": 4, "W": 9})
    with pytest.raises(Failure, match="CNN301"):
        net.run(np.zeros((1, 3, 8, 9), np.float32), runtime="reference")


def test_the_onnx_model_is_of_this_size(tmp_path: Path) -> None:
    loads(SPEC, sizes={"N": 2, "h": 4, "W": 9}).to_onnx(tmp_path / "net.onnx")
    model = onnx.shape_inference.infer_shapes(onnx.load(tmp_path / "net.onnx"), strict_mode=True)
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        assert all(dim.dim_value for dim in value.type.tensor_type.shape.dim), value.name


def test_budgets_are_asserted_at_the_sizes_that_they_name() -> None:
    assert loads(SPEC, sizes={"N": 1, "h": 4, "W": 9})
    with pytest.raises(Failure, match="CNN070"):
        loads(SPEC.replace("2 * 4 * 5", "3 * 4 * 5"), sizes={"N": 1, "h": 4, "W": 9})


def test_a_mistake_at_other_sizes_stays_one() -> None:
    """64 rows would fit a window of 40, and the spec takes fewer."""
    with pytest.raises(Failure, match="CNN03"):
        loads("model M { input x: float32[N, 1, H, H]  output x -> maxpool(40x40) }", sizes={"H": 64})


def test_names_and_bounds_are_checked() -> None:
    assert refused({"height": 4}) == "CNN401 there is no symbolic size `height` (the inputs have N, h, W)"
    assert refused({"W": 7}) == "CNN401 `W` is at least 8 and cannot be 7 (None)"
    with pytest.raises(Failure) as caught:
        loads("model M { input x: float32[1, 2]  output x -> relu }", sizes={"N": 1})
    assert caught.value.diagnostics[0].hint == "all sizes of the network are plain numbers"
