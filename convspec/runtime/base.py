"""What a runtime is: it opens a network on a device and gives a session, which turns arrays into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeAlias

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.runtime.signature import Signature

RUNTIMES = ("onnxruntime", "pytorch", "tensorflow", "openvino", "reference")

TARGETS = {
    "onnxruntime": "onnx",
    "openvino": "onnx",
    "pytorch": "pytorch",
    "tensorflow": "tensorflow",
    "reference": "reference",
}
"""What the optimiser makes a network for, by the runtime that is to run it."""


@dataclass(frozen=True, slots=True)
class Network:
    """A spec, elaborated, with its weights by name in canonical layout."""

    module: Module
    weights: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A compiled `.onnx` model."""

    path: Path


Program: TypeAlias = Network | ModelFile


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run. An option that a runtime does not have, or cannot honour on its device, is Failure CNN305, never ignored."""

    device: str = "auto"
    tf32: bool = False
    """Let a GPU round float32 factors to 10 bits in convolutions and products; off unless asked for."""
    precision: str = "fp32"
    """`fp32`, `fp16`, `bf16` or `int8`: what the network is computed in. The runtime sees to it (`runtime.precisions`)."""
    compile: bool = False
    """Let the framework's own compiler make kernels for this network: torch.compile, XLA."""
    cuda_graph: bool = False
    """Record the kernels once for each shape of the inputs and replay them, without the cost of launching each; CUDA only."""
    threads: int | None = None
    """How many CPU threads compute; None: as the runtime decides."""
    layout: str = "auto"
    """How arrays of rank 4 lie in memory inside: `channels_first`, `channels_last`, or `auto`, where the runtime decides."""


@dataclass(frozen=True, slots=True)
class About:
    """What really runs, found out after the session was made: `onnxruntime`, `1.32.0`, `cpu`, `CPUExecutionProvider`."""

    runtime: str
    version: str
    device: str
    provider: str
    notes: tuple[str, ...] = ()
    """What the user should know: what `auto` chose and why, installations that stand in each other's way."""


class Prepared(Protocol):
    """A session with its inputs placed on the device, for runs that are timed or repeated."""

    def run(self) -> None:
        """Compute once. Results stay on the device; the call may return before they are there."""
        ...

    def wait(self) -> None:
        """Return when the device has done everything that was asked of it."""
        ...

    def outputs(self) -> dict[str, Array]:
        """What the last `run` computed, as `Session.run` gives it. Only after a `run`."""
        ...


class Session(Protocol):
    """A network that is ready to run."""

    @property
    def signature(self) -> Signature: ...

    @property
    def about(self) -> About: ...

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Every output by name from every input by name, in canonical layout. The arrays have passed `check_arrays`.

        Failure CNN307 where the runtime gives up, for want of memory for instance.
        """
        ...

    def prepare(self, arrays: Mapping[str, Array]) -> Prepared:
        """The arrays placed on the device, once. They have passed `check_arrays`, and must not change while it is used."""
        ...


@dataclass(slots=True)
class OnHost:
    """Prepared, for a runtime that works on arrays of the host as they are."""

    session: Session
    arrays: Mapping[str, Array]
    results: dict[str, Array] = field(default_factory=dict)

    def run(self) -> None:
        self.results = self.session.run(self.arrays)

    def wait(self) -> None:
        """Nothing is ever under way."""

    def outputs(self) -> dict[str, Array]:
        return self.results


class Runtime(Protocol):
    """A module `convspec.runtime.<name>` offers one as RUNTIME."""

    name: str

    def open(self, program: Program, options: RunOptions) -> Session:
        """A session. Failure CNN303, CNN304, CNN305 or CNN306 where it cannot be had."""
        ...


def find_runtime(name: str) -> Runtime:
    """The runtime called `name`; its package is not imported yet. Failure CNN305 where there is none."""
    if name not in RUNTIMES:
        raise fail(error("CNN305", f"there is no runtime `{name}`", hint=f"the runtimes are {', '.join(RUNTIMES)}"))
    runtime: Runtime = import_module(f"convspec.runtime.{name}").RUNTIME
    return runtime


def network_only(program: Program, runtime: str) -> Network:
    """The program as a spec. Failure CNN305 for a compiled model, which onnxruntime and openvino can run."""
    if isinstance(program, ModelFile):
        message = f"{program.path} is a compiled ONNX model, which {runtime} cannot run"
        raise fail(error("CNN305", message, hint="use --runtime onnxruntime or openvino, or run the .cnn spec"))
    return program
