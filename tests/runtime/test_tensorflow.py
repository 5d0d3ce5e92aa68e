"""The TensorFlow runtime: real runs on the CPU, a GPU's answers through a stand-in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from convspec.runtime import tensorflow as runtime
from convspec.runtime.base import About, RunOptions
from convspec.runtime.devices import parse_device
from convspec.runtime.reference import evaluate
from convspec.runtime.signature import Signature
from convspec.runtime.tensorflow import RUNTIME, TensorFlowSession, to_channels_last, to_channels_second
from tests.runtime.helpers import SMALL, TWO, codes, network, random, told


def test_channels_move_and_come_back() -> None:
    for shape, moved in (((2, 3), (2, 3)), ((2, 3, 4), (2, 4, 3)), ((2, 3, 4, 5, 6), (2, 4, 5, 6, 3))):
        array = random(*shape)
        assert to_channels_last(array).shape == moved
        np.testing.assert_array_equal(to_channels_second(to_channels_last(array)), array)
    assert to_channels_last(random(2, 3, 4))[1, 2, 0] == random(2, 3, 4)[1, 0, 2]


def test_a_spec_agrees_with_the_reference() -> None:
    small = network(SMALL)
    session = RUNTIME.open(small, RunOptions("cpu"))
    x = random(3, 1, 8, 8)
    ours = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
    result = session.run({"image": x})["logits"]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, ours, atol=1e-5 * np.abs(ours).max(), rtol=0)
    assert (session.about.device, session.about.provider, session.about.notes) == ("cpu", "CPU:0", ())


def test_several_inputs_and_outputs_in_canonical_layout() -> None:
    session = RUNTIME.open(network(TWO), RunOptions("cpu"))
    left, right = random(1, 2, 4, 6), random(1, 2, 4, 6, seed=1)
    outputs = session.run({"right": right, "left": left})
    np.testing.assert_array_equal(outputs["sum"], left + right)
    np.testing.assert_array_equal(outputs["max.0"], left.reshape(1, 2, 2, 2, 3, 2).max(axis=(3, 5)))


def test_the_users_floatx_changes_nothing() -> None:
    import keras

    keras.config.set_floatx("float64")
    try:
        result = RUNTIME.open(network(SMALL), RunOptions("cpu")).run({"image": random(1, 1, 8, 8)})["logits"]
    finally:
        keras.config.set_floatx("float32")
    assert result.dtype == np.float32


def test_tf32_is_off_while_it_runs_and_as_before_afterwards() -> None:
    import tensorflow as tf

    before = tf.config.experimental.tensor_float_32_execution_enabled()
    seen: list[bool] = []
    session = RUNTIME.open(network(SMALL), RunOptions("cpu"))
    model = session.model

    def spy(*args: Any, **kwargs: Any) -> Any:
        seen.append(tf.config.experimental.tensor_float_32_execution_enabled())
        return model(*args, **kwargs)

    for tf32 in (False, True):
        spied = TensorFlowSession(session.signature, session.about, spy, session.device, RunOptions(tf32=tf32), spy)
        spied.run({"image": random(1, 1, 8, 8)})
        assert tf.config.experimental.tensor_float_32_execution_enabled() == before
    assert seen == [False, True]


def test_auto_says_why_it_is_the_cpu() -> None:
    notes = RUNTIME.open(network(SMALL), RunOptions("auto")).about.notes
    assert notes == ("auto chose the CPU: this TensorFlow is built without CUDA",)


def test_keras_on_another_backend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert told(runtime.import_tensorflow) == (
        "error[CNN305]: Keras runs on jax here, not on TensorFlow\n  = set KERAS_BACKEND=tensorflow"
    )


def fake_tf(gpus: int, built: bool = True, begun: bool = False) -> Any:
    def grow(gpu: object, enable: bool) -> None:
        if begun:
            raise RuntimeError("Physical devices cannot be modified after being initialized")

    config = SimpleNamespace(
        list_physical_devices=lambda kind: [object()] * gpus, experimental=SimpleNamespace(set_memory_growth=grow)
    )
    return SimpleNamespace(__version__="2.99", config=config, test=SimpleNamespace(is_built_with_cuda=lambda: built))


@pytest.mark.parametrize(
    ("asked", "tf", "device", "note"),
    [
        ("cuda:1", fake_tf(2), "cuda:1", None),
        ("cuda:1", fake_tf(2, begun=True), "cuda:1", None),
        ("auto", fake_tf(1), "cuda:0", "auto chose CUDA"),
        ("auto", fake_tf(0), "cpu", "auto chose the CPU: TensorFlow sees no CUDA device"),
        ("cpu", fake_tf(1), "cpu", None),
    ],
)
def test_choosing_a_device(asked: str, tf: Any, device: str, note: str | None) -> None:
    chosen, notes = runtime._choose(tf, parse_device(asked))
    assert (str(chosen), notes) == (device, [note] if note else [])


@pytest.mark.parametrize(
    ("asked", "tf", "message"),
    [
        (
            "cuda",
            fake_tf(0, built=False),
            "error[CNN304]: the device cuda:0 is not available to tensorflow: TensorFlow 2.99 is built without CUDA\n"
            '  = on Linux, pip install "tensorflow[and-cuda]" brings CUDA; tensorflow_cpu has none',
        ),
        (
            "cuda",
            fake_tf(0),
            "error[CNN304]: the device cuda:0 is not available to tensorflow: TensorFlow sees 0 CUDA devices\n"
            "  = check the driver with nvidia-smi; CUDA's libraries come with tensorflow[and-cuda]",
        ),
        (
            "cuda:2",
            fake_tf(1),
            "error[CNN304]: the device cuda:2 is not available to tensorflow: TensorFlow sees 1 CUDA devices\n  = use cuda:0",
        ),
    ],
)
def test_a_device_that_is_not_there(asked: str, tf: Any, message: str) -> None:
    assert told(lambda: runtime._choose(tf, parse_device(asked))) == message


def test_results_from_another_device_are_told() -> None:
    session = TensorFlowSession(
        Signature("Net", (), ()), About("tensorflow", "2.99", "cuda:0", "GPU:0"), None, "/GPU:0", RunOptions(), None
    )
    stray = SimpleNamespace(device="/job:localhost/replica:0/task:0/device:CPU:0")
    there = SimpleNamespace(device="/job:localhost/replica:0/task:0/device:GPU:0")
    session._check_ran_there({"a": there})
    assert told(lambda: session._check_ran_there({"a": there, "b": stray})) == (
        "error[CNN304]: tensorflow ran on CPU:0, not on cuda:0\n  = use --device cpu, or another runtime"
    )


def test_a_run_that_fails_is_told() -> None:
    import tensorflow as tf

    def broken(*args: object, **kwargs: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nmore")

    session = RUNTIME.open(network(SMALL), RunOptions("cpu"))
    session = TensorFlowSession(session.signature, session.about, broken, session.device, RunOptions(), broken)
    assert told(lambda: session.run({"image": random(1, 1, 8, 8)})) == (
        "error[CNN307]: tensorflow failed on cpu: OOM when allocating tensor\n  = a smaller batch may help where memory ran out"
    )


def test_tensorrt_is_not_for_tensorflow() -> None:
    assert codes(lambda: RUNTIME.open(network(SMALL), RunOptions("tensorrt"))) == ["CNN305"]


def test_shapes_that_come_again_are_traced_and_give_the_same() -> None:
    small = network(SMALL)
    session = RUNTIME.open(small, RunOptions("cpu"))
    x, other = random(3, 1, 8, 8), random(3, 1, 8, 8, seed=1)
    first, second, third = (session.run({"image": each})["logits"] for each in (x, x, other))
    np.testing.assert_allclose(first, second, atol=1e-6)
    assert not np.allclose(second, third)
    assert session.graph.experimental_get_tracing_count() == 1
    session.run({"image": random(2, 1, 8, 8)})
    assert session.graph.experimental_get_tracing_count() == 1


def test_xla_computes_the_same() -> None:
    small, x = network(SMALL), random(3, 1, 8, 8)
    session = RUNTIME.open(small, RunOptions("cpu", compile=True))
    expected = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
    assert np.abs(session.run({"image": x})["logits"] - expected).max() <= 1e-5 * np.abs(expected).max()


def test_bfloat16_is_what_was_asked_for() -> None:
    small, x = network(SMALL), random(3, 1, 8, 8)
    found = RUNTIME.open(small, RunOptions("cpu", precision="bf16")).run({"image": x})["logits"]
    expected = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
    assert found.dtype == np.float32
    assert 1e-5 < np.abs(found - expected).max() / np.abs(expected).max() < 3e-2


@pytest.mark.parametrize(
    "options",
    [RunOptions("cpu", cuda_graph=True), RunOptions("cpu", layout="channels_first"), RunOptions("cpu", precision="int8")],
)
def test_what_it_does_not_have_is_refused(options: RunOptions) -> None:
    assert codes(lambda: RUNTIME.open(network(SMALL), options)) == ["CNN305"]


def test_threads_cannot_change_once_tensorflow_has_begun() -> None:
    RUNTIME.open(network(SMALL), RunOptions("cpu")).run({"image": random(1, 1, 8, 8)})
    message = told(lambda: RUNTIME.open(network(SMALL), RunOptions("cpu", threads=7)))
    assert message.startswith("error[CNN305]: tensorflow has begun in this process, and cannot change to 7 threads")
