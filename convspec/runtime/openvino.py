"""OpenVINO: a spec compiled to ONNX in memory, or a compiled `.onnx` file, on the CPU.

Where a processor has bfloat16, OpenVINO takes it for float32 networks unless it is told not to. Here the precision is always
said, and the compiled network is asked which one it got: what cannot be honoured is refused.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convspec.diagnostics import Failure, error, fail
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.runtime.base import About, ModelFile, Network, Program, RunOptions
from convspec.runtime.devices import CPU, only_cpu_and_cuda, parse_device, require, unavailable
from convspec.runtime.onnxfile import check_readable, signature_of_session
from convspec.runtime.onnxmodel import Model, interface_of_file, onnx_model
from convspec.runtime.options import check_options
from convspec.runtime.signature import Signature, signature_of

_PRECISIONS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
_KINDS = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
"""What OpenVINO calls a type as a hint, and as an element type."""


@dataclass(slots=True)
class OpenVinoPrepared:
    """Inputs handed over once; results stay in OpenVINO's own tensors."""

    session: OpenVinoSession
    request: Any

    def run(self) -> None:
        self.session.guarded(self.request.infer)

    def wait(self) -> None:
        """`infer` returns when it is done."""

    def outputs(self) -> dict[str, Array]:
        return self.session.results(self.request)


@dataclass(frozen=True, slots=True)
class OpenVinoSession:
    signature: Signature
    about: About
    compiled: Any

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        prepared = self.prepare(arrays)
        prepared.run()
        return prepared.outputs()

    def prepare(self, arrays: Mapping[str, Array]) -> OpenVinoPrepared:
        request = self.compiled.create_infer_request()
        read = {name for port in self.compiled.inputs for name in port.get_names()}  # not what only shapes depend on
        feeds = {spec.name: _tensor(arrays[spec.name]) for spec in self.signature.inputs if spec.name in read}
        self.guarded(lambda: [request.set_tensor(name, tensor) for name, tensor in feeds.items()])
        return OpenVinoPrepared(self, request)

    def guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except RuntimeError as problem:
            message = f"openvino failed on {self.about.device}: {_last_line(problem)}"
            raise fail(error("CNN307", message, hint="a smaller batch may help where memory ran out")) from None

    def results(self, request: Any) -> dict[str, Array]:
        """Copies: the tensors belong to the request."""
        return {spec.name: request.get_tensor(spec.name).data.copy() for spec in self.signature.outputs}


class OpenVino:
    """The runtime `openvino`."""

    name = "openvino"

    def open(self, program: Program, options: RunOptions) -> OpenVinoSession:
        check_options(options, self.name, ("precision", "threads"))
        device = parse_device(options.device)
        only_cpu_and_cuda(device, self.name)
        if device not in (None, CPU):
            assert device is not None
            raise unavailable(device, self.name, "convspec uses OpenVINO on CPUs", "use --device cpu, or another runtime")
        ov = require("openvino", self.name)
        if isinstance(program, ModelFile):
            check_readable(program.path)
            return _open(ov, str(program.path), program, options)
        graph = program.module.graph
        _check_types(graph.name, (value.type for node in graph.nodes for value in (*node.inputs, *node.outputs)))
        with tempfile.TemporaryDirectory(prefix="convspec-", ignore_cleanup_errors=True) as folder:
            return _open(ov, onnx_model(program, Path(folder)), program, options)


RUNTIME = OpenVino()


def properties(options: RunOptions) -> dict[str, Any]:
    """What OpenVINO is told. One request is under way at a time, so all threads serve it: the hint is for latency."""
    if options.precision not in _PRECISIONS:
        hint = "run it with --runtime onnxruntime, or a compiled int8 model as it is"
        raise fail(error("CNN305", f"openvino cannot make {options.precision} of a network by itself", hint=hint))
    told: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": _PRECISIONS[options.precision],
        "EXECUTION_MODE_HINT": "ACCURACY" if options.precision == "fp32" else "PERFORMANCE",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
    }
    return told | ({} if options.threads is None else {"INFERENCE_NUM_THREADS": options.threads})


def _open(ov: Any, model: Model, program: Program, options: RunOptions) -> OpenVinoSession:
    known = signature_of(program.module.graph) if isinstance(program, Network) else _signature(program)
    _check_types(known.name, (spec.type for spec in (*known.inputs, *known.outputs)))
    core = ov.Core()
    try:
        compiled = core.compile_model(core.read_model(model), "CPU", properties(options))
    except RuntimeError as problem:
        raise _refused(problem, program) from None
    _check_honoured(compiled, options)
    notes = (
        () if options.precision == "fp32" else (f"openvino computes in {options.precision} what it can, from float32 weights",)
    )
    version = str(ov.__version__).partition("-")[0]
    about = About("openvino", version, "cpu", str(core.get_property("CPU", "FULL_DEVICE_NAME")).strip(), notes)
    return OpenVinoSession(known, about, compiled)


def _check_types(name: str, types: Iterable[TensorType]) -> None:
    """Failure CNN305 for a network of other floats than float32: OpenVINO's CPU plugin computes those in float32 too."""
    for each in types:
        if each.dtype in FLOATS and each.dtype != "float32":
            message = f"openvino computes in float32 what {name} declares as {each.dtype}"
            hint = "use another runtime; a precision is asked for with --precision, from a float32 network"
            raise fail(error("CNN305", message, hint=hint))


def _signature(program: ModelFile) -> Signature:
    try:
        return signature_of_session(interface_of_file(program.path), program.path)
    except Failure:
        raise
    except Exception:  # protobuf's exceptions share no other base
        message = f"openvino cannot load {program.path}: it is no ONNX model, or is damaged"
        raise fail(error("CNN306", message)) from None


def _check_honoured(compiled: Any, options: RunOptions) -> None:
    """Failure CNN305 unless the network is computed in the precision, and on the threads, that were asked for."""
    got = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    if got != _PRECISIONS[options.precision]:
        message = f"openvino does not compute in {options.precision} on this processor: it would take {_KINDS.get(got, got)}"
        raise fail(error("CNN305", message, hint="leave out --precision, or use another runtime"))
    threads = compiled.get_property("INFERENCE_NUM_THREADS")
    if options.threads is not None and threads != options.threads:
        message = f"openvino runs on {threads} threads here, not on {options.threads}"
        raise fail(error("CNN305", message, hint=f"use --threads {threads}, or leave it out"))


def _refused(problem: RuntimeError, program: Program) -> Failure:
    reason = _last_line(problem)
    if isinstance(program, ModelFile):
        return fail(error("CNN306", f"openvino cannot load {program.path}: {reason}"))
    message = f"openvino cannot run {program.module.name}: {reason}"
    return fail(error("CNN305", message, hint="use --runtime onnxruntime, pytorch, tensorflow or reference"))


def _last_line(problem: BaseException) -> str:
    """What OpenVINO says in the end, behind the places in its source that it lists first and before its advice."""
    lines = [line.strip().removeprefix("-- ") for line in str(problem).splitlines() if line.strip()]
    asides = ("Exception from", "Check '", "FrontEnd API failed", "at ", "To facilitate", "Summary:")
    said = [line for line in lines if not line.startswith(asides)]
    return (said or lines or [type(problem).__name__])[-1]


def _tensor(array: Array) -> Any:
    """A copy as OpenVINO's tensor, which would not keep an array alive."""
    import openvino as ov

    return ov.Tensor(array, shared_memory=False)
