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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from convspec.diagnostics import Failure, error, fail
from convspec.ir.types import Array
from convspec.runtime.base import About, ModelFile, Network, OnHost, Program, RunOptions
from convspec.runtime.devices import CPU, Device, parse_device, require, side_by_side, unavailable
from convspec.runtime.onnxfile import check_readable, signature_of_session
from convspec.runtime.signature import Signature, signature_of

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}
_GPU_EXTRA = 'pip uninstall -y onnxruntime, then pip install "convspec[gpu]"'
_TENSORRT = "install NVIDIA TensorRT (pip install tensorrt), of the version that this onnxruntime-gpu was built for"

Model: TypeAlias = bytes | str
"""A model in memory, or the path of a file."""


@dataclass(frozen=True, slots=True)
class OnnxSession:
    signature: Signature
    about: About
    session: Any

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        names = [spec.name for spec in self.signature.outputs]
        try:
            results = self.session.run(names, dict(arrays))
        except Exception as problem:  # ONNX Runtime's exceptions share no other base
            message = f"onnxruntime failed on {self.about.device}: {_first_line(problem)}"
            raise fail(error("CNN307", message, hint="a smaller batch may help where memory ran out")) from None
        return dict(zip(names, results, strict=True))

    def prepare(self, arrays: Mapping[str, Array]) -> OnHost:
        return OnHost(self, arrays)


class OnnxRuntime:
    """The runtime `onnxruntime`."""

    name = "onnxruntime"

    def open(self, program: Program, options: RunOptions) -> OnnxSession:
        ort = require("onnxruntime", self.name)
        if isinstance(program, ModelFile):
            check_readable(program.path)
            return _open(ort, str(program.path), program, options)
        with tempfile.TemporaryDirectory(prefix="convspec-", ignore_cleanup_errors=True) as folder:
            return _open(ort, _compile(program, Path(folder)), program, options)


RUNTIME = OnnxRuntime()


def _compile(network: Network, folder: Path) -> Model:
    """The network as one ONNX model in memory; in files in `folder` where its weights do not fit into one message."""
    from convspec.targets.base import find_target

    target = find_target("onnx")
    artifact = target.emit(network.module, network.weights, target.options())
    if len(artifact.files) == 1:
        content = artifact.files[artifact.main]
        assert not isinstance(content, str)
        if isinstance(content, bytes):
            return content
        content(buffer := io.BytesIO())
        return buffer.getvalue()
    artifact.write(folder)
    return str(folder / artifact.main)


def _open(ort: Any, model: Model, program: Program, options: RunOptions) -> OnnxSession:
    asked = parse_device(options.device)
    if asked is None:
        session, device, notes = _automatic(ort, model, program, options)
    else:
        session, device, notes = _create(ort, model, program, asked, options.tf32), asked, []
    both = side_by_side()
    about = About("onnxruntime", ort.__version__, str(device), _placement(session), tuple([*notes, *([both] if both else [])]))
    known = signature_of(program.module.graph) if isinstance(program, Network) else signature_of_session(session, program.path)
    return OnnxSession(known, about, session)


def _automatic(ort: Any, model: Model, program: Program, options: RunOptions) -> tuple[Any, Device, list[str]]:
    """CUDA where it works, else the CPU, and a note that says why."""
    if _PROVIDERS["cuda"] not in ort.get_available_providers():
        note = "auto chose the CPU: this onnxruntime is built without CUDA"
        return _create(ort, model, program, CPU, options.tf32), CPU, [note]
    cuda = Device("cuda")
    try:
        return _create(ort, model, program, cuda, options.tf32), cuda, ["auto chose CUDA"]
    except Failure as failure:
        if failure.diagnostics[0].code != "CNN304":
            raise
        note = f"auto chose the CPU: {failure.diagnostics[0].message}"
    return _create(ort, model, program, CPU, options.tf32), CPU, [note]


def _create(ort: Any, model: Model, program: Program, device: Device, tf32: bool) -> Any:
    """A session that really runs on `device`, or Failure CNN304 (device), CNN305 or CNN306 (model)."""
    _check_built_for(ort, device)
    said: list[str] = []
    with _listening(ort, said):
        _load_libraries(ort, device, tf32)
        try:
            session = ort.InferenceSession(model, _session_options(ort), _provider_list(device, tf32), enable_fallback=0)
        except Exception as problem:  # ONNX Runtime's exceptions share no other base
            raise _refused(problem, program, device) from None
    _check_runs_on(session, device, said)
    return session


def _session_options(ort: Any) -> Any:
    made = ort.SessionOptions()
    made.log_severity_level = 3
    made.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return made


def _provider_list(device: Device, tf32: bool) -> list[Any]:
    """Providers in order of preference, with options. The CPU stands last: it does the arithmetic on shapes."""
    cuda = (_PROVIDERS["cuda"], {"device_id": str(device.index), "use_tf32": str(int(tf32))})
    tensorrt = (_PROVIDERS["tensorrt"], {"device_id": str(device.index), "trt_fp16_enable": "0"})
    ahead = {"cpu": [], "cuda": [cuda], "tensorrt": [tensorrt, cuda]}[device.kind]
    return [*ahead, _PROVIDERS["cpu"]]


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
    if _PROVIDERS[device.kind] in ort.get_available_providers():
        return
    hint = side_by_side() or _GPU_EXTRA
    raise unavailable(device, "onnxruntime", f"onnxruntime {ort.__version__} is built without {device.kind.upper()}", hint)


def _check_runs_on(session: Any, device: Device, said: list[str]) -> None:
    """Failure CNN304 if ONNX Runtime fell back, or if the device took none of the nodes."""
    wanted = _PROVIDERS[device.kind]
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


def _refused(problem: Exception, program: Program, device: Device) -> Failure:
    """Why there is no session: the device (CNN304), the file (CNN306), or a network that this runtime cannot run (CNN305)."""
    reason = _first_line(problem)
    if device.kind != "cpu" and any(word in reason for word in ("CUDA", "cuda", "cuDNN", "CUDNN", "device", "TensorRT")):
        return unavailable(device, "onnxruntime", reason, _missing_libraries(device))
    if isinstance(program, ModelFile):
        if type(problem).__name__ == "InvalidProtobuf":
            reason = "it is no ONNX model, or is damaged"
        return fail(error("CNN306", f"onnxruntime cannot load {program.path}: {reason}"))
    message = f"onnxruntime cannot run {program.module.name} on {device}: {reason}"
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
