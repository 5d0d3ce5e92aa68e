"""Activations: values known by hand, every attribute on ranks 2 to 5 and all targets, kinks with their gradients, extremes."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from convspec.ir.opdef import AttrError
from convspec.ops import find
from tests.ops.arrays import GRID, open_axes, quantised
from tests.ops.harness import KerasNet, check, convert, prepare, reference, scaled_error
from tests.ops.harness import TorchNet as Torch

ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("relu", {}),
    ("relu6", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"slope": 0.3}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("gelu", {}),
    ("gelu", {"approx": "tanh"}),
    ("silu", {}),
    ("hardsigmoid", {}),
    ("hardswish", {}),
    ("neg", {}),
    ("elu", {}),
    ("elu", {"alpha": 0.3}),
    ("celu", {}),
    ("celu", {"alpha": 0.3}),
    ("selu", {}),
    ("mish", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min": -3, "max": 6}),
    ("logsigmoid", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.5}),
    ("softsign", {}),
    ("threshold", {"threshold": 1, "value": 0.1}),
    ("log_softmax", {}),
]


@pytest.mark.parametrize(
    ("name", "attrs", "x", "y"),
    [
        ("relu", {}, [-2, 0, 3], [0, 0, 3]),
        ("relu6", {}, [-1, 0, 2, 6, 7], [0, 0, 2, 6, 6]),
        ("leaky_relu", {}, [-2, 0, 3], [-0.02, 0, 3]),
        ("leaky_relu", {"slope": 0.25}, [-2, 0, 3], [-0.5, 0, 3]),
        ("sigmoid", {}, [0, math.log(3), -math.log(3)], [0.5, 0.75, 0.25]),
        ("tanh", {}, [0, math.log(2)], [0, 0.6]),
        ("gelu", {}, [0, 1, -1], [0, 0.8413447460685429, -0.15865525393145707]),
        ("gelu", {"approx": "tanh"}, [0, 1], [0, 0.8411919906082768]),
        ("silu", {}, [0, math.log(3)], [0, 0.75 * math.log(3)]),
        ("hardsigmoid", {}, [-4, -3, 0, 1, 3, 4], [0, 0, 0.5, 2 / 3, 1, 1]),
        ("hardswish", {}, [-4, -3, -1, 3, 4], [0, 0, -1 / 3, 3, 4]),
        ("neg", {}, [-1, 0, 2], [1, 0, -2]),
        ("softmax", {}, [0, math.log(3)], [0.25, 0.75]),
        ("log_softmax", {}, [0, math.log(3)], [math.log(0.25), math.log(0.75)]),
        ("elu", {}, [-math.log(2), 0, 3], [-0.5, 0, 3]),
        ("elu", {"alpha": 3}, [-math.log(2), 3], [-1.5, 3]),
        ("celu", {"alpha": 2}, [-2 * math.log(2), 0, 3], [-1, 0, 3]),
        ("selu", {}, [-math.log(2), 0, 1], [-0.8790496704, 0, 1.0507009874]),
        ("mish", {}, [0, math.log(2)], [0, math.log(2) * 0.8]),
        ("hardtanh", {}, [-2, -1, 0.5, 1, 2], [-1, -1, 0.5, 1, 1]),
        ("hardtanh", {"min": 0, "max": 3}, [-2, 1, 4], [0, 1, 3]),
        ("logsigmoid", {}, [0, math.log(3)], [-math.log(2), math.log(0.75)]),
        ("softplus", {}, [0, math.log(3)], [math.log(2), math.log(4)]),
        ("softplus", {"beta": 2}, [0, math.log(3) / 2], [math.log(2) / 2, math.log(2)]),
        ("softsign", {}, [-3, 0, 1], [-0.75, 0, 0.5]),
        ("threshold", {"threshold": 1, "value": 9}, [0, 1, 2], [9, 9, 2]),
    ],
)
def test_the_reference_has_values_known_by_hand(name: str, attrs: dict[str, Any], x: list[float], y: list[float]) -> None:
    case = prepare(name, attrs, [np.array([x], dtype=float)])
    np.testing.assert_allclose(reference(case)[0], [y], rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
@pytest.mark.parametrize(("name", "attrs"), ACTIVATIONS)
def test_all_targets_agree_also_at_the_kinks(name: str, attrs: dict[str, Any], rank: int) -> None:
    check(name, attrs, quantised(rank), free=open_axes(rank))


@pytest.mark.parametrize("slope", [0.0, 0.1, 1.0, 2.0, -0.5])
def test_leaky_relu_takes_any_slope(slope: float) -> None:
    check("leaky_relu", {"slope": slope}, quantised(2))


@pytest.mark.parametrize(
    "name", ["relu", "relu6", "leaky_relu", "hardsigmoid", "hardswish", "elu", "celu", "selu", "hardtanh", "softplus", "mish"]
)
def test_gradients_at_kinks_are_those_of_torch_itself(name: str) -> None:
    """The lowering need not be torch's function of that name, but has its gradients, to the float32 digits that some have."""
    torch: Any = import_module("torch")
    x = torch.tensor(GRID[None], requires_grad=True)
    case = prepare(name, {}, [GRID[None]])
    getattr(torch.nn.functional, name)(x).sum().backward()
    net = Torch(case, "float64")
    leaf = torch.tensor(GRID[None], requires_grad=True)
    net._value(net.tree, [leaf]).sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), x.grad.numpy(), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("alpha", [0.3, 2.0])
