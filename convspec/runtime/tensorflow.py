"""TensorFlow: the Keras model that `to_keras` makes, on the CPU or a GPU; channels last inside, canonical outside."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from convspec.diagnostics import error, fail
from convspec.ir.types import Array
from convspec.runtime.base import About, OnHost, Program, RunOptions, network_only
from convspec.runtime.devices import CPU, Device, only_cpu_and_cuda, parse_device, require, unavailable
from convspec.runtime.signature import Signature, signature_of

_CUDA_BUILD = 'on Linux, pip install "tensorflow[and-cuda]" brings CUDA; tensorflow_cpu has none'


@dataclass(frozen=True, slots=True)
class TensorFlowSession:
    signature: Signature
    about: About
    model: Any
    device: str
    """As TensorFlow writes it: `/CPU:0`, `/GPU:1`."""
    tf32: bool

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        tf = require("tensorflow", "tensorflow")
        try:
            with _tf32(tf, self.tf32), tf.device(self.device):
                feeds = {spec.name: tf.constant(to_channels_last(arrays[spec.name])) for spec in self.signature.inputs}
                results = self.model(feeds if len(feeds) > 1 else next(iter(feeds.values())), training=False)
        except tf.errors.OpError as problem:
            reason = (str(problem.message).strip() or type(problem).__name__).splitlines()[0]
            message = f"tensorflow failed on {self.about.device}: {reason}"
            raise fail(error("CNN307", message, hint="a smaller batch may help where memory ran out")) from None
        tensors = self._by_name(results)
        self._check_ran_there(tensors)
        return {name: to_channels_second(tensor.numpy()) for name, tensor in tensors.items()}

    def prepare(self, arrays: Mapping[str, Array]) -> OnHost:
        return OnHost(self, arrays)

    def _by_name(self, results: Any) -> dict[str, Any]:
        """One output comes bare, several by name."""
        names = [spec.name for spec in self.signature.outputs]
        return {names[0]: results} if len(names) == 1 else {name: results[name] for name in names}

    def _check_ran_there(self, tensors: Mapping[str, Any]) -> None:
        """TensorFlow places an op elsewhere where a device has no kernel for it; the results say where they were made."""
        wanted = self.device.removeprefix("/")
        strays = sorted({tensor.device for tensor in tensors.values() if not tensor.device.endswith(wanted)})
        if strays and self.about.device != "cpu":
            message = f"tensorflow ran on {strays[0].rpartition('device:')[2]}, not on {self.about.device}"
            raise fail(error("CNN304", message, hint="use --device cpu, or another runtime"))


class TensorFlow:
    """The runtime `tensorflow`."""

    name = "tensorflow"

    def open(self, program: Program, options: RunOptions) -> TensorFlowSession:
        network = network_only(program, self.name)
        asked = parse_device(options.device)
        only_cpu_and_cuda(asked, self.name)
        tf = import_tensorflow()
        device, notes = _choose(tf, asked)
        place = f"/{'GPU' if device.kind == 'cuda' else 'CPU'}:{device.index}"
        from convspec.targets.tensorflow.packaging import to_keras

        with tf.device(place):
            model = to_keras(network.module, network.weights, dtype="float32")
        about = About(self.name, tf.__version__, str(device), place.removeprefix("/"), tuple(notes))
        return TensorFlowSession(signature_of(network.module.graph), about, model, place, options.tf32)


RUNTIME = TensorFlow()


def import_tensorflow() -> Any:
    """TensorFlow, with Keras on top of it and without its start-up log. Failure CNN303, or CNN305 if Keras runs on another."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    tf = require("tensorflow", "tensorflow")
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise fail(error("CNN305", f"Keras runs on {backend} here, not on TensorFlow", hint="set KERAS_BACKEND=tensorflow"))
    return tf


def to_channels_last(array: Array) -> Array:
    """(N, C, space) → (N, space, C); arrays of rank 2 and less stay."""
    import numpy as np

    return array if array.ndim < 3 else np.ascontiguousarray(np.moveaxis(array, 1, -1))


def to_channels_second(array: Array) -> Array:
    """(N, space, C) → (N, C, space); arrays of rank 2 and less stay."""
    import numpy as np

    return array if array.ndim < 3 else np.ascontiguousarray(np.moveaxis(array, -1, 1))


def _choose(tf: Any, asked: Device | None) -> tuple[Device, list[str]]:
    gpus = tf.config.list_physical_devices("GPU") if asked != CPU else []
    with suppress(RuntimeError, ValueError):  # once TensorFlow has begun, it keeps the memory policy that it has
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    built = tf.test.is_built_with_cuda()
    if asked is None:
        reason = "TensorFlow sees no CUDA device" if built else "this TensorFlow is built without CUDA"
        return (Device("cuda"), ["auto chose CUDA"]) if gpus else (CPU, [f"auto chose the CPU: {reason}"])
    if asked.kind == "cuda" and not built:
        raise unavailable(asked, "tensorflow", f"TensorFlow {tf.__version__} is built without CUDA", _CUDA_BUILD)
    if asked.kind == "cuda" and asked.index >= len(gpus):
        hint = "check the driver with nvidia-smi; CUDA's libraries come with tensorflow[and-cuda]" if not gpus else "use cuda:0"
        raise unavailable(asked, "tensorflow", f"TensorFlow sees {len(gpus)} CUDA devices", hint)
    return asked, []


@contextmanager
def _tf32(tf: Any, allowed: bool) -> Iterator[None]:
    """TF32 as asked for; afterwards as it was."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(allowed)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
