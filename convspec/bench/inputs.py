"""The sizes that a network is measured at, and the data that goes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from convspec.analysis.sizes import sizes_in
from convspec.diagnostics import Failure, error, fail
from convspec.ir import dims
from convspec.ir.dims import Size
from convspec.ir.graph import Graph
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.runtime.signature import Signature, TensorSpec
from convspec.runtime.sizes import solve_sizes
from convspec.verify.inputs import draw
from convspec.weights.dtypes import numpy_dtype


@dataclass(frozen=True, slots=True)
class Interface:
    """What goes into a network. `graph` is None for a compiled model; `usual` are sizes that the zoo states its cost at."""

    signature: Signature
    graph: Graph | None = None
    usual: Mapping[str, int] = field(default_factory=dict)

    @property
    def dtypes(self) -> set[str]:
        """Every dtype that the network declares, as far as is known."""
        found = {spec.type.dtype for spec in (*self.signature.inputs, *self.signature.outputs)}
        nodes = self.graph.nodes if self.graph is not None else []
        return found | {value.type.dtype for node in nodes for value in node.outputs}


def choose_sizes(
    signature: Signature, batch: int, given: Mapping[str, int], usual: Mapping[str, int] | None = None
) -> dict[str, int]:
    """A value for every symbolic size: the batch from `batch`, others as `given`, else so that pictures have their size, else
    as is `usual`.

    Failure CNN401 where one is left open, where `given` names the batch, or where a size is below its bound, or where
    the declared shape cannot have this batch.
    """
    found = _batch(signature, batch)
    for name in found:
        if name in given:
            raise fail(error("CNN401", f"`{name}` is the batch, which --sizes cannot set", hint=f"--batch {given[name]}"))
    least = sizes_in(spec.type for spec in signature.inputs)
    for name, value in given.items():
        if name in least and value < least[name]:
            raise fail(error("CNN401", f"`{name}` is at least {least[name]:,} and cannot be {value:,}"))
    found |= {name: value for name, value in given.items() if name in least}
    for spec in signature.inputs:
        found |= _picture(spec, found)
    found |= {name: value for name, value in (usual or {}).items() if name in least and name not in found}
    missing = [name for name in least if name not in found]
    if missing:
        example = ",".join(f"{name}={max(1, least[name])}" for name in missing)
        message = f"{signature.name} is measured at sizes, and nothing says what {' and '.join(missing)} are"
        raise fail(error("CNN401", message, hint=f"give them values: --sizes {example} are the smallest"))
    return found


def size_names(signature: Signature) -> list[str]:
    """The symbolic sizes of the inputs."""
    return list(sizes_in(spec.type for spec in signature.inputs))


def draw_arrays(interface: Interface, sizes: Mapping[str, int], seed: int) -> dict[str, Array]:
    """Data for every input, the same for the same seed and name: floats standard normal, indices in range."""
    if interface.graph is not None:
        return draw(interface.graph, sizes, seed)
    return {spec.name: _array(spec, sizes, seed) for spec in interface.signature.inputs}


def shapes_text(signature: Signature, sizes: Mapping[str, int]) -> str:
    """`image [8, 3, 224, 224]`, for each input."""
    shapes = ((spec.name, [dims.evaluate(size, sizes) for size in spec.type.shape]) for spec in signature.inputs)
    return ", ".join(f"{name} [{', '.join(map(str, shape))}]" for name, shape in shapes)


def _batch(signature: Signature, batch: int) -> dict[str, int]:
    """The size that stands for the batch, so that every input's first axis is `batch` long."""
    found: dict[str, int] = {}
    for spec in signature.inputs:
        if not spec.type.shape:
            continue
        axis = spec.type.shape[0]
        if isinstance(axis, int) and axis != batch:
            message = f"the input `{spec.name}` of {signature.name} is {spec.type}: its batch is {axis}, and cannot be {batch}"
            raise fail(error("CNN401", message, spec.span, hint=f"--batch {axis}"))
        if not isinstance(axis, int):
            found |= _solved(spec, axis, batch)
    return found


def _picture(spec: TensorSpec, known: Mapping[str, int]) -> dict[str, int]:
    """The sizes at which the input is what `picture(size = …)` says."""
    if spec.picture is None or spec.picture.size is None or spec.type.rank != 4:
        return {}
    found: dict[str, int] = {}
    for axis, wanted in zip(spec.type.shape[2:], spec.picture.size, strict=True):
        if not isinstance(axis, int) and dims.symbols(axis) - known.keys():
            found |= _solved(spec, axis, wanted)
    return found


def _solved(spec: TensorSpec, axis: Size, wanted: int) -> dict[str, int]:
    """The names in one axis, so that it is as `wanted`. Failure CNN401 where it cannot be."""
    alone = TensorSpec(spec.name, TensorType(spec.type.dtype, (axis,)), span=spec.span)
    try:
        return solve_sizes([alone], {spec.name: (wanted,)})
    except Failure as failure:
        notes = tuple(note.partition(": ")[2] for diagnostic in failure.diagnostics for note in diagnostic.notes)
        message = f"an axis of the input `{spec.name}`, which is {spec.type}, cannot be {wanted}"
        raise fail(error("CNN401", message, spec.span, notes=notes)) from None


def _array(spec: TensorSpec, sizes: Mapping[str, int], seed: int) -> Array:
    """Data for an input of a compiled model, of which the types and the ranges of indices are known."""
    generator = np.random.default_rng((seed, crc32(spec.name.encode())))
    shape = tuple(dims.evaluate(size, sizes) for size in spec.type.shape)
    dtype = spec.type.dtype
    if dtype in FLOATS:
        return generator.standard_normal(shape).astype(numpy_dtype(dtype))
    if dtype == "bool":
        return generator.random(shape) < 0.7
    below = min([found.below for found in spec.indices] or [256 if dtype == "uint8" else 8])
    return generator.integers(0, below, shape).astype(numpy_dtype(dtype))


__all__ = ["Interface", "choose_sizes", "draw_arrays", "shapes_text", "size_names"]
