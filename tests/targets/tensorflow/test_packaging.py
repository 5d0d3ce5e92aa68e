"""`.keras` files and SavedModels: loaded again without custom objects, they say what the reference says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.targets.tensorflow import export_savedmodel, save_keras, to_keras
from tests.targets.tensorflow.networks import assert_agree, named, net, run_keras, to_last
from tests.targets.tensorflow.specs import SPECS


@pytest.mark.parametrize("name", [name for name in SPECS if name not in ("every_op", "convolutions")])
def test_a_keras_file_loads_without_custom_objects(name: str, tmp_path: Path) -> None:
    import keras

    text, model, sizes = SPECS[name]
    made = net(text, model)
    save_keras(made.module, made.weights, tmp_path / "net.keras")
    keras.saving.get_custom_objects().clear()
    loaded = keras.models.load_model(tmp_path / "net.keras", custom_objects={})
    own = {layer.__module__.partition(".")[0] for layer in map(type, loaded.operations)}
    assert own == {"keras"}
    for at in sizes:
        inputs = made.inputs(**at)
        assert_agree(run_keras(loaded, made, inputs), made.reference(inputs))


@pytest.mark.parametrize("name", ["resnet", "shared", "every_op"])
def test_a_savedmodel_keeps_names_and_symbolic_sizes(name: str, tmp_path: Path) -> None:
    import tensorflow as tf

    text, model, sizes = SPECS[name]
    made = net(text, model)
    export_savedmodel(made.module, made.weights, tmp_path / "net")
    loaded = tf.saved_model.load(tmp_path / "net")
    signature = loaded.signatures["serving_default"]
    assert set(signature.structured_outputs) == {item.name for item in made.module.graph.outputs}
    assert set(signature.structured_input_signature[1]) == {item.value.name for item in made.module.graph.inputs}
    for at in sizes:
        inputs = made.inputs(**at)
        tensors = {key: tf.constant(to_last(array)) for key, array in inputs.items()}
        assert_agree(named(loaded.serve(*tensors.values()), made), made.reference(inputs))
        by_name = signature(**tensors)
        assert_agree(named({item.name: by_name[item.name] for item in made.module.graph.outputs}, made), made.reference(inputs))


def test_batch_norm_in_a_keras_file_differs_only_in_the_running_variance_of_training(tmp_path: Path) -> None:
    """The file cannot hold the exact layer; what it does instead is written down in `save_keras`, and here."""
    import keras

    made = net("model M {\ninput x: float32[N, 2, 3, 3]\noutput y = x -> bn: batchnorm\n}")
    save_keras(made.module, made.weights, tmp_path / "m.keras")
    models = [keras.models.load_model(tmp_path / "m.keras"), to_keras(made.module, made.weights)]
    x = made.inputs(N=2)
    outputs = [run_keras(model, made, x, training=True) for model in models]
    assert_agree(outputs[0], outputs[1])
    batch = np.var(x["x"].astype(np.float64), axis=(0, 2, 3))
    start = made.weights["bn.running_var"]
    for model, factor in zip(models, (1.0, 18 / 17), strict=True):
        found = {v.name: v.numpy() for v in model.get_layer("bn").weights}
        np.testing.assert_allclose(found["moving_variance"], 0.9 * start + 0.1 * batch * factor, rtol=1e-5)


def test_a_layer_that_keras_does_not_have_is_an_error(tmp_path: Path) -> None:
    """The source and a SavedModel can hold it."""
    made = net("model M {\ninput x: float32[N, 4, 5, 5]\noutput x -> up: conv_transpose(4, 2x2, groups = 2)\n}")
    with pytest.raises(Failure) as caught:
        save_keras(made.module, made.weights, tmp_path / "m.keras")
    (problem,) = caught.value.diagnostics
    assert problem.code == "CNN090"
    assert problem.primary is not None
    assert problem.primary.span.text == "conv_transpose(4, 2x2, groups = 2)"
    assert list(tmp_path.iterdir()) == []


def test_the_keras_ending_is_asked_for(tmp_path: Path) -> None:
    made = net(SPECS["lenet"][0])
    with pytest.raises(Failure) as caught:
        save_keras(made.module, made.weights, tmp_path / "net.h5")
    assert caught.value.diagnostics[0].code == "CNN401"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [save_keras, export_savedmodel])
def test_a_folder_that_is_not_there(write: Any, tmp_path: Path) -> None:
    made = net("model M {\ninput x: float32[N, 2]\noutput x -> relu\n}")
    with pytest.raises(Failure) as caught:
        write(made.module, made.weights, tmp_path / "no" / "net.keras")
    assert caught.value.diagnostics[0].code == "CNN400"


@pytest.mark.parametrize("use", [to_keras, save_keras, export_savedmodel])
def test_keras_that_is_not_installed(use: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = net("model M {\ninput x: float32[N, 2]\noutput x -> relu\n}")
    monkeypatch.setitem(sys.modules, "keras", None)
    paths = [] if use is to_keras else [tmp_path / "m.keras"]
    with pytest.raises(Failure) as caught:
        use(made.module, made.weights, *paths)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.message) == ("CNN303", "keras is not installed")
    assert problem.hint == 'pip install "convspec[tensorflow]"'


def test_precision_is_put_back() -> None:
    import keras

    made = net("model M {\ninput x: float32[N, 2]\noutput x -> fc: linear(2)\n}")
    before = keras.config.floatx(), keras.config.dtype_policy().name
    assert to_keras(made.module, made.weights, dtype="float64").dtype == "float64"
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == before
    assert to_keras(made.module, made.weights).dtype == before[0]
