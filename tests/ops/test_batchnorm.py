"""`batchnorm`: inference on every target; training steps with outputs, running statistics and gradients."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from convspec.ir.dims import symbol
from convspec.ir.lowering import Apply
from convspec.ir.opdef import AttrError, OpDef, ShapeError
from convspec.ir.types import Array, TensorType
from convspec.ops import find
from convspec.ops.batchnorm import Batchnorm
from tests.ops.arrays import open_axes, smooth
from tests.ops.harness import check, check_training, convert, prepare, reference

N, C = symbol("N"), symbol("C")


def op() -> OpDef:
    found = find("batchnorm")
    assert found is not None
    return found


def test_values_known_by_hand() -> None:
    params = {"weight": [2.0], "bias": [1.0], "running_mean": [3.0], "running_var": [3.0]}
    case = prepare("batchnorm", {"eps": 1.0}, [[[[3.0, 5.0]]]], params)
    np.testing.assert_allclose(reference(case)[0], [[[1.0, 3.0]]], rtol=1e-15)


@pytest.mark.parametrize("attrs", [{}, {"eps": 1e-3, "momentum": 0.03}])
@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_inference(rank: int, attrs: dict[str, Any]) -> None:
    check("batchnorm", attrs, smooth(rank), free=open_axes(rank))


def by_hand(x: Array, weight: Array, bias: Array, eps: float) -> tuple[Array, Array, Array]:
    """Output, mean and unbiased variance of a training step, written out channel by channel."""
    y, means, variances = np.empty_like(x), [], []
    for c in range(x.shape[1]):
        values = x[:, c].ravel()
        mean = values.sum() / values.size
        squares = ((values - mean) ** 2).sum()
        y[:, c] = (x[:, c] - mean) / np.sqrt(squares / values.size + eps) * weight[c] + bias[c]
        means.append(mean)
        variances.append(squares / (values.size - 1))
    return y, np.array(means), np.array(variances)


@pytest.mark.parametrize(("momentum", "eps"), [(0.1, 1e-5), (0.25, 1e-2), (0.0, 1e-5), (1.0, 1e-5)])
@pytest.mark.parametrize("shape", [(2, 3, 2, 2), (5, 4), (2, 3, 4), (2, 2, 2, 3, 2)])
def test_three_training_steps_then_inference(shape: tuple[int, ...], momentum: float, eps: float) -> None:
    rng = np.random.default_rng(8)
    steps = [rng.normal(mean, scale, shape) for mean, scale in ((0.0, 1.0), (3.0, 2.0), (-1.0, 0.5))]
    attrs = {"momentum": momentum, "eps": eps}
    case = prepare("batchnorm", attrs, steps[:1])
    runs = check_training("batchnorm", attrs, *steps)
    mean, var = case.params["running_mean"], case.params["running_var"]
    for x, run in zip(steps, runs, strict=True):
        y, batch_mean, batch_var = by_hand(x, case.params["weight"], case.params["bias"], eps)
        mean = (1 - momentum) * mean + momentum * batch_mean
        var = (1 - momentum) * var + momentum * batch_var
        np.testing.assert_allclose(run.outputs[0], y, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(run.statistics["running_mean"], mean, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(run.statistics["running_var"], var, rtol=1e-9, atol=1e-12)
        assert set(run.gradients) == {"input 0", "weight", "bias"}
    check("batchnorm", attrs, steps[0], params={**case.params, **runs[-1].statistics})


def test_keras_trains_the_same_in_a_traced_function() -> None:
    """As `fit` runs it: traced once, with an open batch, so that no size is known."""
    from tests.ops.harness import KerasNet

    tf: Any = import_module("tensorflow")
    batches = [np.random.default_rng(seed).normal(size=(2 + seed, 2, 2, 3)) for seed in range(3)]
    case = prepare("batchnorm", {}, [batches[0].transpose(0, 3, 1, 2)])
    eager, traced = KerasNet(case, "float64", training=True), KerasNet(case, "float64", training=True)
    assert eager.model is not None
    assert traced.model is not None
    step = tf.function(lambda x: traced.model([x], training=True), input_signature=[tf.TensorSpec((None, 2, 2, 3), "float64")])
    for batch in batches:
        expected, found = eager.model([tf.constant(batch)], training=True), step(tf.constant(batch))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    for found, expected in zip(traced.model.get_weights(), eager.model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_one_value_per_channel_is_an_error_in_training() -> None:
    """On PyTorch by itself, on Keras by our layer: its running variance would become NaN."""
    from tests.ops.harness import KerasNet, TorchNet

    case = prepare("batchnorm", {}, [np.ones((1, 3, 1, 1))])
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        TorchNet(case, "float64", training=True).run()
    with pytest.raises(ValueError, match="more than one value per channel"):
        KerasNet(case, "float64", training=True).run()
    check("batchnorm", {}, np.ones((1, 3, 1, 1)))


def test_lowerings_leave_defaults_out() -> None:
    x = TensorType("float32", (N, 64, 7, 7))
    torch, keras = op().lower["pytorch"](Batchnorm(), x), op().lower["tensorflow"](Batchnorm(), x)
    assert isinstance(torch, Apply)
    assert isinstance(keras, Apply)
    assert (torch.fn, torch.args, torch.kwargs) == ("nn.BatchNorm2d", (64,), {})
    assert (keras.fn, keras.args, keras.kwargs) == ("helpers.BatchNorm", (), {})


def test_keras_momentum_is_what_stays_and_has_no_rounding_tail() -> None:
    keras = op().lower["tensorflow"](Batchnorm(momentum=0.07, eps=1e-3), TensorType("float32", (N, 64)))
    assert isinstance(keras, Apply)
    assert keras.kwargs == {"momentum": 0.93, "epsilon": 1e-3}


def test_parameters() -> None:
    params = op().params
    assert params is not None
    specs = params(Batchnorm(), TensorType("float32", (N, 64, 7)))
    assert {role: (spec.shape, spec.init.name, spec.trainable) for role, spec in specs.items()} == {
        "weight": ((64,), "ones", True),
        "bias": ((64,), "zeros", True),
        "running_mean": ((64,), "zeros", False),
        "running_var": ((64,), "ones", False),
    }


def test_ranks_and_channels_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="rank 2 to 5, not 6"):
        op().infer(Batchnorm(), TensorType("float32", (N, 3, 2, 2, 2, 2)))
    with pytest.raises(ShapeError, match="must be known, but it is C") as caught:
        op().infer(Batchnorm(), TensorType("float32", (N, C)))
    assert caught.value.code == "CNN033"


@pytest.mark.parametrize(
    ("attrs", "message"),
    [
        ({"eps": 0}, "`eps` must be above 0, not 0"),
        ({"momentum": 1.1}, "`momentum` must be at most 1, not 1.1"),
        ({"momentum": -0.1}, "`momentum` must be at least 0, not -0.1"),
    ],
)
def test_attributes_out_of_range(attrs: dict[str, Any], message: str) -> None:
    with pytest.raises(AttrError) as caught:
        convert(op(), attrs)
    assert caught.value.message == message
