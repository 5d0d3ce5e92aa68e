"""Lowerings hold at every opset that can be written, from the oldest on, as far as ONNX has the op type there."""

from __future__ import annotations

from typing import Any

import pytest

from convspec.ir.lowering import Call
from convspec.targets.onnx.opsets import DEFAULT_OPSET, OLDEST_OPSET, first_opset
from tests.ops.arrays import smooth
from tests.ops.harness import FP32, OnnxNet, assert_close, prepare, reference
from tests.ops.samples import SAMPLES


@pytest.mark.parametrize("opset", [OLDEST_OPSET, 21, DEFAULT_OPSET])
@pytest.mark.parametrize(("name", "attrs", "count"), SAMPLES)
def test_an_older_opset_gives_the_same(name: str, attrs: dict[str, Any], count: int, opset: int) -> None:
    case = prepare(name, attrs, [2 + smooth(4, seed) for seed in range(count)])
    tree = case.lowered("onnx")
    since = first_opset(tree.fn) if isinstance(tree, Call) else 1
    assert since is not None
    if name == "gelu":
        assert since == 20, "the one op here that is younger than the oldest opset; the target reports it"
    if opset >= since:
        for found, expected in zip(OnnxNet(case, opset).run(), reference(case), strict=True):
            assert_close(found, expected, FP32, f"{case} at opset {opset}")
    else:
        assert name == "gelu"
