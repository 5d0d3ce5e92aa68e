"""Gates, and the excuse of values that no arithmetic of a precision can compute to the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite, isinf

from convspec.ir.graph import Graph, Value
from convspec.ir.types import FLOATS, Array
from convspec.verify.compare import EXACT, GATES, largest, pair, scaled_error, worst
from convspec.verify.report import Status

ROUNDING = {"float64": 1e-13, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
"""How far inputs and weights are moved, relative to themselves, to see how well a value is conditioned.

In float64 it is more than a rounding, so that cancellation deep in a network shows.
"""
_COARSE = sorted(FLOATS, key=lambda dtype: GATES[dtype])
_SHARE, _FACTOR = 0.1, 30.0
"""A value is ill-conditioned if it moves by more than this share of its gate; then it may be off by this multiple of that."""

Movement = Callable[[], Mapping[str, float]]
"""By how much each tensor moves (a scaled error) when inputs and weights are moved by one rounding."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The tensor that decides, its error and gate, and what follows."""

    tensor: str | None
    error: float
    gate: float
    status: Status
    note: str = ""


def judge(
    found: Mapping[str, Array],
    expected: Mapping[str, Array],
    gate: Callable[[str], float],
    movement: Movement,
    layer: Callable[[str], Iterable[str]] | None = None,
) -> Judgement:
    """Every tensor against its gate.

    A tensor above its gate is excused, and the excuse is told, only if the reference itself moves that far when inputs and
    weights are moved by one rounding: a difference of nearly equal tensors.

    `layer`, for gradients: the names of all of a layer's. A gradient that is 0 but for rounding on both sides (the bias of a
    convolution before a batch norm, which takes any constant away) has no scale of its own; it is compared on its layer's.
    """
    errors = worst(found, expected)
    if not errors:
        return Judgement(None, 0.0, 0.0, "pass")
    over = [name for name, error in errors.items() if not error <= gate(name)]
    zeros = {name: error for name in over if layer and (error := _as_zero(found, expected, layer(name), name, gate(name)))}
    errors |= zeros
    ranked = sorted(errors, key=lambda name: (_ratio(errors[name], gate(name)), gate(name)), reverse=True)
    over = [name for name in ranked if not errors[name] <= gate(name)]
    moved = movement() if over else {}
    unexcused = [name for name in over if not _excused(errors[name], gate(name), moved.get(name, 0.0))]
    if unexcused:
        return Judgement(unexcused[0], errors[unexcused[0]], gate(unexcused[0]), "fail")
    notes = (
        [f"0 but for rounding, and so compared on the scale of their layers' gradients: {_some(list(zeros))}"] if zeros else []
    )
    if over:
        rest = next((f"; the worst other is {name} with {errors[name]:.1e}" for name in ranked if name not in over), "")
        notes.insert(0, _excuse(over, errors, moved) + rest)
    return Judgement(ranked[0], errors[ranked[0]], gate(ranked[0]), "excused" if over else "pass", "; ".join(notes))


def _as_zero(
    found: Mapping[str, Array], expected: Mapping[str, Array], layer: Iterable[str], name: str, gate: float
) -> float | None:
    """The error on the scale of the layer's largest gradient, where both are zero on that scale; None where they are not."""
    pairs = {other: pair(found, expected, other) for other in layer if other in found or other in expected}
    scale = max(largest(array) for both in pairs.values() for array in both)
    one, other = pairs[name]
    if not isfinite(scaled_error(one, other)) or not scale > 0 or not max(largest(one), largest(other)) <= gate * scale:
        return None
    return scaled_error(one, other) * (largest(other) or 1.0) / scale


def _ratio(error: float, gate: float) -> float:
    return error / gate if gate else float("inf") if error else 0.0


def _excused(error: float, gate: float, moved: float) -> bool:
    return isfinite(error) and (isinf(moved) or (moved > _SHARE * gate > 0 and error <= _FACTOR * moved))


def _excuse(over: list[str], errors: Mapping[str, float], moved: Mapping[str, float]) -> str:
    told = _some([f"{name} (error {errors[name]:.1e}, moves by {moved[name]:.1e})" for name in over])
    return f"excused as ill-conditioned, since one rounding of inputs and weights moves them as far: {told}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def coarsest(graph: Graph) -> dict[Value, str]:
    """For every value the coarsest float that it was computed through; its own dtype where no float took part."""
    found: dict[Value, str] = {item.value: item.value.type.dtype for item in graph.inputs}
    for node in graph.nodes:
        sources = [found[value] for value in node.inputs] + [parameter.dtype for parameter in node.params.values()]
        for value in node.outputs:
            floats = [dtype for dtype in (*sources, value.type.dtype) if dtype in FLOATS]
            found[value] = max(floats, key=_COARSE.index) if floats else value.type.dtype
    return found


def gates_of(graph: Graph) -> dict[Value, float]:
    """The gate of every value: integers and bools exact, floats by the coarsest float before them."""
    through = coarsest(graph)
    return {value: GATES[dtype] if value.type.dtype in FLOATS else EXACT for value, dtype in through.items()}


__all__ = ["ROUNDING", "Judgement", "Movement", "coarsest", "gates_of", "judge"]
