"""ONNX Runtime: a spec compiled to ONNX in memory, or a compiled `.onnx` file; on the CPU, CUDA or TensorRT.

ONNX Runtime falls back to the CPU without an exception where a provider cannot start. So the providers of the finished session
are looked at, and the share of nodes that each took; a device that was asked for and does not run the network is a Failure.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convspec.diagnostics import Failure, error, fail
from convspec.ir.types import Array
from convspec.runtime.base import About, ModelFile, Network, OnHost, Prepared, Program, RunOptions
from convspec.runtime.devices import CPU, Device, parse_device, require, side_by_side, unavailable
from convspec.runtime.onnxbinding import Binding
from convspec.runtime.onnxfile import check_readable, signature_of_session
from convspec.runtime.onnxmodel import Model, onnx_model
from convspec.runtime.onnxproviders import (
    PROVIDERS,
    channels_last,
    check_runtime_options,
    engine_cache,
    make_session_options,
    provider_list,
)
from convspec.runtime.options import as_it_is, in_precision
from convspec.runtime.signature import Signature, signature_of

_GPU_EXTRA = 'pip uninstall -y onnxruntime, then pip install "convspec[gpu]"'
_TENSORRT = "install NVIDIA TensorRT (pip install tensorrt), of the version that this onnxruntime-gpu was built for"


@dataclass(slots=True)
class OnnxPrepared:
    """Inputs on the device; results stay there until they are asked for."""

    session: OnnxSession
    binding: Binding

    def run(self) -> None:
        with self.session.guarded():
            self.binding.run()

    def wait(self) -> None:
        with self.session.guarded():
            self.binding.wait()

    def outputs(self) -> dict[str, Array]:
        with self.session.guarded():
            return self.binding.results()


@dataclass(frozen=True, slots=True)
class OnnxSession:
    signature: Signature
    about: About
    session: Any
    device: Device
    graph: bool = False
    """Whether CUDA graphs are recorded: one for each shape of the inputs."""
    recorded: dict[tuple[tuple[int, ...], ...], Binding] = field(default_factory=dict)

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        if self.graph:
            return self._replay(arrays)
        names = [spec.name for spec in self.signature.outputs]
        with self.guarded():
            results = self.session.run(names, dict(arrays))
        return dict(zip(names, results, strict=True))

    def prepare(self, arrays: Mapping[str, Array]) -> Prepared:
        if any(spec.type.dtype == "bfloat16" for spec in (*self.signature.inputs, *self.signature.outputs)):
            return OnHost(self, arrays)  # ONNX Runtime's bindings have no form of it in NumPy
        return OnnxPrepared(self, self._bind(arrays))

    def _bind(self, arrays: Mapping[str, Array]) -> Binding:
        ort = require("onnxruntime", "onnxruntime")
        with self.guarded():
            return Binding(ort, self.session, self.device, arrays, tuple(s.name for s in self.signature.outputs), self.graph)

    def _replay(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        shapes = tuple(arrays[spec.name].shape for spec in self.signature.inputs)
        if shapes not in self.recorded:
            self.recorded[shapes] = self._bind(arrays)
        binding = self.recorded[shapes]
        with self.guarded():
            binding.update(arrays)
            binding.run()
            binding.wait()
            return binding.results()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Failure CNN307 for what goes wrong in a run."""
        try:
            yield
        except Exception as problem:  # ONNX Runtime's exceptions share no other base
            message = f"onnxruntime failed on {self.about.device}: {_first_line(problem)}"
            raise fail(error("CNN307", message, hint="a smaller batch may help where memory ran out")) from None


