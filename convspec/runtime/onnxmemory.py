"""How much memory the activations of a compiled `.onnx` file take, from the shapes that it declares or that can be inferred.

The convention is that of `analysis.memory`: each tensor lives from the node that makes it to the last that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from convspec.ir.dims import DimError, Size, evaluate
from convspec.runtime.onnxfile import size_of


def peak_of(path: Path) -> Callable[[Mapping[str, int]], int] | None:
    """The peak in bytes as a function of the symbolic sizes; None where the file does not say what shapes its tensors have.

    The function raises DimError or KeyError where it does not say it for these sizes.
    """
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
        if len(model.graph.value_info) < len(model.graph.node) // 2:
            model = onnx.shape_inference.infer_shapes(model)
    except Exception:  # what the runtime has loaded runs all the same; only the estimate is lost
        return None
    sizes = _sizes(model.graph)
    constants = {tensor.name for tensor in model.graph.initializer}
    nodes = [([name for name in node.input if name not in constants], list(node.output)) for node in model.graph.node]
    inputs = [value.name for value in model.graph.input if value.name not in constants]
    outputs = [value.name for value in model.graph.output]
    return lambda given: _peak(nodes, inputs, outputs, lambda name: _bytes(sizes[name], given))


def _sizes(graph: Any) -> dict[str, tuple[int, tuple[Size, ...]]]:
    """Bytes of an element and declared shape, by tensor."""
    from onnx import helper

    found: dict[str, tuple[int, tuple[Size, ...]]] = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        tensor = value.type.tensor_type
        if tensor.elem_type and tensor.HasField("shape"):
            shape = (size_of(_declared(axis), f"{value.name}.{i}", {}) for i, axis in enumerate(tensor.shape.dim))
            found[value.name] = (helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize, tuple(shape))
    return found


def _declared(axis: Any) -> int | str | None:
    kind = axis.WhichOneof("value")
    return None if kind is None else getattr(axis, kind)


def _bytes(tensor: tuple[int, tuple[Size, ...]], given: Mapping[str, int]) -> int:
    total, shape = tensor
    for size in shape:
        total *= evaluate(size, given)
    return total


def _peak(nodes: list[tuple[list[str], list[str]]], inputs: list[str], outputs: list[str], size: Callable[[str], int]) -> int:
    last = {name: index for index, (read, _) in enumerate(nodes) for name in read}
    last |= dict.fromkeys(outputs, len(nodes))
    alive = {name: size(name) for name in inputs}
    live = peak = sum(alive.values())
    for index, (read, made) in enumerate(nodes):
        for name in made:
            if name:
                alive[name] = size(name)
                live += alive[name]
        peak = max(peak, live)
        for name in {*read, *made}:
            if last.get(name, -1) <= index and name in alive:
                live -= alive.pop(name)
    return peak


__all__ = ["DimError", "peak_of"]