def test_celu_has_the_digits_of_float64_on_pytorch(alpha: float) -> None:
    """The gradient of F.celu rounds 1 / alpha to float32."""
    x = np.linspace(-3, 3, 25)[None]
    case = prepare("celu", {"alpha": alpha}, [x])
    net = Torch(case, "float64")
    torch: Any = import_module("torch")
    leaf = torch.tensor(x, requires_grad=True)
    net._value(net.tree, [leaf]).sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), np.where(x > 0, 1, np.exp(np.minimum(x, 0) / alpha)), rtol=1e-14)


def test_softplus_is_exact_where_pytorch_would_cut_it_off() -> None:
    """log(1 + exp(x)) - x is log(1 + exp(-x)): 1.1e-9 at 20.6, and F.softplus says 0 unless told otherwise."""
    x = np.array([[20.625, 25.0, 35.0]])
    case = check("softplus", {}, x)
    [found] = Torch(case, "float64").run().outputs
    np.testing.assert_allclose(found - x, np.log1p(np.exp(-x)), atol=8e-15)


@pytest.mark.parametrize(
    "name",
    [
        *("sigmoid", "tanh", "gelu", "silu", "softmax", "hardsigmoid", "hardswish"),
        *("elu", "celu", "selu", "mish", "hardtanh", "logsigmoid", "softplus", "softsign", "log_softmax", "glu"),
    ],
)
def test_large_values_neither_overflow_nor_become_nan(name: str) -> None:
    x = np.array([[-1e4, -100.0, -20.0, 0.0], [20.0, 100.0, 1e4, -1e4]])
    case = check(name, {}, x, gradients=name != "softmax")  # where softmax saturates, its gradient is rounding noise
    assert np.isfinite(reference(case)[0]).all()


@pytest.mark.parametrize("approx", ["none", "tanh"])
def test_gelu_has_the_digits_of_float64_on_keras(approx: str) -> None:
    """TensorFlow's own rounds its constants to float32, which a gate of 1e-8 for one layer lets through."""
    case = prepare("gelu", {"approx": approx}, [np.linspace(-4, 4, 41)[None]])
    expected = Torch(case, "float64").run()
    found = KerasNet(case, "float64").run()
    for one, other in ((found.outputs, expected.outputs), (found.gradients.values(), expected.gradients.values())):
        assert [scaled_error(a, b) < 1e-14 for a, b in zip(one, other, strict=True)] == [True]


def test_gelu_keeps_its_digits_far_below_zero() -> None:
    """x Φ(x) at -8 is -8 * 6.22e-16; 1 + erf(x / √2) would give 0 or twice that."""
    [y] = reference(prepare("gelu", {}, [[[-8.0]]]))
    assert y.item() == pytest.approx(-8 * 6.220960574271785e-16, rel=1e-9)


@pytest.mark.parametrize(
    ("rank", "axis", "index"),
    [
        (2, "channels", 1),
        (3, "length", 2),
        (4, "height", 2),
        (4, "width", 3),
        (4, 1, 1),
        (4, -1, 3),
        (5, "depth", 2),
        (5, "width", 4),
        (5, -4, 1),
    ],
)
def test_softmax_along_every_axis(rank: int, axis: int | str, index: int) -> None:
    case = check("softmax", {"axis": axis}, quantised(rank) / 4, free=open_axes(rank))
    np.testing.assert_allclose(reference(case)[0].sum(index), 1, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "attrs", "message"),
    [
        ("gelu", {"approx": "erf"}, '`approx` is one of none, tanh, not "erf"'),
        ("leaky_relu", {"slope": "steep"}, '`slope` takes a number, not the string "steep"'),
        ("leaky_relu", {"slope": math.inf}, "`slope` must be finite, not inf"),
        ("leaky_relu", {"slope": True}, "`slope` takes a number, not the bool true"),
    ],
)
def test_wrong_attributes_are_refused(name: str, attrs: dict[str, Any], message: str) -> None:
    op = find(name)
    assert op is not None
    with pytest.raises(AttrError) as caught:
        convert(op, attrs)
    assert caught.value.message == message
