"""PyTorch and TensorFlow behind one interface: outputs, gradients, state and steps, by name and in canonical layout.

    backend = open_backend("pytorch", module, weights)
    result = backend.run(arrays, {"fc": projection("fc", (2, 10))})
    result.gradients["layer1.0.conv1.weight"]
    backend.step(0.01)

Neither framework is imported before its backend is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from convspec.elaborate.module import Module
from convspec.ir.types import FLOATS, Array
from convspec.verify.graphs import FLOAT64, in_float64, with_graph
from convspec.weights.dtypes import numpy_dtype

GRADIENT_TARGETS = ("pytorch", "tensorflow")


class Converted(Mapping[str, Array]):
    """Arrays by name, each made from what a framework holds when it is asked for, and not kept.

    Of a large network's weights and gradients there is then one copy, and no second one in another layout.
    """

    def __init__(self, held: Mapping[str, Any], convert: Callable[[str, Any], Array]) -> None:
        self._held, self._convert = held, convert

    def __getitem__(self, name: str) -> Array:
        return self._convert(name, self._held[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def only(self, names: Iterable[str]) -> Converted:
        """Those of `names` that are here."""
        return Converted({name: self._held[name] for name in names if name in self._held}, self._convert)


@dataclass(frozen=True, slots=True)
class Result:
    """What one run gave, by name, in canonical layout."""

    outputs: Mapping[str, Array]
    gradients: Converted = field(default_factory=lambda: Converted({}, lambda name, held: held))
    """Of the float inputs and the learnable parameters; what no output depends on may be missing, or be zeros."""


class Backend(Protocol):
    """A network alive in a framework, with weights that `step` changes."""

    training: bool
    """Whether it runs in training mode; may be set."""

    def run(self, arrays: Mapping[str, Array], cotangents: Mapping[str, Array] | None = None) -> Result:
        """The outputs for `arrays`, by input name. With `cotangents`, by output name, the gradients of Σ output · cotangent.

        Outputs without a cotangent do not count. Arrays of floats are converted to the backend's precision.
        """
        ...

    def state(self) -> Converted:
        """Every parameter that an output depends on, running statistics too, as they are until the next run or step."""
        ...

    def step(self, rate: float) -> None:
        """Plain gradient descent: every learnable parameter less `rate` times its gradient in the last run, which is let go."""
        ...


def open_backend(
    target: str,
    module: Module,
    weights: Mapping[str, Array],
    *,
    dtype: str | None = FLOAT64,
    training: bool = False,
    device: str = "cpu",
    straight: bool = False,
) -> Backend:
    """The network on `target`, "pytorch" or "tensorflow", made from the source that the target emits.

    `dtype` "float64" computes everything that is declared as a float in float64; None keeps what is declared. Where that needs
    another graph (other floats than float32, a cast), or with `straight`, the source is the straight-line form, else it is the
    form that a user gets. `device` is `cpu`, `cuda`, `cuda:1`. Failure CNN090, CNN091, CNN303 where the target cannot have it.
    """
    graph = in_float64(module.graph) if dtype == FLOAT64 else module.graph
    if graph is not module.graph:
        module, straight = with_graph(module, graph), True
    if target == "pytorch":
        from convspec.verify.torch_backend import TorchBackend

        return TorchBackend(module, weights, dtype, training, device, straight)
    if target == "tensorflow":
        from convspec.verify.keras_backend import KerasBackend

        return KerasBackend(module, weights, dtype, training, device, straight)
    raise ValueError(f"there is no backend for {target}")


def as_floats(arrays: Mapping[str, Array], dtype: str) -> dict[str, Array]:
    """Arrays of floats in `dtype`, the others as they are."""
    return {name: as_float(array, dtype) for name, array in arrays.items()}


def as_float(array: Array, dtype: str) -> Array:
    """An array of floats in `dtype`, another as it is."""
    return array.astype(numpy_dtype(dtype), copy=False) if is_float(array) else array


def is_float(array: Array) -> bool:
    """Whether an array holds floats, of any width."""
    return array.dtype.name in FLOATS


__all__ = ["GRADIENT_TARGETS", "Backend", "Converted", "Result", "as_float", "as_floats", "is_float", "open_backend"]
