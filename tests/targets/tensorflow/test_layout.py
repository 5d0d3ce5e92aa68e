"""Which flattens stay plain, and how the weights behind them are rearranged. No Keras needed."""

from __future__ import annotations

import numpy as np
import pytest

from convspec.elaborate import loads
from convspec.targets.tensorflow.layout import FlattenPlan, Segment, indices, plan_flatten

INPUT = "input x: float32[N, 3, 4, 5]\n"


def plan(body: str, before: str = "") -> FlattenPlan:
    return plan_flatten(loads(f"{before}\nmodel M {{\n{INPUT}{body}\n}}").graph)


def permuted(body: str, before: str = "") -> list[str]:
    return sorted(value.name for value in plan(body, before).permuted)


def test_indices_map_channels_last_features_to_canonical_ones() -> None:
    canonical = np.arange(2 * 3 * 4).reshape(1, 2, 3, 4)  # N, C, H, W
    last = canonical.transpose(0, 2, 3, 1).reshape(-1)
    assert indices((Segment(2, 12),)).tolist() == last.tolist()


def test_indices_of_several_segments_stay_within_them() -> None:
    assert indices((Segment(3, 1), Segment(2, 2), Segment(1, 2))).tolist() == [0, 1, 2, 3, 5, 4, 6, 7, 8]


def test_a_linear_takes_the_order() -> None:
    found = plan("output x -> flatten -> fc: linear(7)")
    assert not found.permuted
    assert found.orders == {"fc.weight": (Segment(3, 20),)}


@pytest.mark.parametrize(
    "between",
    [
        "relu -> dropout(0.5)",
        "leaky_relu(0.1) -> sigmoid",
        "softmax",
        "tanh -> gelu -> silu",
        "hardswish -> hardsigmoid -> relu6",
        "elu -> celu(0.5) -> selu -> mish -> softsign",
        "hardtanh -> logsigmoid -> softplus -> threshold(0.1) -> log_softmax -> l2norm",
        "layernorm(affine = false) -> rmsnorm(affine = false)",
    ],
)
def test_ops_that_treat_every_feature_alike_lie_between(between: str) -> None:
    found = plan(f"output x -> flatten -> {between} -> fc: linear(7)")
    assert not found.permuted
    assert list(found.orders) == ["fc.weight"]


def test_batch_norm_between_is_rearranged_too() -> None:
    found = plan("output x -> flatten -> bn: batchnorm -> relu -> fc: linear(7)")
    assert not found.permuted
    assert set(found.orders) == {"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "fc.weight"}


def test_weights_of_every_feature_are_rearranged_and_one_for_all_is_not() -> None:
    found = plan("output x -> flatten -> ln: layernorm -> rn: rmsnorm -> p: prelu -> q: prelu(per = one) -> fc: linear(7)")
    assert not found.permuted
    assert set(found.orders) == {"ln.weight", "ln.bias", "rn.weight", "p.weight", "fc.weight"}


@pytest.mark.parametrize("stage", ["glu", "maxout(2)", "groupnorm(2)"])
def test_layers_that_know_neighbours_need_the_canonical_order(stage: str) -> None:
    assert permuted(f"output x -> flatten -> {stage} -> fc: linear(7)") == ["flatten1"]


def test_arithmetic_with_numbers_and_with_tensors_in_the_same_order() -> None:
    found = plan("y = x -> flatten\nz = x * 2.0 -> flatten\noutput -(y + z) * 0.5 -> fc: linear(7)")
    assert not found.permuted
    assert found.orders == {"fc.weight": (Segment(3, 20),)}


def test_arithmetic_with_a_tensor_in_another_order_permutes() -> None:
    assert permuted("y = x -> flatten\nz = x -> global_avgpool -> flatten -> linear(60)\noutput y + z -> linear(7)") == [
        "flatten1"
    ]


def test_concatenation_keeps_segments() -> None:
    found = plan(
        "a = x -> flatten\nb = x -> global_avgpool -> flatten\nc = concat(x, x) -> flatten\n"
        "output concat(a, b, c) -> fc: linear(7)"
    )
    assert not found.permuted
    assert found.orders == {"fc.weight": (Segment(3, 20), Segment(3, 1), Segment(6, 20))}


@pytest.mark.parametrize("end", ["relu", "dropout(0.5)", "softmax"])
def test_an_output_needs_canonical_order(end: str) -> None:
    assert permuted(f"output x -> flatten -> {end}") == ["flatten1"]


def test_one_use_that_needs_canonical_order_is_enough() -> None:
    assert permuted("y = x -> flatten\noutput y -> linear(7)\noutput z = y") == ["flatten1"]


def test_splitting_needs_canonical_order() -> None:
    assert permuted("a, b = x -> flatten -> split(2)\noutput p = a -> linear(3)\noutput q = b -> linear(3)") == ["flatten1"]


def test_nothing_is_needed_for_one_position_or_one_channel() -> None:
    found = plan("output x -> global_avgpool -> flatten")
    assert not found.permuted
    assert not found.orders
    one = loads("model M {\ninput x: float32[N, 1, 4, 5]\noutput x -> flatten -> fc: linear(7)\n}")
    assert not plan_flatten(one.graph).orders


def test_a_shared_linear_that_is_wanted_in_two_orders_permutes() -> None:
    shared = "layer fc = linear(7)\n"
    both = shared + "a = x -> flatten -> fc\nb = x * 2.0 -> flatten -> fc\noutput a + b"
    assert permuted(both) == []
    mixed = shared + "a = x -> flatten -> fc\nb = x -> flatten -> linear(60) -> fc\noutput a + b"
    assert permuted(mixed) == ["flatten1"]
    other_way = shared + "b = x -> flatten -> linear(60) -> fc\na = x -> flatten -> fc\noutput a + b"
    assert permuted(other_way) == ["flatten2"]


def test_a_symbolic_number_of_features_is_permuted() -> None:
    module = loads("model M {\ninput x: float32[N, 3, H, 5]\noutput x -> flatten\n}")
    assert len(plan_flatten(module.graph).permuted) == 1


def test_flattening_twice_keeps_the_order() -> None:
    found = plan("output x -> flatten -> flatten -> fc: linear(7)")
    assert found.orders == {"fc.weight": (Segment(3, 20),)}
