"""Initial weights: what each initialiser draws, and every tensor of a graph drawn by its own key.

A tensor's numbers depend on the seed, its name (label and role) and its shape, and on nothing else, so that an edit of the
spec reshuffles no other tensor, and every target gets the same ones. They are drawn in float32 and then brought to the
parameter's dtype.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import sqrt

import numpy as np

from convspec.diagnostics import error, fail
from convspec.ir.graph import Graph, Parameter
from convspec.ir.init import Init
from convspec.ir.types import Array
from convspec.weights import draw
from convspec.weights.dtypes import numpy_dtype

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
    pairs = list(wanted)
    draws = [(parameter, _draw(init, parameter)) for parameter, init in pairs]
    zero_rows = [(parameter, init.zero_row) for parameter, init in pairs if init.zero_row is not None]

    def fill(seed: int) -> dict[str, Array]:
        tensors = {parameter.name: np.empty(parameter.shape, np.float32) for parameter, _ in draws}
        blocks = [
            (filler, tensor_key(seed, parameter.name, parameter.shape), start, tensors[parameter.name].reshape(-1))
            for parameter, filler in draws
            for start in range(0, parameter.size, draw.BLOCK)
        ]
        with ThreadPoolExecutor(_threads()) as pool:  # drawing and arithmetic run outside the interpreter lock
            list(pool.map(_fill_block, blocks))
        for parameter, row in zero_rows:
            tensors[parameter.name][row] = 0
        return {p.name: tensors[p.name].astype(numpy_dtype(p.dtype), copy=False) for p, _ in draws}

    return fill


def tensor_key(seed: int, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The eight 32-bit words that a tensor's numbers are drawn from: SHA-256 of version, seed, name and shape."""
    text = json.dumps(["convspec weights", VERSION, int(seed), name, [int(extent) for extent in shape]])
    digest = hashlib.sha256(text.encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4))


def _threads() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # absent on macOS and Windows
    return min(8, len(affinity(0)) if affinity else os.cpu_count() or 1)


Filler = draw.Draw | float


def _fill_block(work: tuple[Filler, tuple[int, ...], int, Array]) -> None:
    filler, key, start, flat = work
    part = flat[start : start + draw.BLOCK]
    if isinstance(filler, float):
        part.fill(filler)
    else:
        draw.fill(filler, key, start // draw.BLOCK, part)


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
