"""A network alive in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convspec.elaborate.module import Module
from convspec.ir.types import FLOATS, Array
from convspec.runtime.devices import require
from convspec.targets.pytorch.package import import_text
from convspec.targets.pytorch.source import generate
from convspec.verify.backends import Converted, Result, as_floats


class TorchBackend:
    """The class of the generated file, on a device; see `Backend`."""

    def __init__(
        self, module: Module, weights: Mapping[str, Array], dtype: str | None, training: bool, device: str, straight: bool
    ) -> None:
        self.torch: Any = require("torch", "pytorch")
        self.graph, self.dtype, self.device = module.graph, dtype, device
        source = generate(module, module.name, straight)
        self.model = getattr(import_text(source.text), source.class_name)()
        if dtype is not None:
            self.model.to(getattr(self.torch, dtype))
        self.model.load_state_dict({name: self._tensor(array) for name, array in weights.items()})
        self.model.to(device)
        self.training = training

    def run(self, arrays: Mapping[str, Array], cotangents: Mapping[str, Array] | None = None) -> Result:
        inputs = self._inputs(arrays, cotangents is not None)
        self.model.train(self.training)
        with self.torch.set_grad_enabled(cotangents is not None):
            result = self.model(*inputs.values())
        outputs = result if isinstance(result, dict) else {self.graph.outputs[0].name: result}
        found = self._gradients(inputs, outputs, cotangents) if cotangents is not None else Converted({}, self._held)
        return Result({name: self._array(self._own(value)) for name, value in outputs.items()}, found)

    def _own(self, value: Any) -> Any:
        """An output that is itself a parameter is copied: the next step of training changes it in its place."""
        return value.detach().clone() if value.is_leaf else value.detach()

    def _inputs(self, arrays: Mapping[str, Array], track: bool) -> dict[str, Any]:
        given = {item.value.name: arrays[item.value.name] for item in self.graph.inputs}
        if self.dtype is not None:
            given = as_floats(given, self.dtype)
        found = {name: self._tensor(array).to(self.device) for name, array in given.items()}
        if track:
            for item in self.graph.inputs:
                found[item.value.name].requires_grad_(item.value.type.dtype in FLOATS)
        return found

    def _gradients(self, inputs: Mapping[str, Any], outputs: Mapping[str, Any], cotangents: Mapping[str, Array]) -> Converted:
        self.model.zero_grad(set_to_none=True)
        wanted = {name: value for name, value in outputs.items() if name in cotangents and value.requires_grad}
        directions = [self._tensor(cotangents[name]).to(value) for name, value in wanted.items()]
        if wanted:
            self.torch.autograd.backward(list(wanted.values()), directions)
        leaves = {name: tensor for name, tensor in inputs.items() if tensor.requires_grad}
        leaves |= dict(self.model.named_parameters())
        return Converted({name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}, self._held)

    def state(self) -> Converted:
        stored = self.model.state_dict()
        return Converted({name: stored[name] for name in self.graph.parameters()}, self._held)

    def step(self, rate: float) -> None:
        with self.torch.no_grad():
            for parameter in self.model.parameters():
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=rate)
                    parameter.grad = None

    def _held(self, name: str, tensor: Any) -> Array:
        return self._array(tensor)

    def _tensor(self, array: Array) -> Any:
        """A tensor with a copy of the data. bfloat16 passes as bits, which NumPy has no type of its own for."""
        import numpy as np

        array = np.ascontiguousarray(array).reshape(array.shape)
        if array.dtype.name == "bfloat16":
            return self.torch.tensor(array.view(np.int16)).view(self.torch.bfloat16)
        return self.torch.tensor(array)

    def _array(self, tensor: Any) -> Array:
        tensor = tensor.cpu()
        if tensor.dtype == self.torch.bfloat16:
            tensor = tensor.to(self.torch.float32)
        found: Array = tensor.numpy()
        return found
