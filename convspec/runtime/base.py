"""What a runtime is: it opens a network on a device and gives a session, which turns arrays into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeAlias

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.runtime.signature import Signature

RUNTIMES = ("onnxruntime", "pytorch", "tensorflow", "reference")

TARGETS = {"onnxruntime": "onnx", "openvino": "onnx", "pytorch": "pytorch", "tensorflow": "tensorflow", "reference": "reference"}
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
    """How to run. `tf32` lets a GPU round float32 factors to 10 bits in convolutions and products; off unless asked for."""

    device: str = "auto"
    tf32: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """What really runs, found out after the session was made: `onnxruntime`, `1.32.0`, `cpu`, `CPUExecutionProvider`."""

    runtime: str
    version: str
    device: str
    provider: str
    notes: tuple[str, ...] = ()
    """What the user should know: what `auto` chose and why, installations that stand in each other's way."""


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
    """The program as a spec. Failure CNN305 for a compiled model, which onnxruntime alone can run."""
    if isinstance(program, ModelFile):
        message = f"{program.path} is a compiled ONNX model, which {runtime} cannot run"
        raise fail(error("CNN305", message, hint="use --runtime onnxruntime, or run the .cnn spec"))
    return program
