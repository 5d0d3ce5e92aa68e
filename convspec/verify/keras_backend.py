"""A network alive in TensorFlow, as a Keras model: channels last inside, canonical outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.runtime.tensorflow import import_tensorflow, to_channels_last, to_channels_second
from convspec.targets.tensorflow.network import prepare
from convspec.targets.tensorflow.packaging import to_keras
from convspec.verify.backends import Converted, Result, as_float, as_floats


class KerasBackend:
    """The model that the generated file builds, on a device; see `Backend`."""

    def __init__(
        self, module: Module, weights: Mapping[str, Array], dtype: str | None, training: bool, device: str, straight: bool
    ) -> None:
        self.tf: Any = import_tensorflow()
        self.graph, self.dtype, self.training = module.graph, dtype, training
        kind, _, index = device.partition(":")
        self.place = f"/{'GPU' if kind == 'cuda' else 'CPU'}:{index or 0}"
        if dtype is not None:
            weights = Converted(weights, lambda name, array: as_float(array, dtype))
        with self.tf.device(self.place):
            self.model = to_keras(module, weights, dtype or "float32", straight=straight)
        self.stored = {variable.key: variable for variable in prepare(module.graph).variables}
        self.parameters = {variable.parameter: variable for variable in self.stored.values()}
        self.variables = {f"{layer.name}/{item.name}": item for layer in self.model.layers for item in layer.weights}
        self.gradients: dict[str, Any] = {}

    def run(self, arrays: Mapping[str, Array], cotangents: Mapping[str, Array] | None = None) -> Result:
        with self.tf.device(self.place):
            inputs = self._inputs(arrays)
            if cotangents is None:
                return Result(self._arrays(self._outputs(inputs)))
            floats = {name: tensor for name, tensor in inputs.items() if tensor.dtype.is_floating}
            trained = {key: item.value for key, item in self.variables.items() if item.trainable}
            with self.tf.GradientTape() as tape:
                tape.watch(list(floats.values()))
                outputs = self._outputs(inputs)
                wanted = {name: value for name, value in outputs.items() if name in cotangents and value.dtype.is_floating}
            directions = [self._constant(cotangents[name], value.dtype) for name, value in wanted.items()]
            leaves = [*floats.values(), *trained.values()]
            found = tape.gradient(list(wanted.values()), leaves, directions) if wanted else [None] * len(leaves)
        every = [None if grad is None else self.tf.convert_to_tensor(grad) for grad in found]
        self.gradients = {key: g for key, g in zip(trained, every[len(floats) :], strict=True) if g is not None}
        of_inputs = {name: g for name, g in zip(floats, every, strict=False) if g is not None}
        of_weights = {self.stored[key].parameter: gradient for key, gradient in self.gradients.items()}
        return Result(self._arrays(outputs), Converted(of_inputs | of_weights, self._canonical))

    def _inputs(self, arrays: Mapping[str, Array]) -> dict[str, Any]:
        given = {item.value.name: arrays[item.value.name] for item in self.graph.inputs}
        if self.dtype is not None:
            given = as_floats(given, self.dtype)
        return {name: self.tf.constant(to_channels_last(array)) for name, array in given.items()}

    def _outputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """One input goes in bare, one output comes bare; several by name."""
        feed = inputs if len(inputs) > 1 else next(iter(inputs.values()))
        result = self.model(feed, training=self.training)
        names = [output.name for output in self.graph.outputs]
        return {name: result[name] for name in names} if isinstance(result, dict) else {names[0]: result}

    def _constant(self, array: Array, dtype: Any) -> Any:
        return self.tf.cast(self.tf.constant(to_channels_last(array)), dtype)

    def _arrays(self, tensors: Mapping[str, Any]) -> dict[str, Array]:
        return {name: to_channels_second(_plain(tensor)) for name, tensor in tensors.items()}

    def _canonical(self, name: str, tensor: Any) -> Array:
        """The array of an input or a parameter."""
        variable = self.parameters.get(name)
        return to_channels_second(_plain(tensor)) if variable is None else variable.to_canonical(_plain(tensor))

    def state(self) -> Converted:
        found = {self.stored[key].parameter: item.value.value() for key, item in self.variables.items() if key in self.stored}
        return Converted(found, self._canonical)

    def step(self, rate: float) -> None:
        while self.gradients:
            key, gradient = self.gradients.popitem()
            self.variables[key].value.assign_sub(rate * gradient)


def _plain(tensor: Any) -> Array:
    """What a tensor holds, without copying where it lies in main memory; bfloat16 as float32, which is exact."""
    import numpy as np

    array = np.asarray(tensor)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


__all__ = ["KerasBackend"]
