"""Where a network runs: `auto`, `cpu`, `cuda`, `cuda:1`, `tensorrt`; and what to say where that, or a runtime, is not there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from convspec.diagnostics import Failure, error, fail

Kind = Literal["cpu", "cuda", "tensorrt"]

_EXTRAS = {"onnxruntime": "cpu", "torch": "torch", "tensorflow": "tensorflow", "openvino": "openvino"}
"""The package extra that brings each runtime's module."""


@dataclass(frozen=True, slots=True)
class Device:
    """A place to run. `index` numbers the GPUs of this machine; the CPU has none."""

    kind: Kind
    index: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.index}"


CPU = Device("cpu")


def parse_device(text: str) -> Device | None:
    """The device that `--device` names; None for `auto`. Failure CNN305 for anything else."""
    if text == "auto":
        return None
    found = re.fullmatch(r"(cpu)|(cuda|tensorrt)(?::(\d{1,4}))?", text)
    if found is None:
        raise fail(error("CNN305", f"there is no device `{text}`", hint="devices are auto, cpu, cuda, cuda:1, tensorrt"))
    if found[1]:
        return CPU
    return Device("tensorrt" if found[2] == "tensorrt" else "cuda", int(found[3] or 0))


def require(module: str, runtime: str) -> Any:
    """The imported package of a runtime. Failure CNN303 where it is missing or broken, with the extra that brings it."""
    install = f'pip install "convspec[{_EXTRAS[module]}]"'
    try:
        return import_module(module)
    except ModuleNotFoundError as problem:
        if problem.name != module:
            raise fail(_broken(module, runtime, problem, install)) from None
        hint = install + (' (or "convspec[gpu]" for an NVIDIA GPU)' if module == "onnxruntime" else "")
        raise fail(error("CNN303", f"the runtime {runtime} is not installed", hint=hint)) from None
    except (ImportError, OSError) as problem:
        raise fail(_broken(module, runtime, problem, install)) from None


def _broken(module: str, runtime: str, problem: BaseException, install: str) -> Any:
    reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
    message = f"the runtime {runtime} is installed, but cannot be imported: {reason}"
    return error("CNN303", message, hint=f"install it anew: pip uninstall {module}, then {install}")


def unavailable(device: Device, runtime: str, reason: str, hint: str) -> Failure:
    """CNN304: the device was asked for and is not there; it is never replaced by another."""
    return fail(error("CNN304", f"the device {device} is not available to {runtime}: {reason}", hint=hint))


def only_cpu_and_cuda(device: Device | None, runtime: str) -> None:
    """Failure CNN305 for `tensorrt`, which only onnxruntime offers."""
    if device is not None and device.kind == "tensorrt":
        raise fail(error("CNN305", f"{runtime} does not run on tensorrt", hint="use --runtime onnxruntime --device tensorrt"))


def side_by_side() -> str | None:
    """What to do where onnxruntime and onnxruntime-gpu are both installed; None where they are not.

    They share one import name, and whichever was installed last hides the other, wholly or in part.
    """
    if _installed("onnxruntime") and _installed("onnxruntime-gpu"):
        return (
            "onnxruntime and onnxruntime-gpu are both installed and hide each other: "
            "pip uninstall -y onnxruntime onnxruntime-gpu, "
            'then pip install "convspec[gpu]" (for a GPU) or "convspec[cpu]"'
        )
    return None


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
