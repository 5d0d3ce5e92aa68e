"""Small networks from text, run by the NumPy references of their ops and by Keras models, in canonical order at both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from convspec.elaborate import Module, loads
from convspec.ir.dims import evaluate
from convspec.ir.types import Array, TensorType


@dataclass(frozen=True)
class Net:
    """A module with weights drawn at random: running variances positive, none of them 0 or 1."""

    module: Module
    weights: Mapping[str, Array]

    def inputs(self, seed: int = 1, **sizes: int) -> dict[str, Array]:
        """Arrays for the inputs, in canonical order; `sizes` are the values of the symbolic sizes."""
        rng = np.random.default_rng(seed)
        return {item.value.name: _data(rng, item.value.type, sizes) for item in self.module.graph.inputs}

    def reference(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs in float64, by the ops' own `evaluate`."""
        graph = self.module.graph
        values = {item.value: _widened(inputs[item.value.name]) for item in graph.inputs}
        for node in graph.nodes:
            params = {role: _widened(self.weights[p.name]) for role, p in node.params.items()}
            result = node.op.evaluate(node.attrs, params, *(values[value] for value in node.inputs))
            results = result if isinstance(result, tuple | list) else (result,)
            values.update(zip(node.outputs, results, strict=True))
        return {item.name: values[item.value] for item in graph.outputs}


def net(text: str, model: str | None = None, seed: int = 7, **settings: Any) -> Net:
    """The network that `text` describes."""
    module = loads(text, model=model, settings=settings)
    rng = np.random.default_rng(seed)
    weights = {}
    for name, parameter in module.graph.parameters().items():
        scale = 1.0 if len(parameter.shape) < 2 else 1.5 / np.sqrt(np.prod(parameter.shape[1:]))
        drawn = (
            rng.uniform(0.5, 1.5, parameter.shape) if parameter.role == "running_var" else rng.normal(0, scale, parameter.shape)
        )
        weights[name] = drawn.astype(parameter.dtype)
    return Net(module, weights)


def run_keras(model: Any, made: Net, inputs: Mapping[str, Array], **options: Any) -> dict[str, Array]:
    """The outputs of a Keras model by name, back in canonical order."""
    tensors = {name: to_last(array) for name, array in inputs.items()}
    result = model(tensors if len(tensors) > 1 else next(iter(tensors.values())), **options)
    return named(result, made)


def named(result: Any, made: Net) -> dict[str, Array]:
    """A tensor or dict of tensors, channels last, as arrays by output name in canonical order."""
    names = [item.name for item in made.module.graph.outputs]
    results = result if isinstance(result, Mapping) else {names[0]: result}
    assert set(results) == set(names)
    return {name: to_first(_array(results[name])) for name in names}


def _array(tensor: Any) -> Array:
    from keras import ops

    return np.asarray(ops.convert_to_numpy(tensor))


def to_last(array: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(array, 1, -1)) if array.ndim > 2 else array


def to_first(array: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if array.ndim > 2 else array


def assert_agree(found: Mapping[str, Array], expected: Mapping[str, Array], allowed: float = 1e-5) -> None:
    """Fails where max|a-b| / max|reference| of an output is above `allowed`, or its shape differs."""
    assert list(found) == list(expected)
    for name, wanted in expected.items():
        assert found[name].shape == wanted.shape, name
        scale = np.abs(wanted).max()
        assert np.isfinite(wanted).all(), name
        assert scale > 1e-3, f"{name} is nearly zero everywhere: nothing is compared"
        error = np.abs(found[name].astype(np.float64) - wanted).max() / scale
        assert error <= allowed, f"{name}: scaled error {error:.1e}"


def _data(rng: np.random.Generator, type: TensorType, sizes: Mapping[str, int]) -> Array:
    shape = tuple(evaluate(size, sizes) for size in type.shape)
    if type.dtype.startswith(("int", "uint")):
        return rng.integers(0, 5, shape).astype(type.dtype)
    return rng.normal(size=shape).astype(type.dtype)


def _widened(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind == "f" else array
