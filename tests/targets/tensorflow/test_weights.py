"""Canonical weights to Keras layouts and back, with the mapping kept as data."""

from __future__ import annotations

import io

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.targets.tensorflow import TARGET, TensorFlowOptions
from convspec.targets.tensorflow.layout import Segment
from convspec.targets.tensorflow.network import prepare
from convspec.targets.tensorflow.weights import Variable, from_metadata, to_canonical, to_keras, to_metadata
from tests.targets.tensorflow.networks import net

SPEC = """
model M {
    input x: float32[N, 2, 3, 4]
    output x -> bn: batchnorm -> flatten -> fc: linear(5) -> relu -> head: linear(3, bias = false)
}
"""


def test_a_linear_behind_a_flatten_takes_its_rows_in_channels_last_order() -> None:
    made = net(SPEC)
    values = to_keras(prepare(made.module.graph).variables, made.weights)
    image = np.random.default_rng(0).normal(size=(6, 2, 3, 4))
    canonical = image.reshape(6, -1) @ made.weights["fc.weight"].T
    last = image.transpose(0, 2, 3, 1).reshape(6, -1) @ values["fc/kernel"]
    np.testing.assert_allclose(last, canonical, rtol=1e-12)


def test_every_variable_has_its_keras_name_and_shape() -> None:
    made = net(SPEC)
    variables = prepare(made.module.graph).variables
    values = to_keras(variables, made.weights)
    assert {key: value.shape for key, value in values.items()} == {
        "bn/gamma": (2,), "bn/beta": (2,), "bn/moving_mean": (2,), "bn/moving_variance": (2,),
        "fc/kernel": (24, 5), "fc/bias": (5,), "head/kernel": (5, 3),
    }  # fmt: skip
    assert {variable.key: variable.keras_shape for variable in variables} == {k: v.shape for k, v in values.items()}


def test_there_and_back_through_the_file() -> None:
    """The metadata alone is enough to bring the weights back."""
    from safetensors.numpy import load

    made = net(SPEC)
    artifact = TARGET.emit(made.module, made.weights, TensorFlowOptions(stem="m"))
    write = artifact.files["m.safetensors"]
    assert callable(write)
    file = io.BytesIO()
    write(file)
    again = io.BytesIO()
    write(again)
    assert file.getvalue() == again.getvalue()
    arrays = load(file.getvalue())
    variables = prepare(made.module.graph).variables
    back = to_canonical(from_metadata(to_metadata(variables)), arrays)
    assert set(back) == set(made.weights)
    for name, weight in made.weights.items():
        np.testing.assert_array_equal(back[name], weight)


@pytest.mark.parametrize(
    "variable",
    [
        Variable("a/kernel", "a.weight", (6, 4, 3, 2), permute=(2, 3, 1, 0)),
        Variable("a/depthwise", "a.weight", (6, 1, 3, 2), reshape=(3, 2, 3, 2), permute=(2, 3, 0, 1)),
        Variable("a/kernel", "a.weight", (5, 24), axis=1, order=(Segment(4, 6),), permute=(1, 0)),
        Variable("a/gamma", "a.weight", (24,), axis=0, order=(Segment(3, 4), Segment(12, 1))),
    ],
)
def test_to_canonical_undoes_to_keras(variable: Variable) -> None:
    array = np.random.default_rng(0).normal(size=variable.shape)
    stored = variable.to_keras(array)
    assert stored.shape == variable.keras_shape
    assert stored.size < 2 or not np.array_equal(stored.ravel(), array.ravel())
    np.testing.assert_array_equal(variable.to_canonical(stored), array)
    assert from_metadata(to_metadata([variable])) == [variable]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"layout":"torch","version":1,"variables":{}}', '{"layout":"keras","version":1}']
)
def test_metadata_that_is_not_ours(text: str) -> None:
    with pytest.raises(Failure) as caught:
        from_metadata({"convspec": text})
    assert caught.value.diagnostics[0].code == "CNN200"
