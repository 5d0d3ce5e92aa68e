"""Gradients of a network in float64, from PyTorch and from TensorFlow, in canonical layout."""

from __future__ import annotations

from collections.abc import Mapping

from convspec.elaborate import Module
from convspec.ir import dims
from convspec.ir.types import Array
from convspec.runtime.signature import signature_of
from convspec.runtime.sizes import solve_sizes
from convspec.verify.backends import open_backend
from convspec.verify.inputs import projection


def torch_gradients(
    module: Module, weights: Mapping[str, Array], arrays: Mapping[str, Array], training: bool
) -> dict[str, Array]:
    """Of every input and learnable parameter that an output depends on. `weights` and `arrays` are float64."""
    return _gradients("pytorch", module, weights, arrays, training)


def keras_gradients(
    module: Module, weights: Mapping[str, Array], arrays: Mapping[str, Array], training: bool
) -> dict[str, Array]:
    """The same from Keras, brought back from its layouts to the canonical ones."""
    return _gradients("tensorflow", module, weights, arrays, training)


def _gradients(
    target: str, module: Module, weights: Mapping[str, Array], arrays: Mapping[str, Array], training: bool
) -> dict[str, Array]:
    signature = signature_of(module.graph)
    sizes = solve_sizes(signature.inputs, {name: array.shape for name, array in arrays.items()})
    loss = {
        output.name: projection(output.name, [dims.evaluate(size, sizes) for size in output.type.shape])
        for output in signature.outputs
    }
    return open_backend(target, module, weights, training=training).run(arrays, loss).gradients


__all__ = ["keras_gradients", "torch_gradients"]
