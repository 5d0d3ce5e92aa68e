"""The text of the generated file: the readable form where it is proven, the straight-line form otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from convspec.elaborate.module import Module
from convspec.targets.pytorch.lowered import lower_graph
from convspec.targets.pytorch.page import class_name
from convspec.targets.pytorch.readable.file import print_readable
from convspec.targets.pytorch.readable.values import Unsayable
from convspec.targets.pytorch.straight import print_straight
from convspec.targets.pytorch.validate import differences


@dataclass(frozen=True, slots=True)
class Source:
    """A generated file. `notes` say what could not be printed as the spec has it."""

    text: str
    class_name: str
    notes: tuple[str, ...] = ()


class WrongSource(AssertionError):
    """Generated source that does not say what the graph says: a bug of a printer, found before the file was handed out."""


def generate(module: Module, stem: str, straight: bool = False) -> Source:
    """The source of `module`, proven against its graph. Failure CNN090, CNN091 where PyTorch cannot say it."""
    trees = lower_graph(module.graph)
    name = class_name(module)
    notes: tuple[str, ...] = ()
    if not straight:
        try:
            text, notes = print_readable(module, trees, stem)
        except (Unsayable, RecursionError) as problem:
            notes = (f"the network is written out layer by layer: {problem}",)
        else:
            found = differences(text, name, module.graph, trees)
            if not found:
                return Source(text, name, notes)
            notes = (f"the network is written out layer by layer: {found[0].what}",)
    text = print_straight(module, stem)
    found = differences(text, name, module.graph, trees)
    if found:
        raise WrongSource("; ".join(mismatch.what for mismatch in found))
    return Source(text, name, notes)
