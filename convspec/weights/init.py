"""Initial weights: what each initialiser draws, and every tensor of a graph drawn by its own key.

A tensor's numbers depend on the seed, its name (label and role) and its shape, and on nothing else, so that an edit of the
spec reshuffles no other tensor, and every target gets the same ones. They are drawn in float32 and then brought to the
parameter's dtype.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import prod, sqrt

import numpy as np

from convspec.diagnostics import error, fail
from convspec.ir.graph import Graph, Parameter
from convspec.ir.init import Init
from convspec.ir.types import Array
from convspec.records import dataclass
from convspec.weights import draw
from convspec.weights.check import Stored
from convspec.weights.dtypes import numpy_dtype
from convspec.weights.streaming import LazyWeights, Piece, little_endian, run_all

VERSION = 1
"""Part of every key. Raised when the same seed would give other numbers."""


def initial_weights(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Every parameter of `graph` by name, in the order of `Graph.parameters()`, freshly initialised.

    Failure CNN202 at the layer where an initialiser cannot be (a fan of 0, a bound that is not finite).
    """
    parameters = graph.parameters().values()
    return fill_all((parameter, parameter.init) for parameter in parameters)(seed)


def fill_all(wanted: Iterable[tuple[Parameter, Init]]) -> Callable[[int], dict[str, Array]]:
    """For pairs of a parameter and an initialiser: a function from the seed to the tensors by name."""
    plans = [_Plan.of(parameter, init) for parameter, init in wanted]
    return lambda seed: DrawnWeights(plans, seed).materialised()


def drawn_weights(graph: Graph, seed: int = 0) -> DrawnWeights:
    """The same tensors as `initial_weights`, each drawn when it is asked for. Failure CNN202 at once."""
    return drawn_parameters(graph.parameters().values(), seed)


def drawn_parameters(parameters: Iterable[Parameter], seed: int) -> DrawnWeights:
    """The same for some parameters of a graph."""
    return DrawnWeights([_Plan.of(parameter, parameter.init) for parameter in parameters], seed)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a parameter is filled."""

    parameter: Parameter
    filler: Filler
    zero_row: int | None

    @classmethod
    def of(cls, parameter: Parameter, init: Init) -> _Plan:
        return cls(parameter, _draw(init, parameter), init.zero_row)

    def blocks(self) -> range:
        """Where the blocks begin that are drawn from a stream of their own."""
        return range(0, self.parameter.size, draw.BLOCK)

    def fill(self, seed: int, start: int, flat: Array) -> None:
        """Fill one block, which begins at element `start`, in float32."""
        if isinstance(self.filler, float):
            flat.fill(self.filler)
        else:
            key = tensor_key(seed, self.parameter.name, self.parameter.shape)
            draw.fill(self.filler, key, start // draw.BLOCK, flat)
        if self.zero_row is not None:
            rows, *rest = self.parameter.shape
            row, width = self.zero_row % rows, prod(rest)
            flat[max(row * width - start, 0) : max((row + 1) * width - start, 0)] = 0


class DrawnWeights(LazyWeights):
    """Initial weights, drawn when they are asked for: whole, or block by block on the way into a file."""

    def __init__(self, plans: Iterable[_Plan], seed: int) -> None:
        self._plans = {plan.parameter.name: plan for plan in plans}
        self._seed = seed

    def __iter__(self) -> Iterator[str]:
        return iter(self._plans)

    def __len__(self) -> int:
        return len(self._plans)

    def __getitem__(self, name: str) -> Array:
        return self._filled([self._plans[name]])[name]

    def stored(self, name: str) -> Stored:
        parameter = self._plans[name].parameter
        return Stored(parameter.dtype, parameter.shape)

    def pieces(self, name: str) -> Sequence[Piece]:
        plan = self._plans[name]
        size, width = plan.parameter.size, numpy_dtype(plan.parameter.dtype).itemsize
        lengths = [(start, min(draw.BLOCK, size - start)) for start in plan.blocks()]
        return [Piece(length * width, partial(self._block, plan, start, length)) for start, length in lengths]

    def _block(self, plan: _Plan, start: int, length: int) -> memoryview:
        flat = np.empty(length, np.float32)
        plan.fill(self._seed, start, flat)
        return little_endian(flat.astype(numpy_dtype(plan.parameter.dtype), copy=False))

    def materialised(self) -> dict[str, Array]:
        return self._filled(self._plans.values())

    def _filled(self, plans: Iterable[_Plan]) -> dict[str, Array]:
        """Tensors by name. Drawing and arithmetic run outside the interpreter lock, on several threads."""
        tensors = {plan.parameter.name: np.empty(plan.parameter.shape, np.float32) for plan in plans}
        run_all(
            partial(plan.fill, self._seed, start, flat[start : start + draw.BLOCK])
            for plan in plans
            for flat in [tensors[plan.parameter.name].reshape(-1)]
            for start in plan.blocks()
        )
        return {p.parameter.name: tensors[p.parameter.name].astype(numpy_dtype(p.parameter.dtype), copy=False) for p in plans}


def tensor_key(seed: int, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The eight 32-bit words that a tensor's numbers are drawn from: SHA-256 of version, seed, name and shape."""
    text = json.dumps(["convspec weights", VERSION, int(seed), name, [int(extent) for extent in shape]])
    digest = hashlib.sha256(text.encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4))


Filler = draw.Draw | float


def _draw(init: Init, parameter: Parameter) -> Filler:
    """How `init` fills one block of `parameter`.

    Kaiming: He et al. 2015, "Delving deep into rectifiers", section 2.2: std = gain / sqrt(fan_in).
    Xavier: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", equation 16:
    std = gain * sqrt(2 / (fan_in + fan_out)). A uniform draw has the same std as the normal one: its bound is sqrt(3) * std.
    """
    match init.name:
        case "zeros":
            return 0.0
        case "ones":
            return 1.0
        case "constant":
            return float(init.value)
        case "uniform":
            return draw.uniform(_checked(init.value, "bound", parameter))
        case "normal":
            return draw.normal(_checked(init.value, "standard deviation", parameter))
        case "truncated_normal":
            return draw.truncated_normal(_checked(init.value, "standard deviation", parameter))
        case "kaiming_uniform" | "kaiming_normal":
            std = init.gain / sqrt(_fan(init.fan_in, parameter))
        case "xavier_uniform" | "xavier_normal":
            std = init.gain * sqrt(2 / _fan(init.fan_in + init.fan_out, parameter))
    return draw.uniform(sqrt(3) * std) if init.name.endswith("_uniform") else draw.normal(std)


def _fan(fan: int, parameter: Parameter) -> int:
    if fan < 1:
        message = f"the initialiser {parameter.init.name} needs the fan of `{parameter.name}`, which has none"
        raise fail(error("CNN202", message, parameter.span))
    return fan


def _checked(value: float, what: str, parameter: Parameter) -> float:
    if not 0 <= value < float("inf"):
        message = f"the initialiser {parameter.init.name} of `{parameter.name}` needs a {what} of 0 or more, not {value}"
        raise fail(error("CNN202", message, parameter.span))
    return value
