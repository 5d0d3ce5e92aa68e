"""What ONNX Runtime is told: its session options and, in order of preference, providers with theirs.

Every option that bears on speed or exactness is said, so that nothing hangs on a default. The names are those of
onnxruntime.ai/docs/execution-providers, CUDA-ExecutionProvider and TensorRT-ExecutionProvider.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

from convspec.diagnostics import error, fail
from convspec.runtime.base import RunOptions
from convspec.runtime.devices import Device
from convspec.runtime.onnxmodel import Model
from convspec.runtime.options import check_options, only_on_cuda

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}

Provider: TypeAlias = "tuple[str, dict[str, str]] | str"


@dataclass(frozen=True, slots=True)
class EngineCache:
    """Where TensorRT's engines of one model are kept, None where they are not; `note` says which."""

    folder: Path | None
    note: str


def check_runtime_options(options: RunOptions, device: Device) -> None:
    """Failure CNN305 for what ONNX Runtime does not have on this device."""
    has = {"precision", "threads", "cuda_graph"} | ({"layout"} if device.kind == "cuda" else set())
    check_options(options, f"onnxruntime on {device.kind}", has)
    only_on_cuda(options, "onnxruntime", device.kind)


def session_settings(options: RunOptions) -> dict[str, Any]:
    """Fields of SessionOptions. One node runs at a time, on all threads: so convolutional networks are fastest."""
    return {
        "graph_optimization_level": "ORT_ENABLE_ALL",
        "execution_mode": "ORT_SEQUENTIAL",
        "intra_op_num_threads": options.threads or 0,
        "inter_op_num_threads": 1,
        "enable_cpu_mem_arena": True,
        "enable_mem_pattern": True,
        "enable_mem_reuse": True,
        "log_severity_level": 3,
    }


def make_session_options(ort: Any, options: RunOptions) -> Any:
    """SessionOptions with these settings, and a record of which provider takes which node."""
    made = ort.SessionOptions()
    kinds = {"graph_optimization_level": "GraphOptimizationLevel", "execution_mode": "ExecutionMode"}
    for name, value in session_settings(options).items():
        setattr(made, name, getattr(getattr(ort, kinds[name]), value) if name in kinds else value)
    made.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return made


def provider_list(device: Device, options: RunOptions, cache: EngineCache | None = None) -> list[Provider]:
    """Providers in order of preference, with options. The CPU stands last: it does the arithmetic on shapes."""
    ahead: list[Provider] = []
    if device.kind == "tensorrt":
        ahead.append((PROVIDERS["tensorrt"], tensorrt_options(device, options, cache)))
    if device.kind != "cpu":
        ahead.append((PROVIDERS["cuda"], cuda_options(device, options)))
    return [*ahead, PROVIDERS["cpu"]]


def cuda_options(device: Device, options: RunOptions) -> dict[str, str]:
    """Of the CUDA provider. Convolution kernels are searched exhaustively, with all the workspace that they want."""
    last = channels_last(options)
    return {
        "device_id": str(device.index),
        "use_tf32": _flag(options.tf32),
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "cudnn_conv_use_max_workspace": "1",
        "cudnn_conv1d_pad_to_nc1d": "1",
        "prefer_nhwc": _flag(last),
        "fuse_conv_bias": _flag(last),
        "do_copy_in_default_stream": "1",
        "arena_extend_strategy": "kSameAsRequested",
        "enable_cuda_graph": _flag(options.cuda_graph),
    }


def channels_last(options: RunOptions) -> bool:
    """Whether convolutions run channels last: what tensor cores want, which float32 without TF32 does not use."""
    if options.layout != "auto":
        return options.layout == "channels_last"
    return options.tf32 or options.precision in ("fp16", "bf16")


def tensorrt_options(device: Device, options: RunOptions, cache: EngineCache | None) -> dict[str, str]:
    """Of the TensorRT provider. It may take only what the network was rewritten to; engines are kept where there is a place."""
    told = {
        "device_id": str(device.index),
        "trt_fp16_enable": _flag(options.precision == "fp16"),
        "trt_bf16_enable": _flag(options.precision == "bf16"),
        "trt_int8_enable": "0",
    }
    if cache is None or cache.folder is None:
        return told | {"trt_engine_cache_enable": "0"}
    kept = {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(cache.folder)}
    return told | kept | {"trt_timing_cache_enable": "1", "trt_timing_cache_path": str(cache.folder)}


def engine_cache(model: Model, ort_version: str, device: Device, options: RunOptions) -> EngineCache:
    """A folder of its own for everything that makes engines differ: model, versions, GPU, driver, precision, TF32.

    An engine of another TensorRT or GPU is refused or wrong, so where these cannot be told nothing is kept.
    """
    parts = {"tensorrt": _tensorrt_version(), "gpu": gpu_of(device.index)}
    unknown = [name for name, value in parts.items() if value is None]
    if unknown:
        what = {"tensorrt": "version of TensorRT", "gpu": "GPU and driver"}[unknown[0]]
        return EngineCache(None, f"TensorRT's engines are not kept: the {what} could not be told")
    known = {name: str(value) for name, value in parts.items()}
    known |= {"onnxruntime": ort_version, "precision": options.precision, "tf32": _flag(options.tf32)}
    folder = cache_home(os.environ, sys.platform) / "convspec" / "tensorrt" / cache_key(model, known)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        return EngineCache(None, f"TensorRT's engines are not kept: {folder}: {problem.strerror}")
    return EngineCache(folder, f"TensorRT's engines are kept in {folder}")


def cache_key(model: Model, parts: Mapping[str, str]) -> str:
    """24 hexadecimal digits of all that an engine depends on; a model in files is read with the files beside it."""
    digest = hashlib.sha256()
    for name, value in sorted(parts.items()):
        digest.update(f"{name}={value}\n".encode())
    if isinstance(model, bytes):
        digest.update(model)
    else:
        for path in _files(Path(model)):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:24]


def _files(path: Path) -> list[Path]:
    """A model and the files that its tensors lie in. Failure CNN306 where one is missing."""
    import onnx
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data

    model = onnx.load(str(path), load_external_data=False)
    beside = {ExternalDataInfo(tensor).location for tensor in model.graph.initializer if uses_external_data(tensor)}
    found = [path, *sorted(path.parent / name for name in beside)]
    missing = [each for each in found if not each.is_file()]
    if missing:
        raise fail(error("CNN306", f"cannot read the model {path}: {missing[0]} is not there"))
    return found


def cache_home(environment: Mapping[str, str], platform: str) -> Path:
    """The user's folder for what can be made again: XDG's on Linux, and its like elsewhere."""
    if platform == "win32" and environment.get("LOCALAPPDATA"):
        return Path(environment["LOCALAPPDATA"])
    if platform == "darwin":
        return Path.home() / "Library" / "Caches"
    given = Path(environment.get("XDG_CACHE_HOME", ""))
    return given if given.is_absolute() else Path.home() / ".cache"


def gpu_of(index: int) -> str | None:
    """Name, compute capability and driver of a GPU, from nvidia-smi; None where that does not tell."""
    command = ["nvidia-smi", "-i", str(index), "--query-gpu=name,compute_cap,driver_version", "--format=csv,noheader"]
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.strip() or None
    return None


def _tensorrt_version() -> str | None:
    for name in ("tensorrt", "tensorrt-cu12", "tensorrt-cu13"):
        with suppress(PackageNotFoundError):
            return version(name)
    return None


def _flag(value: bool) -> str:
    return str(int(value))
