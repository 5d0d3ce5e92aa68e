"""Plain numbers for sizes left open, at which colours are compared: a picture of its usual size, one at a time."""

from __future__ import annotations

from collections.abc import Mapping

from convspec.analysis.receptive_field import index_rows
from convspec.ir.dims import Size, evaluate, symbols
from convspec.ir.graph import Graph, GraphInput

_USUAL = 224


def choose_basis(graph: Graph, known: Mapping[str, int], given: Mapping[str, int]) -> dict[str, int]:
    """A value for every symbolic size: the one given, else the least at which its axis has the usual extent.

    `known` has the least value of each. The usual extent is that of the declared picture, else 224; a batch is the least. A row
    of indices, such as words, is as long as it has places.
    """
    basis = {name: given.get(name, least) for name, least in known.items()}
    taken = set(given)
    rows = set(index_rows(graph))
    for graph_input in graph.inputs:
        shape = graph_input.value.type.shape
        for axis, size in enumerate(shape[1:] if graph_input.value in rows else shape[2:]):
            names = symbols(size) - taken
            if len(names) == 1:
                (name,) = names
                basis[name] = _least(size, name, basis, _extent(graph_input, axis))
                taken.add(name)
    return basis


def _extent(graph_input: GraphInput, axis: int) -> int:
    picture = graph_input.picture
    if picture is not None and picture.size is not None and axis < len(picture.size):
        return picture.size[axis]
    return _USUAL


def _least(size: Size, name: str, basis: Mapping[str, int], extent: int) -> int:
    """The least value of `name` at which `size` reaches the extent."""
    value = basis[name]
    while value < extent and evaluate(size, {**basis, name: value}) < extent:
        value += 1
    return value
