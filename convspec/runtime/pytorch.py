"""PyTorch: the module that `to_torch` makes, in inference mode, on the CPU or a CUDA device; tuned, and saying how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from convspec.diagnostics import error, fail
from convspec.ir.graph import Graph
from convspec.ir.types import Array
from convspec.runtime.base import About, Network, Program, RunOptions, network_only
from convspec.runtime.devices import CPU, Device, only_cpu_and_cuda, parse_device, require, unavailable
from convspec.runtime.options import check_options, in_precision, only_on_cuda
from convspec.runtime.signature import Signature, signature_of

_CUDA_BUILD = 'on Linux, pip install "convspec[torch]" from PyPI brings a CUDA build; for others see pytorch.org/get-started'
_WARM_UP = 3
"""Runs before a CUDA graph is recorded: libraries allocate and choose their kernels in them, as PyTorch's notes ask."""
_HAS = ("precision", "compile", "cuda_graph", "threads", "layout")


@dataclass(slots=True)
class TorchPrepared:
    """Tensors on the device. `graph` is a recorded CUDA graph, which reads `feeds` and writes `made` where they are."""

    session: TorchSession
    feeds: list[Any]
    made: Any = None
    graph: Any = None

    def run(self) -> None:
        with self.session.guarded() as torch:
            if self.session.options.cuda_graph:
                self._replay(torch)
            else:
                self.made = self.session.model(*self.feeds)

    def _replay(self, torch: Any) -> None:
        if self.graph is None:
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UP):
                    self.session.model(*self.feeds)
            torch.cuda.current_stream().wait_stream(aside)
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.made = self.session.model(*self.feeds)
        self.graph.replay()

    def update(self, feeds: list[Any]) -> None:
        """Other data of the same shapes, in the same places."""
        with self.session.guarded():
            for place, feed in zip(self.feeds, feeds, strict=True):
                place.copy_(feed)

    def wait(self) -> None:
        if self.session.about.device != "cpu":
            with self.session.guarded() as torch:
                torch.cuda.synchronize(self.session.about.device)

    def outputs(self) -> dict[str, Array]:
        names = [spec.name for spec in self.session.signature.outputs]
        tensors = {names[0]: self.made} if len(names) == 1 else self.made  # several come by name
        with self.session.guarded() as torch:
            return {name: _to_array(torch, tensors[name]) for name in names}


@dataclass(frozen=True, slots=True)
class TorchSession:
    signature: Signature
    about: About
    model: Any
    options: RunOptions
    last: bool
    """Whether arrays of rank 4 lie channels last."""
    recorded: dict[tuple[tuple[int, ...], ...], TorchPrepared] = field(default_factory=dict)
    """By the shapes of the inputs, with CUDA graphs."""

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        if not self.options.cuda_graph:
            prepared = self.prepare(arrays)
        else:
            shapes = tuple(arrays[spec.name].shape for spec in self.signature.inputs)
            if shapes in self.recorded:
                self.recorded[shapes].update(self._feeds(arrays))
            else:
                self.recorded[shapes] = self.prepare(arrays)
            prepared = self.recorded[shapes]
        prepared.run()
        return prepared.outputs()

    def prepare(self, arrays: Mapping[str, Array]) -> TorchPrepared:
        return TorchPrepared(self, self._feeds(arrays))

    def _feeds(self, arrays: Mapping[str, Array]) -> list[Any]:
        with self.guarded() as torch:
            tensors = [_to_tensor(torch, arrays[spec.name]).to(self.about.device) for spec in self.signature.inputs]
            last = torch.channels_last
            return [each.to(memory_format=last) if self.last and each.dim() == 4 else each for each in tensors]

    @contextmanager
    def guarded(self) -> Iterator[Any]:
        """torch, in inference mode and with the switches as asked for; what goes wrong is a Failure."""
        torch = require("torch", "pytorch")
        try:
            with ExitStack() as stack:
                stack.enter_context(torch.inference_mode())
                stack.enter_context(_tf32(torch, self.options.tf32))
                stack.enter_context(_set(torch.backends.cudnn, "benchmark", self.about.device != "cpu"))
                stack.enter_context(_threads(torch, self.options.threads))
                yield torch
        except IndexError as problem:
            raise fail(error("CNN301", f"an index is out of its range: {problem}")) from None
        except Exception as problem:
            raise self._told(problem) from None

    def _told(self, problem: Exception) -> Exception:
        """CNN307 for what goes wrong in a run, out of memory for instance; CNN305 where torch.compile gives up."""
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        if self.options.compile and type(problem).__module__.startswith(("torch._dynamo", "torch._inductor")):
            message = f"torch.compile cannot compile {self.signature.name}: {reason}"
            hint = "leave out --compile; on a CPU it needs a C++ compiler, on a GPU Triton"
            return fail(error("CNN305", message, hint=hint))
        if not isinstance(problem, RuntimeError):
            return problem
        message = f"pytorch failed on {self.about.device}: {reason}"
        return fail(error("CNN307", message, hint="a smaller batch may help where memory ran out"))


