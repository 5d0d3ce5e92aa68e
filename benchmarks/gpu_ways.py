"""Ways to run a network that convspec's own runtimes do not offer, for comparison: what a user has without any options.

Each function here is the maker of a subject of `convspec.bench`: it runs in the subject's process and returns a session.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from convspec.api import Net
from convspec.bench.plan import Subject
from convspec.diagnostics import error, fail
from convspec.ir.types import Array
from convspec.runtime.base import About
from convspec.runtime.devices import Device, parse_device, require
from convspec.runtime.signature import Signature, signature_of


@dataclass
class Made:
    """A session of functions: `place` puts the inputs on the device, `compute` returns results there, `fetch` brings them."""

    signature: Signature
    about: About
    place: Callable[[Mapping[str, Array]], Any]
    compute: Callable[[Any], Any]
    fetch: Callable[[Any], list[Array]]
    wait: Callable[[], None] = lambda: None

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Once, from arrays to arrays."""
        prepared = self.prepare(arrays)
        prepared.run()
        return prepared.outputs()

    def prepare(self, arrays: Mapping[str, Array]) -> MadePrepared:
        """The inputs on the device."""
        return MadePrepared(self, self.place(arrays))


@dataclass
class MadePrepared:
    """A session of functions with its inputs in place."""

    session: Made
    inputs: Any
    results: Any = field(default=None)

    def run(self) -> None:
        self.results = self.session.compute(self.inputs)

    def wait(self) -> None:
        self.session.wait()

    def outputs(self) -> dict[str, Array]:
        names = [spec.name for spec in self.session.signature.outputs]
        return dict(zip(names, self.session.fetch(self.results), strict=True))


def ort_defaults(subject: Subject, net: Net) -> Made:
    """ONNX Runtime with the provider and nothing else said; the data stay on the device, so that options alone differ."""
    ort = require("onnxruntime", "onnxruntime")
    from convspec.targets.base import find_target

    device = _device(subject)
    if device.kind != "cpu" and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
    target = find_target("onnx")
    artifact = target.emit(net.module, net.weights, target.options())
    content = artifact.files[artifact.main]
    if callable(content):
        content(buffer := io.BytesIO())
        content = buffer.getvalue()
    providers = [*(["CUDAExecutionProvider"] if device.kind == "cuda" else []), "CPUExecutionProvider"]
    session = ort.InferenceSession(content, providers=providers)
    if session.get_providers()[0] != providers[0]:
        raise fail(error("CNN304", f"onnxruntime did not start {providers[0]}"))
    names = [each.name for each in session.get_outputs()]
    place = device.kind

    def bind(arrays: Mapping[str, Array]) -> Any:
        binding = session.io_binding()
        for name, array in arrays.items():
            binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(array, place, device.index))
        for name in names:
            binding.bind_output(name, place, device.index)
        return binding

    def compute(binding: Any) -> Any:
        session.run_with_iobinding(binding)
        return binding

    about = About("onnxruntime", ort.__version__, str(device), providers[0], ("default options",))
    return Made(signature_of(net.module.graph), about, bind, compute, lambda binding: list(binding.copy_outputs_to_cpu()))


def torch_eager(subject: Subject, net: Net) -> Made:
    """The generated module as it is, in the subject's precision, layer by layer."""
    torch = require("torch", "pytorch")
    device = _device(subject)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[subject.precision]
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = subject.tf32
    model = net.to_torch().eval().to(str(device), dtype)
    inputs = [spec.name for spec in signature_of(net.module.graph).inputs]

    def place(arrays: Mapping[str, Array]) -> Any:
        tensors = [torch.tensor(arrays[name]).to(str(device)) for name in inputs]
        return [tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in tensors]

    def compute(tensors: Any) -> Any:
        with torch.inference_mode():
            return model(*tensors)

    def fetch(results: Any) -> list[Array]:
        found = list(results.values()) if isinstance(results, Mapping) else [results]
        return [tensor.float().cpu().numpy() for tensor in found]

    wait = torch.cuda.synchronize if device.kind == "cuda" else lambda: None
    name = torch.cuda.get_device_name(device.index) if device.kind == "cuda" else "ATen"
    about = About("pytorch", torch.__version__, str(device), name, ("eager",))
    return Made(signature_of(net.module.graph), about, place, compute, fetch, wait)


def keras_jax(subject: Subject, net: Net) -> Made:
    """The generated Keras model on Keras's JAX backend, compiled by it. Failure CNN305 where its code uses TensorFlow."""
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # or it takes three quarters of the GPU's memory
    try:
        import jax  # type: ignore[import-not-found, unused-ignore]
        import keras
    except ImportError as problem:
        raise fail(error("CNN303", f"Keras on JAX is not installed: {problem}", hint="pip install keras jax")) from None
    if uses_tensorflow(net):
        raise fail(error("CNN305", f"the Keras code of {net.module.name} uses functions of TensorFlow"))
    from convspec.runtime.tensorflow import to_channels_last, to_channels_second

    device = _device(subject)
    found = jax.devices("gpu" if device.kind == "cuda" else "cpu")[device.index]
    dtype = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}[subject.precision]
    with jax.default_device(found):
        model = net.to_keras(dtype)
    trainable = [jax.device_put(variable.value, found) for variable in model.trainable_variables]
    fixed = [jax.device_put(variable.value, found) for variable in model.non_trainable_variables]
    call = jax.jit(lambda weights, state, data: model.stateless_call(weights, state, data, training=False)[0])
    names = [spec.name for spec in signature_of(net.module.graph).inputs]

    def place(arrays: Mapping[str, Array]) -> Any:
        given = {name: jax.device_put(to_channels_last(arrays[name]).astype(_as(arrays[name], dtype)), found) for name in names}
        return given[names[0]] if len(names) == 1 else given

    def compute(data: Any) -> Any:
        return jax.block_until_ready(call(trainable, fixed, data))

    def fetch(results: Any) -> list[Array]:
        import numpy as np

        many = list(results.values()) if isinstance(results, Mapping) else [results]
        return [to_channels_second(np.asarray(each.astype("float32"))) for each in many]

    about = About("keras on jax", f"{keras.__version__} on {jax.__version__}", str(device), found.device_kind)
    return Made(signature_of(net.module.graph), about, place, compute, fetch)


def uses_tensorflow(net: Net) -> bool:
    """Whether the Keras file that is generated names TensorFlow, and so runs on that backend alone."""
    from convspec.targets.base import find_target

    target = find_target("tensorflow")
    artifact = target.emit(net.module, net.weights, target.options())
    source = artifact.files[artifact.main]
    text = source if isinstance(source, str) else source.decode() if isinstance(source, bytes) else ""
    return "tensorflow" in text


def _as(array: Array, dtype: str) -> Any:
    """The dtype an input goes in as: floats in the subject's precision, the others as they are."""
    if array.dtype.kind != "f":
        return array.dtype
    from convspec.weights.dtypes import numpy_dtype

    return numpy_dtype(dtype)


def _device(subject: Subject) -> Device:
    found = parse_device(subject.device)
    if found is None:
        raise fail(error("CNN305", "a subject of a script names its device"))
    return found