class OnnxRuntime:
    """The runtime `onnxruntime`."""

    name = "onnxruntime"

    def open(self, program: Program, options: RunOptions) -> OnnxSession:
        ort = require("onnxruntime", self.name)
        check_runtime_options(options, parse_device(options.device) or Device("cuda"))  # before anything is compiled
        if isinstance(program, ModelFile):
            as_it_is(options, self.name)
            check_readable(program.path)
            return _open(ort, str(program.path), program, options)
        program = in_precision(program, options.precision, self.name)
        with tempfile.TemporaryDirectory(prefix="convspec-", ignore_cleanup_errors=True) as folder:
            return _open(ort, onnx_model(program, Path(folder)), program, options)


RUNTIME = OnnxRuntime()


def _open(ort: Any, model: Model, program: Program, options: RunOptions) -> OnnxSession:
    asked = parse_device(options.device)
    notes: list[str] = []
    if asked is None:
        session, device = _automatic(ort, model, program, options, notes)
    else:
        session, device = _create(ort, model, program, asked, options, notes), asked
    both = side_by_side()
    notes += [both] if both else []
    about = About("onnxruntime", ort.__version__, str(device), _placement(session), tuple(notes))
    known = signature_of(program.module.graph) if isinstance(program, Network) else signature_of_session(session, program.path)
    return OnnxSession(known, about, session, device, options.cuda_graph)


def _automatic(ort: Any, model: Model, program: Program, options: RunOptions, notes: list[str]) -> tuple[Any, Device]:
    """CUDA where it works, else the CPU, and a note that says why."""
    if PROVIDERS["cuda"] not in ort.get_available_providers():
        notes.append("auto chose the CPU: this onnxruntime is built without CUDA")
        return _create(ort, model, program, CPU, options, notes), CPU
    cuda = Device("cuda")
    try:
        session = _create(ort, model, program, cuda, options, said := ["auto chose CUDA"])
    except Failure as failure:
        if failure.diagnostics[0].code != "CNN304":
            raise
        notes.append(f"auto chose the CPU: {failure.diagnostics[0].message}")
        return _create(ort, model, program, CPU, options, notes), CPU
    notes += said
    return session, cuda


def _create(ort: Any, model: Model, program: Program, device: Device, options: RunOptions, notes: list[str]) -> Any:
    """A session that really runs on `device`, or Failure CNN304 (device), CNN305 or CNN306 (model)."""
    check_runtime_options(options, device)
    _check_built_for(ort, device)
    said: list[str] = []
    with _listening(ort, said):
        _load_libraries(ort, device, options.tf32)
        cache = engine_cache(model, ort.__version__, device, options) if device.kind == "tensorrt" else None
        providers = provider_list(device, options, cache)
        try:
            session = ort.InferenceSession(model, make_session_options(ort, options), providers, enable_fallback=0)
        except Exception as problem:  # ONNX Runtime's exceptions share no other base
            raise _refused(problem, program, device, options.precision) from None
    _check_runs_on(session, device, said)
    notes += [cache.note] if cache else []
    if options.precision == "fp16" and device.kind == "cpu":
        notes.append("onnxruntime computes float16 in float32 on the CPU, between roundings to float16")
    notes += ["convolutions run channels last"] if device.kind == "cuda" and channels_last(options) else []
    return session


def _load_libraries(ort: Any, device: Device, tf32: bool) -> None:
    """Bring in CUDA, cuDNN and TensorRT where they were installed as Python packages; elsewhere the system finds them."""
    if device.kind == "cpu":
        return
    if device.kind == "tensorrt" and not tf32:
        # The TensorRT provider has no option for it. The CUDA libraries read this once, so it holds for the process.
        os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    if hasattr(ort, "preload_dlls"):
        with redirect_stdout(io.StringIO()):  # it prints what it does not find, which the session's own log says better
            ort.preload_dlls()
    if device.kind == "tensorrt":
        with suppress(ImportError, OSError):
            __import__("tensorrt")


def _check_built_for(ort: Any, device: Device) -> None:
    if PROVIDERS[device.kind] in ort.get_available_providers():
        return
    hint = side_by_side() or _GPU_EXTRA
    raise unavailable(device, "onnxruntime", f"onnxruntime {ort.__version__} is built without {device.kind.upper()}", hint)