class PyTorch:
    """The runtime `pytorch`."""

    name = "pytorch"

    def open(self, program: Program, options: RunOptions) -> TorchSession:
        network = network_only(program, self.name)
        check_options(options, self.name, _HAS)
        asked = parse_device(options.device)
        only_cpu_and_cuda(asked, self.name)
        torch = require("torch", self.name)
        device, notes = (asked, []) if asked else _automatic(torch)
        if device.kind == "cuda":
            _check_cuda(torch, device)
        only_on_cuda(options, self.name, device.kind)
        network = in_precision(network, options.precision, self.name)
        model = _module(network).eval().to(str(device))
        last = channels_last(network.module.graph, device, options)
        if last:
            model = model.to(memory_format=torch.channels_last)
            notes += ["convolutions run channels last"] if device.kind == "cuda" else []
        if options.compile:
            model = torch.compile(model, **compile_settings(device))
        about = About(self.name, torch.__version__, str(device), _provider(torch, device), tuple(notes))
        return TorchSession(signature_of(network.module.graph), about, model, options, last)


RUNTIME = PyTorch()


def _module(network: Network) -> Any:
    """The module of the generated file; of a rewritten network that of the deployed one, which reuses memory."""
    from convspec.targets.pytorch import to_torch
    from convspec.targets.pytorch.deploy import to_deployed

    made = to_deployed if network.module.rewritten else to_torch
    return made(network.module, network.weights)


def channels_last(graph: Graph, device: Device, options: RunOptions) -> bool:
    """Whether channels lie last inside: where a 2-D convolution runs on a CPU, or on the tensor cores of a GPU.

    On a GPU in float32 without TF32 no kernel gains by it.
    """
    ranks = {len(parameter.shape) for parameter in graph.parameters().values()}
    if 5 in ranks:  # PyTorch would take them for kernels of 3-D convolutions, and wants another layout for these
        if options.layout == "channels_last":
            message = f"pytorch cannot run {graph.name} channels last: it has parameters of rank 5"
            raise fail(error("CNN305", message, hint="leave out the layout"))
        return False
    if options.layout != "auto":
        return options.layout == "channels_last"
    return 4 in ranks and (device.kind == "cpu" or options.tf32 or options.precision in ("fp16", "bf16"))


def compile_settings(device: Device) -> dict[str, Any]:
    """For torch.compile. On a CPU weights become constants, which lets it lay them out for its kernels."""
    return {"options": {"freezing": True}} if device.kind == "cpu" else {"mode": "max-autotune-no-cudagraphs"}


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
    with ExitStack() as stack:
        for place in places:
            stack.enter_context(_set(place, switch, wanted))
        yield


@contextmanager
def _set(place: Any, switch: str, value: object) -> Iterator[None]:
    """A switch as asked for; afterwards as it was."""
    before = getattr(place, switch)
    setattr(place, switch, value)
    try:
        yield
    finally:
        setattr(place, switch, before)


@contextmanager
def _threads(torch: Any, count: int | None) -> Iterator[None]:
    """So many threads, if it was said how many; afterwards as it was. PyTorch has one number for the process."""
    before = torch.get_num_threads()
    if count in (None, before):
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
