"""TensorFlow: the Keras model that `to_keras` makes, on the CPU or a GPU; channels last inside, canonical outside.

Shapes that come again run as a traced graph, or compiled by XLA where that was asked for; what comes once is not worth a trace.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from convspec.diagnostics import error, fail
from convspec.ir.types import Array
from convspec.runtime.base import About, Program, RunOptions, network_only
from convspec.runtime.devices import CPU, Device, only_cpu_and_cuda, parse_device, require, unavailable
from convspec.runtime.options import check_options, in_precision
from convspec.runtime.signature import Signature, signature_of

_CUDA_BUILD = 'on Linux, pip install "tensorflow[and-cuda]" brings CUDA; tensorflow_cpu has none'


@dataclass(slots=True)
class TensorFlowPrepared:
    """Tensors on the device, run through a traced graph."""

    session: TensorFlowSession
    feeds: Mapping[str, Any]
    made: Mapping[str, Any] = field(default_factory=dict)

    def run(self) -> None:
        self.made = self.session.compute(self.feeds, traced=True)

    def wait(self) -> None:
        """Results on a GPU may come later than the call that asks for them."""
        if self.session.about.device != "cpu":
            require("tensorflow", "tensorflow").test.experimental.sync_devices()

    def outputs(self) -> dict[str, Array]:
        return {name: to_channels_second(tensor.numpy()) for name, tensor in self.made.items()}


@dataclass(frozen=True, slots=True)
class TensorFlowSession:
    signature: Signature
    about: About
    model: Any
    device: str
    """As TensorFlow writes it: `/CPU:0`, `/GPU:1`."""
    options: RunOptions
    graph: Any
    """The model as a traced function."""
    seen: set[tuple[tuple[int, ...], ...]] = field(default_factory=set)
    """Shapes that came before."""

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        shapes = tuple(arrays[spec.name].shape for spec in self.signature.inputs)
        traced = self.options.compile or shapes in self.seen
        self.seen.add(shapes)
        tensors = self.compute(self._feeds(arrays), traced)
        return {name: to_channels_second(tensor.numpy()) for name, tensor in tensors.items()}

    def prepare(self, arrays: Mapping[str, Array]) -> TensorFlowPrepared:
        return TensorFlowPrepared(self, self._feeds(arrays))

    def _feeds(self, arrays: Mapping[str, Array]) -> dict[str, Any]:
        with self._guarded() as tf:
            return {spec.name: tf.constant(to_channels_last(arrays[spec.name])) for spec in self.signature.inputs}

    def compute(self, feeds: Mapping[str, Any], traced: bool) -> dict[str, Any]:
        """The outputs as tensors of TensorFlow's, channels last."""
        with self._guarded():
            given = dict(feeds) if len(feeds) > 1 else next(iter(feeds.values()))
            results = self.graph(given) if traced else self.model(given, training=False)
        tensors = self._by_name(results)
        self._check_ran_there(tensors)
        return tensors

    @contextmanager
    def _guarded(self) -> Iterator[Any]:
        """TensorFlow on the device, with the switches as asked for; what goes wrong is Failure CNN307, or CNN305 from XLA."""
        tf = require("tensorflow", "tensorflow")
        try:
            with _tf32(tf, self.options.tf32), tf.device(self.device):
                yield tf
        except tf.errors.OpError as problem:
            reason = (str(problem.message).strip() or type(problem).__name__).splitlines()[0]
            if self.options.compile and isinstance(problem, tf.errors.InvalidArgumentError | tf.errors.UnimplementedError):
                message = f"XLA cannot compile {self.signature.name}: {reason}"
                raise fail(error("CNN305", message, hint="leave out --compile, or use --runtime pytorch")) from None
            message = f"tensorflow failed on {self.about.device}: {reason}"
            raise fail(error("CNN307", message, hint="a smaller batch may help where memory ran out")) from None

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
        check_options(options, self.name, ("precision", "compile", "threads"))
        asked = parse_device(options.device)
        only_cpu_and_cuda(asked, self.name)
        tf = import_tensorflow()
        _set_threads(tf, options.threads)
        device, notes = _choose(tf, asked)
        network = in_precision(network, options.precision, self.name)
        place = f"/{'GPU' if device.kind == 'cuda' else 'CPU'}:{device.index}"
        from convspec.targets.tensorflow.packaging import to_keras

        with tf.device(place):
            model = to_keras(network.module, network.weights, dtype="float32")
        about = About(self.name, tf.__version__, str(device), place.removeprefix("/"), tuple(notes))
        graph = tf.function(partial(model, training=False), jit_compile=True if options.compile else None)
        return TensorFlowSession(signature_of(network.module.graph), about, model, place, options, graph)


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


def _set_threads(tf: Any, count: int | None) -> None:
    """TensorFlow has one number for the process, settled when it begins: Failure CNN305 where that is another."""
    if count is None or tf.config.threading.get_intra_op_parallelism_threads() == count:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
    except RuntimeError:
        message = f"tensorflow has begun in this process, and cannot change to {count} threads"
        raise fail(error("CNN305", message, hint="give the number with the first network, or in a new process")) from None


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