def _check_runs_on(session: Any, device: Device, said: list[str]) -> None:
    """Failure CNN304 if ONNX Runtime fell back, or if the device took none of the nodes."""
    wanted = PROVIDERS[device.kind]
    if session.get_providers()[0] != wanted:
        reason = said[0] if said else "its libraries or the driver were not found"
        raise unavailable(device, "onnxruntime", f"{wanted} did not start: {reason}", _missing_libraries(device))
    nodes = _nodes_by_provider(session)
    if nodes and wanted not in nodes:
        raise unavailable(device, "onnxruntime", f"{wanted} took none of the network's nodes", "use --device cpu")


def _missing_libraries(device: Device) -> str:
    if device.kind == "tensorrt":
        return _TENSORRT
    return 'check the driver with nvidia-smi; CUDA and cuDNN come with pip install "convspec[gpu]"'


def _refused(problem: Exception, program: Program, device: Device, precision: str) -> Failure:
    """Why there is no session: the device (CNN304), the file (CNN306), or a network that this runtime cannot run (CNN305)."""
    reason = _first_line(problem)
    if "graph capture" in reason or "CUDA graph" in reason:
        return fail(error("CNN305", f"this network cannot be one CUDA graph: {reason}", hint="leave out --cuda-graph"))
    if device.kind != "cpu" and any(word in reason for word in ("CUDA", "cuda", "cuDNN", "CUDNN", "device", "TensorRT")):
        return unavailable(device, "onnxruntime", reason, _missing_libraries(device))
    if isinstance(program, ModelFile):
        if type(problem).__name__ == "InvalidProtobuf":
            reason = "it is no ONNX model, or is damaged"
        return fail(error("CNN306", f"onnxruntime cannot load {program.path}: {reason}"))
    message = f"onnxruntime cannot run {program.module.name} on {device}: {reason}"
    if precision == "bf16" and device.kind == "cpu":
        hint = "onnxruntime has no bfloat16 kernels on the CPU: use --precision fp16, or --runtime pytorch or openvino"
        return fail(error("CNN305", message, hint=hint))
    return fail(error("CNN305", message, hint="use --runtime pytorch, tensorflow or reference"))


def _first_line(problem: BaseException) -> str:
    """The message without ONNX Runtime's prefix `[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : `."""
    text = (str(problem).strip() or type(problem).__name__).splitlines()[0]
    return text.rsplit(" : ", 1)[-1] if text.startswith("[ONNXRuntimeError]") else text


@contextmanager
def _listening(ort: Any, said: list[str]) -> Iterator[None]:
    """Collect what ONNX Runtime logs while a session is made; older ones, which cannot be listened to, write it to stderr."""
    listen = getattr(ort, "set_default_logger_callback", None)
    if listen is None:
        yield
        return
    listen(lambda severity, category, logid, place, message: said.append(message.strip().splitlines()[0]), 2)
    try:
        yield
    finally:
        listen(None)


def _nodes_by_provider(session: Any) -> dict[str, int]:
    """How many nodes each provider took; empty where this ONNX Runtime does not tell."""
    counts: dict[str, int] = {}
    with suppress(AttributeError, RuntimeError):
        for part in session.get_provider_graph_assignment_info():
            counts[part.ep_name] = counts.get(part.ep_name, 0) + len(part.get_nodes())
    return counts


def _placement(session: Any) -> str:
    """`CPUExecutionProvider`, or `CUDAExecutionProvider (52 nodes), CPUExecutionProvider (3 nodes)`."""
    counts = _nodes_by_provider(session)
    order: list[str] = session.get_providers()
    if len(counts) < 2:
        return next(iter(counts), order[0])
    ranked = sorted(counts, key=lambda name: order.index(name) if name in order else len(order))
    return ", ".join(f"{name} ({counts[name]} node{'s' if counts[name] > 1 else ''})" for name in ranked)
