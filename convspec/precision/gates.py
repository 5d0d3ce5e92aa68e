"""How far a network in low precision may be from its float64 reference: measured for this network, not guessed for all.

A float16 number has 11 binary digits. What that costs at the output of a network depends on its depth and on how it is
conditioned. So the lowered network is run here with exact arithmetic, every tensor rounded to the type that it is declared to
have: the least that any runtime must lose. A runtime is allowed `FACTOR` times as much, since it may round inside a layer too,
and in another order; a sum in float16 instead of float32, a cast in the wrong place or a wrong layer lose far more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convspec.ir.graph import Graph, Node, Value
from convspec.ir.types import FLOATS, Array

FACTOR = 4.0


@dataclass(frozen=True, slots=True)
class Simulation:
    """The outputs by name in float64 after all roundings, and the layers that made something infinite of finite numbers."""

    outputs: dict[str, Array]
    overflown: tuple[str, ...]


def simulate(graph: Graph, weights: Mapping[str, Array], arrays: Mapping[str, Array]) -> Simulation:
    """Run a graph of mixed precision: each layer exactly, its results rounded to their types. Integers as they are."""
    import numpy as np

    from convspec.weights.dtypes import numpy_dtype

    live: dict[Value, Array] = {}
    overflown: list[str] = []
    last = _last_uses(graph)

    def keep(value: Value, array: Array) -> None:
        live[value] = _rounded(array, numpy_dtype(value.type.dtype)) if value.type.dtype in FLOATS else array

    for item in graph.inputs:
        keep(item.value, np.asarray(arrays[item.value.name]))
    for node in graph.nodes:
        read = [live[value] for value in node.inputs]
        params = {role: _wide(weights[p.name], p.dtype) for role, p in node.params.items()}
        with np.errstate(all="ignore"):
            results = node.op.evaluate(node.attrs, params, *read)
            for value, array in zip(node.outputs, results if isinstance(results, tuple | list) else (results,), strict=True):
                keep(value, array)
        if all(_finite(array) for array in read) and not all(_finite(live[value]) for value in node.outputs):
            overflown.append(node.path or node.op.name)
        for value in last.get(node, ()):
            del live[value]
    return Simulation({output.name: live[output.value] for output in graph.outputs}, tuple(overflown))


def gates(
    simulated: Simulation, expected: Mapping[str, Array], base: Mapping[str, float], factor: float = FACTOR
) -> dict[str, float]:
    """The gate of each output: `base`, or `factor` times what exact arithmetic loses to rounding, if that is more.

    `expected` is what the float64 reference makes of the float32 network; `base` are its own gates, by output.
    """
    from convspec.verify.compare import scaled_error

    return {name: max(base[name], factor * scaled_error(simulated.outputs[name], expected[name])) for name in expected}


def _rounded(array: Array, dtype: object) -> Array:
    import numpy as np

    with np.errstate(all="ignore"):
        rounded: Array = array.astype(dtype).astype(np.float64)  # type: ignore[call-overload]
    return rounded


def _wide(array: Array, dtype: str) -> Array:
    return array.astype("float64") if dtype in FLOATS else array


def _finite(array: Array) -> bool:
    import numpy as np

    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _last_uses(graph: Graph) -> dict[Node, list[Value]]:
    """The values that are not needed after each node."""
    needed = {output.value for output in graph.outputs}
    found: dict[Node, list[Value]] = {}
    for node in reversed(graph.nodes):
        found[node] = [value for value in dict.fromkeys((*node.inputs, *node.outputs)) if value not in needed]
        needed.update(found[node])
    return found


__all__ = ["FACTOR", "Simulation", "gates", "simulate"]
