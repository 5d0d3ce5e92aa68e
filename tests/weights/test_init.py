"""Initial weights: the formulas of the papers, and that a draw depends on seed, name and shape alone."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from math import sqrt

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.ir.init import ONES, ZEROS, Init
from convspec.weights.draw import BLOCK
from convspec.weights.init import initial_weights
from tests.weights.graphs import graph_of, parameter

BIG = (250, 40, 5, 5)

# Standard deviations as the papers state them, for fan_in 1000 and fan_out 600.
SPREADS = [
    (Init("kaiming_uniform", fan_in=1000, gain=sqrt(2)), sqrt(2 / 1000), sqrt(6 / 1000)),
    (Init("kaiming_uniform", fan_in=1000, gain=sqrt(1 / 3)), sqrt(1 / 3000), sqrt(1 / 1000)),
    (Init("kaiming_normal", fan_in=1000, gain=sqrt(2)), sqrt(2 / 1000), None),
    (Init("xavier_uniform", fan_in=1000, fan_out=600), sqrt(2 / 1600), sqrt(6 / 1600)),
    (Init("xavier_normal", fan_in=1000, fan_out=600), sqrt(2 / 1600), None),
    (Init("xavier_normal", fan_in=1000, fan_out=600, gain=3), 3 * sqrt(2 / 1600), None),
    (Init("normal", value=0.02), 0.02, None),
    (Init("truncated_normal", value=0.02), 0.0175925, 0.04),
    (Init("uniform", value=0.05), 0.05 / sqrt(3), 0.05),
]


@pytest.mark.parametrize(("init", "std", "bound"), SPREADS, ids=lambda value: getattr(value, "name", ""))
def test_spread_is_that_of_the_paper(init: Init, std: float, bound: float | None) -> None:
    tensor = initial_weights(graph_of(parameter("w", BIG, init)), 5)["w"]
    assert tensor.shape == BIG
    assert tensor.dtype == np.float32
    assert tensor.std() == pytest.approx(std, rel=0.01)
    assert abs(tensor.mean()) < 5 * std / sqrt(tensor.size)
    if bound is not None:
        assert 0.999 * bound < np.abs(tensor).max() <= bound * (1 + 1e-6)


def test_constants() -> None:
    graph = graph_of(
        parameter("a.bias", (3,), ZEROS),
        parameter("b.weight", (2, 2), ONES),
        parameter("c.scale", (), Init("constant", value=-2.5)),
    )
    weights = initial_weights(graph, 9)
    assert {name: tensor.tolist() for name, tensor in weights.items()} == {
        "a.bias": [0, 0, 0],
        "b.weight": [[1, 1], [1, 1]],
        "c.scale": -2.5,
    }


NORMAL = Init("normal", value=1.0)


def test_a_tensor_depends_on_seed_name_and_shape_alone() -> None:
    one = initial_weights(graph_of(parameter("a.weight", (8, 4), NORMAL)), 0)["a.weight"]
    among_others = initial_weights(
        graph_of(parameter("z.weight", (9,), NORMAL), parameter("a.weight", (8, 4), NORMAL), parameter("b", (2,), ZEROS)), 0
    )
    np.testing.assert_array_equal(one, among_others["a.weight"])
    assert list(among_others) == ["z.weight", "a.weight", "b"]
    others = [
        initial_weights(graph_of(parameter("a.weight", (8, 4), NORMAL)), 1)["a.weight"],
        initial_weights(graph_of(parameter("b.weight", (8, 4), NORMAL)), 0)["b.weight"],
        initial_weights(graph_of(parameter("a.weight", (4, 8), NORMAL)), 0)["a.weight"].reshape(8, 4),
    ]
    assert not any(np.allclose(one, other) for other in others)


def test_large_tensors_are_drawn_in_blocks_that_differ() -> None:
    tensor = initial_weights(graph_of(parameter("w", (BLOCK * 2 + 7,), NORMAL)), 0)["w"]
    first, second, rest = tensor[:BLOCK], tensor[BLOCK : 2 * BLOCK], tensor[2 * BLOCK :]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02
    assert len(set(rest.tolist())) == 7
    assert not np.array_equal(rest, first[:7])


def test_dtypes_follow_the_parameter() -> None:
    graph = graph_of(*(parameter(d, (100,), NORMAL, dtype=d) for d in ("float64", "float16", "bfloat16")))
    weights = initial_weights(graph, 0)
    assert {name: tensor.dtype.name for name, tensor in weights.items()} == {d: d for d in ("float64", "float16", "bfloat16")}


def test_fan_and_bounds_are_checked_at_the_layer() -> None:
    for init in (Init("kaiming_normal"), Init("normal", value=-1.0), Init("uniform", value=float("inf"))):
        with pytest.raises(Failure) as caught:
            initial_weights(graph_of(parameter("w", (2, 2), init)), 0)
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "CNN202"
        assert diagnostic.primary is not None
        assert str(diagnostic.primary.span) == "hand.cnn:1:5"


def test_the_same_in_another_process_with_another_number_of_threads() -> None:
    """Hash seeds, thread counts and import order have no say."""
    code = (
        "import os\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}) if hasattr(os, 'sched_setaffinity') else None\n"
        "from tests.weights.test_init import fingerprint\n"
        "print(fingerprint())\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "123"}
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, cwd=root)
    assert done.stdout.strip() == fingerprint() == RECORDED


RECORDED = "a035a42e74edcee6673a5b36bc74e0c09c059ae6dec2d69d6352c517d6ab7f10"
"""If it changes, every seed gives other weights: raise `VERSION` in convspec/weights/init.py and say so in the changelog."""


def fingerprint() -> str:
    graph = graph_of(
        parameter("conv1.weight", (64, 3, 7, 7), Init("kaiming_normal", fan_in=147, gain=sqrt(2))),
        parameter("fc.weight", (300, 512), Init("xavier_uniform", fan_in=512, fan_out=300)),
        parameter("vit.weight", (40, 40), Init("truncated_normal", value=0.02)),
    )
    digest = hashlib.sha256()
    for tensor in initial_weights(graph, 42).values():
        digest.update(tensor.astype("<f4").tobytes())
    return digest.hexdigest()


SPEC = """
model M {
    input x: float32[N, 3, 8, 8]
    output x -> a: conv(4, 3x3) -> b: conv(4, 3x3, bias = false) -> bn: batchnorm -> EXTRA flatten -> fc: linear(5)
}
"""


def test_an_edit_reshuffles_no_other_tensor() -> None:
    before = initial_weights(loads(SPEC.replace("EXTRA", "")).graph, 3)
    after = initial_weights(loads(SPEC.replace("EXTRA", "c: conv(4, 1x1) -> relu ->")).graph, 3)
    assert set(after) - set(before) == {"c.weight", "c.bias"}
    for name, tensor in before.items():
        np.testing.assert_array_equal(tensor, after[name])
