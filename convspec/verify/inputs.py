"""Seeded data for every input: floats standard normal, indices in range, masks that hide some and never all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from zlib import crc32

import numpy as np

from convspec.ir import dims
from convspec.ir.graph import Graph, GraphInput, Node, Value
from convspec.ir.types import FLOATS, INTEGERS, Array
from convspec.verify.graphs import Mask
from convspec.weights.dtypes import numpy_dtype

SMALL = 8
"""Integers are drawn below this where nothing says what they stand for."""
_PRESENT, _EDGE = 0.7, 0.4
"""How likely a mask keeps an element, and two nodes of a graph are joined."""
_NUMBERS = ("add", "sub", "mul", "div", "pow", "neg")


def draw(graph: Graph, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Array]:
    """An array for every input of `graph` at these sizes, in its declared dtype; the same for the same seed and name.

    Floats are standard normal. What an input stands for is read off the ops that take it: the rows of an `embedding`, an
    `adjacency` (0 and 1, symmetric, no loops).
    """
    return {item.value.name: _array(graph, item, sizes, _generator(seed, item.value.name)) for item in graph.inputs}


def draw_masks(masks: Sequence[Mask], sizes: Mapping[str, int], seed: int = 0) -> dict[str, Array]:
    """The masks of dropout, 1 / keep or 0, drawn once for all targets."""
    found = {}
    for mask in masks:
        shape = [dims.evaluate(size, sizes) for size in mask.value.type.shape]
        kept = _generator(seed, mask.value.name).random(shape) < mask.keep
        found[mask.value.name] = (kept / mask.keep).astype(np.float64)
    return found


def projection(name: str, shape: Sequence[int]) -> Array:
    """What an output is multiplied with to make the loss: fixed random numbers, so that no gradient vanishes by symmetry.

    They are scaled by the root of their number, so that a loss does not grow with the size of an output.
    """
    numbers = _generator(0, name).standard_normal(tuple(shape))
    return np.asarray(numbers / np.sqrt(max(1, numbers.size)))


def nudged(arrays: Mapping[str, Array], relative: float, seed: int) -> dict[str, Array]:
    """Floats in float64, every element changed by `relative` of itself up or down; the others as they are."""
    found = {}
    for name, array in arrays.items():
        if array.dtype.name not in FLOATS:
            found[name] = array
            continue
        signs = _generator(seed, name).choice((-1.0, 1.0), array.shape)
        found[name] = np.asarray(array.astype(np.float64) * (1 + relative * signs))
    return found


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng((seed, crc32(name.encode())))


def _array(graph: Graph, item: GraphInput, sizes: Mapping[str, int], generator: np.random.Generator) -> Array:
    shape = tuple(dims.evaluate(size, sizes) for size in item.value.type.shape)
    dtype = item.value.type.dtype
    roles = {role for _, role in readers(graph, item.value)}
    if "adjacency" in roles and len(shape) >= 2 and shape[-1] == shape[-2]:
        return _adjacency(shape, generator).astype(numpy_dtype(dtype))
    if dtype == "bool":
        return _mask(shape, generator)
    if dtype in INTEGERS:
        return generator.integers(0, _limit(graph, item), shape).astype(numpy_dtype(dtype))
    return generator.standard_normal(shape).astype(numpy_dtype(dtype))


def _adjacency(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    upper = np.triu(generator.random(shape) < _EDGE, k=1)
    return np.asarray(upper | np.swapaxes(upper, -1, -2))


def _mask(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """True at most places; where a row has room for both, at least one True and one False in it."""
    mask = generator.random(shape) < _PRESENT
    if shape and shape[-1] > 1:
        rows = mask.reshape(-1, shape[-1])
        first = generator.integers(0, shape[-1], len(rows))
        rows[np.arange(len(rows)), first] = True
        rows[np.arange(len(rows)), (first + 1) % shape[-1]] = False
        return rows.reshape(shape)
    return np.ones(shape, np.bool_)


def _limit(graph: Graph, item: GraphInput) -> int:
    """One more than the largest value that an integer input takes."""
    rows = [node.params["weight"].shape[0] for node, _ in readers(graph, item.value) if node.op.name == "embedding"]
    if rows:
        return min([*rows, 256] if item.value.type.dtype == "uint8" else rows)
    return 256 if item.value.type.dtype == "uint8" else SMALL


def readers(graph: Graph, value: Value) -> Iterator[tuple[Node, str]]:
    """The nodes that take `value` and the name of the input there, also behind layers that only move integers or bools."""
    behind = {value}
    for node in graph.nodes:
        names = _input_names(node)
        for index, read in enumerate(node.inputs):
            if read in behind:
                yield node, names[index] if index < len(names) else names[-1]
        if behind.intersection(node.inputs) and _only_moves(node):
            behind.update(node.outputs)


def _input_names(node: Node) -> Sequence[str]:
    present: tuple[str, ...] = getattr(node.attrs, "given", ())
    return present or [name.strip("*?") for name in node.op.inputs] or ["anchor"]


def _only_moves(node: Node) -> bool:
    same = node.inputs[0].type.dtype
    kept = all(value.type.dtype == same for value in node.outputs)
    return same not in FLOATS and kept and not node.params and node.op.name not in _NUMBERS


__all__ = ["draw", "draw_masks", "nudged", "projection", "readers"]
