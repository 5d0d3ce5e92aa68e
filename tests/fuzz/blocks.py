"""Blocks as the generator knows them: how arguments are drawn, and what a block gives for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.layers import Scope
from tests.fuzz.terms import Draw, Env, Invalid, Term, tensor


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a block: how an argument is drawn, what it is by default, what stands for it while drawing the body."""

    name: str
    declared: str
    argument: Callable[[Scope], Term]
    default: Term | None
    sample: Any


@dataclass(frozen=True, slots=True)
class Block:
    """A block, or a model used as one. `run` gives the value that it returns."""

    name: str
    tensors: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    run: Callable[[Env], Any]
    results: int = 1


@dataclass(slots=True)
class File:
    """What a whole file shares: its constants, its blocks so far, its functions."""

    draw: Draw
    constants: Env = field(default_factory=dict)
    functions: dict[str, Callable[[int], int]] = field(default_factory=dict)
    on_tensors: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    """Functions of one tensor."""
    blocks: list[Block] = field(default_factory=list)
    used: dict[str, set[str]] = field(default_factory=dict)
    """Blocks of the standard library that are read from its files, by file."""


@dataclass(slots=True)
class Turns:
    """The loops around a place, by the names of their indices; None: a loop without an index, where no label is unique."""

    indices: tuple[str, ...] | None = ()

    def inside(self, index: str | None) -> Turns:
        return Turns(None if index is None or self.indices is None else (*self.indices, index))

    def label(self, base: str) -> str | None:
        if self.indices is None:
            return None
        return base + "".join(f".{{{index}}}" for index in self.indices)


@dataclass(slots=True)
class Shared:
    """A `layer`: one instance, whose inputs must agree in channels."""

    inner: Callable[[Any], Any]
    seen: dict[str, Any]

    def apply(self, x: Any) -> Any:
        channels, rank = tensor(x).channels, x.rank
        if self.seen.setdefault("shape", (channels, rank)) != (channels, rank):
            raise Invalid("a shared layer on other channels")
        return self.inner(x)


def call_block(file: File, block: Block, tensors: Sequence[Any], given: dict[str, Term], env: Env) -> Any:
    """What a block returns for these arguments."""
    inner: Env = dict(file.constants)
    inner.update(zip(block.tensors, map(tensor, tensors), strict=True))
    for parameter in block.parameters:
        term = given.get(parameter.name)
        if term is not None:
            inner[parameter.name] = term.value(env)
        elif parameter.default is not None:
            inner[parameter.name] = parameter.default.value(inner)
        else:
            raise Invalid("an argument is missing")
    return block.run(inner)
