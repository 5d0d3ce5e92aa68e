"""What layers cost, counted by hand: operations for the whole batch."""

from __future__ import annotations

from typing import Any

import pytest

from convspec.ir.dims import symbol
from convspec.ir.opdef import Cost
from convspec.ir.types import TensorType
from convspec.ops import find

N, H = symbol("N"), symbol("H")


@pytest.mark.parametrize(
    ("name", "flops"),
    [
        *(
            (name, 24)
            for name in ("relu", "relu6", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "hardsigmoid", "hardswish", "neg")
        ),
        ("batchnorm", 48),
        ("softmax", 120),
    ],
)
def test_operations_per_element(name: str, flops: int) -> None:
    op = find(name)
    assert op is not None
    assert op.cost is not None
    assert op.cost(op.attrs(), TensorType("float32", (2, 3, 4))) == Cost(macs=0, flops=flops)
    symbolic: Any = op.cost(op.attrs(), TensorType("float32", (N, 3, 4 * H))).flops
    assert symbolic == flops // 2 * N * H


@pytest.mark.parametrize("name", ["flatten", "dropout", "concat", "split"])
def test_moving_data_costs_nothing(name: str) -> None:
    op = find(name)
    assert op is not None
    assert op.cost is None
