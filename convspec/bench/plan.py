"""What is to be measured: where a network comes from, and the ways to run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

from convspec.diagnostics import error, fail
from convspec.limits import DEFAULT, Limits
from convspec.runtime.base import RUNTIMES, RunOptions
from convspec.runtime.devices import parse_device

PRECISIONS = ("fp32", "fp16", "bf16", "int8")
LEVELS = (0, 1, 2)
LAYOUTS = ("channels_first", "channels_last")

WeightsKind: TypeAlias = Literal["given", "initial", "drawn"]


@dataclass(frozen=True, slots=True)
class Source:
    """A network to measure: a spec, `zoo:NAME`, or a compiled `.onnx`, and what `convspec.load` takes besides.

    `kind` of its weights: those of `weights` ("given"), what `compile` writes without any ("initial"), or "drawn" so that every
    layer matters, without which a comparison of outputs would show little (fresh batch norms do nothing).
    """

    path: str
    model: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    weights: str | None = None
    seed: int = 0
    root: str | None = None
    limits: Limits = DEFAULT
    allow_missing: tuple[str, ...] = ()
    kind: WeightsKind = "drawn"

    @property
    def compiled(self) -> bool:
        """Whether it is an ONNX model, not a spec."""
        return self.path.lower().endswith(".onnx")

    @property
    def title(self) -> str:
        """Short, for tables: the model chosen, the name in the zoo, or the file's name."""
        return self.model or (self.path.removeprefix("zoo:") if self.path.startswith("zoo:") else Path(self.path).name)


@dataclass(frozen=True, slots=True)
class Subject:
    """One way to run a network. `switches` are further options of the runtime that are on: `compile`, `cuda_graph`."""

    source: Source
    runtime: str
    device: str = "auto"
    precision: str = "fp32"
    level: int | None = 1
    """The level of optimisation; None for a compiled model, which is as it is."""
    tf32: bool = False
    threads: int | None = None
    switches: tuple[str, ...] = ()
    against: bool = False
    """Whether it is the file that was given with `--against`."""
    maker: str = ""
    """"package.module:name" of a function that opens it instead of the runtime, and is called with the subject and the network;
    for scripts that compare with other ways to run it. `title` is what such a subject is called."""
    title: str = ""

    @property
    def name(self) -> str:
        """What tells it from the others of its network: `onnxruntime fp32 O1`, `pytorch:compile bf16 O0`."""
        if self.title:
            return self.title
        if self.against:
            return f"{self.source.title} ({self.runtime})"
        level = "" if self.level is None else f" O{self.level}"
        return f"{self.spelled} {self.arithmetic}{level}"

    @property
    def spelled(self) -> str:
        """The runtime with its switches, as `--runtime` takes it."""
        return self.runtime + (":" + "+".join(self.switches) if self.switches else "")

    @property
    def arithmetic(self) -> str:
        """The precision that bounds it: `tf32` where that was allowed."""
        return "tf32" if self.tf32 and self.precision == "fp32" else self.precision


def subjects(
    source: Source,
    runtimes: Sequence[str],
    device: str = "auto",
    precisions: Sequence[str] = ("fp32",),
    levels: Sequence[int] = (1,),
    tf32: bool = False,
    threads: int | None = None,
) -> list[Subject]:
    """Every way that was asked for, in order. Failure CNN305 or CNN401 for what there is not."""
    parse_device(device)
    for precision in precisions:
        if precision not in PRECISIONS:
            hint = f"the precisions are {', '.join(PRECISIONS)}"
            raise fail(error("CNN305", f"there is no precision `{precision}`", hint=hint))
    for level in levels:
        if level not in LEVELS:
            raise fail(error("CNN401", f"there is no optimisation level {level}", hint="the levels are 0, 1 and 2"))
    found: list[Subject] = []
    for text in runtimes:
        name, switches = parse_runtime(text)
        for precision in precisions:
            found += [
                Subject(source, name, device, precision, level, tf32, threads, switches)
                for level in _levels(source, name, precision, levels)
            ]
    return list(dict.fromkeys(found))


def parse_runtime(text: str) -> tuple[str, tuple[str, ...]]:
    """`pytorch:compile+cuda_graph` as the runtime and its switches. Failure CNN305 for what is none."""
    name, _, rest = text.partition(":")
    if name not in RUNTIMES:
        raise fail(error("CNN305", f"there is no runtime `{name}`", hint=f"the runtimes are {', '.join(RUNTIMES)}"))
    switches = tuple(dict.fromkeys(part for part in rest.split("+") if part))
    unknown = [switch for switch in switches if switch not in known_switches()]
    if unknown:
        known = ", ".join(known_switches()) or "none"
        raise fail(error("CNN305", f"there is no switch `{unknown[0]}` of a runtime", hint=f"the switches are {known}"))
    return name, switches


def known_switches() -> list[str]:
    """The options of runtimes that are on or off, TF32 apart, which has an option of its own; and the layouts."""
    return [*(each.name for each in fields(RunOptions) if each.type in ("bool", bool) and each.name != "tf32"), *LAYOUTS]


def switched(switches: Sequence[str]) -> dict[str, Any]:
    """The fields of RunOptions that switches stand for."""
    found: dict[str, Any] = {}
    for name in switches:
        found |= {"layout": name} if name in LAYOUTS else {name: True}
    return found


def _levels(source: Source, runtime: str, precision: str, levels: Sequence[int]) -> Sequence[int | None]:
    """A compiled model is as it is, the reference runs what the spec says, and a low precision needs level 1."""
    if source.compiled:
        return (None,)
    if runtime == "reference":
        return (0,)
    return levels if precision == "fp32" else [max(1, level) for level in levels]


__all__ = ["LEVELS", "PRECISIONS", "Source", "Subject", "known_switches", "parse_runtime", "subjects", "switched"]
