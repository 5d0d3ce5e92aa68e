"""PyTorch: the module that `to_torch` makes, in inference mode, on the CPU or a CUDA device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from convspec.diagnostics import error, fail
from convspec.ir.types import Array
from convspec.runtime.base import About, OnHost, Program, RunOptions, network_only
from convspec.runtime.devices import CPU, Device, only_cpu_and_cuda, parse_device, require, unavailable
from convspec.runtime.signature import Signature, signature_of

_CUDA_BUILD = 'on Linux, pip install "convspec[torch]" from PyPI brings a CUDA build; for others see pytorch.org/get-started'


@dataclass(frozen=True, slots=True)
class TorchSession:
    signature: Signature
    about: About
    model: Any
    tf32: bool

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        torch = require("torch", "pytorch")
        try:
            with torch.inference_mode(), _tf32(torch, self.tf32):
                feeds = [_to_tensor(torch, arrays[spec.name]).to(self.about.device) for spec in self.signature.inputs]
                results = self.model(*feeds)
        except IndexError as problem:
            raise fail(error("CNN301", f"an index is out of its range: {problem}")) from None
        except RuntimeError as problem:  # out of memory is one too
            reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
            message = f"pytorch failed on {self.about.device}: {reason}"
            raise fail(error("CNN307", message, hint="a smaller batch may help where memory ran out")) from None
        names = [spec.name for spec in self.signature.outputs]
        tensors = {names[0]: results} if len(names) == 1 else results  # several come by name
        return {name: _to_array(torch, tensors[name]) for name in names}

    def prepare(self, arrays: Mapping[str, Array]) -> OnHost:
        return OnHost(self, arrays)


class PyTorch:
    """The runtime `pytorch`."""

    name = "pytorch"

    def open(self, program: Program, options: RunOptions) -> TorchSession:
        network = network_only(program, self.name)
        asked = parse_device(options.device)
        only_cpu_and_cuda(asked, self.name)
        torch = require("torch", self.name)
        device, notes = (asked, []) if asked else _automatic(torch)
        if device.kind == "cuda":
            _check_cuda(torch, device)
        from convspec.targets.pytorch import to_torch

        model = to_torch(network.module, network.weights).eval().to(str(device))
        about = About(self.name, torch.__version__, str(device), _provider(torch, device), tuple(notes))
        return TorchSession(signature_of(network.module.graph), about, model, options.tf32)


RUNTIME = PyTorch()


def _automatic(torch: Any) -> tuple[Device, list[str]]:
    if torch.cuda.is_available():
        return Device("cuda"), ["auto chose CUDA"]
    reason = "this PyTorch is built without CUDA" if torch.version.cuda is None else "PyTorch sees no CUDA device"
    return CPU, [f"auto chose the CPU: {reason}"]


def _check_cuda(torch: Any, device: Device) -> None:
    """Failure CNN304 unless PyTorch can use the device."""
    if torch.version.cuda is None:
        raise unavailable(device, "pytorch", f"PyTorch {torch.__version__} is built without CUDA", _CUDA_BUILD)
    if not torch.cuda.is_available():
        raise unavailable(device, "pytorch", "there is no NVIDIA GPU, or its driver does not work", "check it with nvidia-smi")
    count = torch.cuda.device_count()
    if device.index >= count:
        there = "cuda:0" if count == 1 else f"cuda:0 … cuda:{count - 1}"
        raise unavailable(device, "pytorch", f"this machine has {count}", f"use {there}")


def _provider(torch: Any, device: Device) -> str:
    return str(torch.cuda.get_device_name(device.index)) if device.kind == "cuda" else "ATen"


@contextmanager
def _tf32(torch: Any, allowed: bool) -> Iterator[None]:
    """TF32 as asked for, in products and convolutions; afterwards as it was.

    From PyTorch 2.9 on there are finer switches, and one that was set in the new way can no longer be read in the old way.
    """
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    finer = hasattr(matmul, "fp32_precision")
    places, switch = ((matmul, cudnn.conv), "fp32_precision") if finer else ((matmul, cudnn), "allow_tf32")
    wanted: object = allowed if not finer else "tf32" if allowed else "ieee"
    before = [getattr(place, switch) for place in places]
    for place in places:
        setattr(place, switch, wanted)
    try:
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            setattr(place, switch, value)


def _to_tensor(torch: Any, array: Array) -> Any:
    """A tensor with a copy of the data: NumPy arrays may be read-only. bfloat16 passes as bits, which NumPy has no type for."""
    import numpy as np

    if array.dtype.name == "bfloat16":
        return torch.tensor(np.ascontiguousarray(array).view(np.int16)).view(torch.bfloat16)
    return torch.tensor(array)


def _to_array(torch: Any, tensor: Any) -> Array:
    tensor = tensor.detach().cpu().contiguous()  # a learned tensor may itself be an output
    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        bits: Array = tensor.view(torch.int16).numpy()
        return bits.view(ml_dtypes.bfloat16)
    array: Array = tensor.numpy()
    return array
