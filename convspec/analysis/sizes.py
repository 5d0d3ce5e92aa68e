"""Symbolic sizes: which a network's inputs have, values that a user gives them, and the network with these fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from convspec.diagnostics import error, fail
from convspec.ir.dims import minima
from convspec.ir.graph import Graph
from convspec.ir.types import TensorType

if TYPE_CHECKING:
    from convspec.elaborate import Module, Opened


def sizes_in(types: Iterable[TensorType]) -> dict[str, int]:
    """Every symbolic size of these types, in order, and its least value."""
    return {name: least for each in types for size in each.shape for name, least in minima(size).items()}


def symbolic_sizes(graph: Graph) -> dict[str, int]:
    """Every symbolic size of the inputs, in order, and its least value."""
    return sizes_in(item.value.type for item in graph.inputs)


def check_sizes(given: Mapping[str, int], known: Mapping[str, int]) -> None:
    """Failure CNN401 for a name that is not `known`, and for a value below the least."""
    for name, value in given.items():
        if name not in known:
            hint = f"the inputs have {', '.join(known)}" if known else "all sizes of the network are plain numbers"
            raise fail(error("CNN401", f"there is no symbolic size `{name}`", hint=hint))
        if value < known[name]:
            raise fail(error("CNN401", f"`{name}` is at least {known[name]:,} and cannot be {value:,}"))


def fixed_module(file: Opened, model: str | None, settings: Mapping[str, Any], sizes: Mapping[str, int]) -> Module:
    """A model of the file whose inputs have these sizes, and no others.

    It is elaborated for all sizes first, so that its budgets are asserted at the sizes that they name, and a mistake at other
    sizes is found as ever. Failure CNN401 for a size that it does not have; those of elaboration.
    """
    from convspec.analysis.budgets import check_asserts

    module = file.module(model, settings)
    if not sizes:
        return module
    check_sizes(sizes, symbolic_sizes(module.graph))
    check_asserts(module)
    made = file.module(model, settings, sizes)
    made.asserts = ()
    return made


__all__ = ["check_sizes", "fixed_module", "sizes_in", "symbolic_sizes"]
