"""Runs a PyTorch lowering tree as it stands."""

from __future__ import annotations

import operator
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from convspec.ir.lowering import Apply, Arg, Args, Call, Weight
from convspec.ir.types import Array
from tests.ops.cases import Case, Run, cotangents

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "neg": operator.neg,
    "not": operator.invert,
    "**": operator.pow,
    "@": operator.matmul,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
PACKAGES = {
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "torch": "torch",
    "helpers": "convspec.targets.pytorch.helpers",
}


class TorchNet:
    """Modules are made on first use and kept, so that a case can be run for several steps."""

    def __init__(self, case: Case, dtype: str, training: bool = False) -> None:
        self.torch: Any = import_module("torch")
        self.case, self.training = case, training
        self.dtype = getattr(self.torch, dtype)
        self.tree = case.lowered("pytorch")
        self.modules: dict[int, Any] = {}
        self.loose: dict[str, Any] = {}
        self.holders: dict[str, tuple[Any, Weight]] = {}

    def run(self, arrays: tuple[Array, ...] | None = None, gradients: bool = True) -> Run:
        tensors = [self._tensor(array) for array in (self.case.arrays if arrays is None else arrays)]
        leaves = {f"input {i}": t for i, t in enumerate(tensors) if t.is_floating_point()}
        for leaf in leaves.values():
            leaf.requires_grad_(gradients)
        result = self._value(self.tree, tensors)
        outputs = tuple(result) if isinstance(result, tuple | list) else (result,)
        found = self._gradients(outputs, leaves) if gradients else {}
        statistics = {role: self._stored(role) for role, spec in self.case.specs.items() if not spec.trainable}
        return Run(tuple(o.detach().numpy() for o in outputs), found, statistics)

    def _tensor(self, array: Array) -> Any:
        tensor = self.torch.from_numpy(np.array(array))
        return tensor.to(self.dtype) if tensor.is_floating_point() else tensor

    def _gradients(self, outputs: tuple[Any, ...], leaves: dict[str, Any]) -> dict[str, Array]:
        trainable = {role: self.holders[role][0] for role, spec in self.case.specs.items() if spec.trainable}
        wanted = leaves | trainable
        if not wanted or not any(o.is_floating_point() for o in outputs):
            return {}
        loss = sum((o * self._tensor(g)).sum() for o, g in zip(outputs, cotangents(self.case), strict=True))
        grads = self.torch.autograd.grad(loss, list(wanted.values()))
        return {name: self._canonical(name, grad.detach().numpy()) for name, grad in zip(wanted, grads, strict=True)}

    def _stored(self, role: str) -> Array:
        return self._canonical(role, self.holders[role][0].detach().numpy().copy())

    def _canonical(self, name: str, array: Array) -> Array:
        return from_layout(array, self.holders[name][1], self.case.params[name].shape) if name in self.holders else array

    def _value(self, expr: Any, tensors: list[Any]) -> Any:
        match expr:
            case Arg(index=index):
                return tensors[index]
            case Args():
                return list(tensors)
            case Weight():
                return self._loose(expr)
            case Call():
                return self._call(expr, tensors)
            case Apply():
                inputs = [self._value(e, tensors) for e in expr.inputs]
                return self._module(expr)(*inputs)
            case tuple() | list():
                return type(expr)(self._value(e, tensors) for e in expr)
        return expr

    def _call(self, call: Call, tensors: list[Any]) -> Any:
        args = [self._value(a, tensors) for a in call.args]
        kwargs = {name: self._value(v, tensors) for name, v in call.kwargs.items()}
        if call.fn in OPERATORS:
            return OPERATORS[call.fn](*args)
        if call.fn.startswith("."):
            return getattr(args[0], call.fn[1:])(*args[1:], **kwargs)
        return self._named(call.fn)(*args, **kwargs)

    def _named(self, fn: str) -> Any:
        package, _, name = fn.partition(".")
        assert package in PACKAGES, f"{fn} is not a name of PyTorch that lowerings may use"
        return operator.attrgetter(name)(import_module(PACKAGES[package]))

    def _loose(self, weight: Weight) -> Any:
        """A parameter that stands in a call rather than in a module."""
        if weight.role not in self.loose:
            self.loose[weight.role] = self._tensor(to_layout(self.case.params[weight.role], weight))
            self.loose[weight.role].requires_grad_(self.case.specs[weight.role].trainable)
            self.holders[weight.role] = (self.loose[weight.role], weight)
        return self.loose[weight.role]

    def _module(self, apply: Apply) -> Any:
        if id(apply) not in self.modules:
            module = self._named(apply.fn)(*apply.args, **apply.kwargs).to(self.dtype).train(self.training)
            own = dict(module.named_parameters()) | dict(module.named_buffers())
            unset = set(own) - set(apply.weights) - {"num_batches_tracked"}
            assert not unset, f"{apply.fn}: the lowering does not say what its {sorted(unset)} hold"
            for name, weight in apply.weights.items():
                stored = to_layout(self.case.params[weight.role], weight)
                assert name in own, f"{apply.fn} has no variable `{name}`, it has {sorted(own)}"
                assert own[name].shape == stored.shape, f"{apply.fn}.{name} is {tuple(own[name].shape)}, not {stored.shape}"
                own[name].data.copy_(self.torch.from_numpy(stored))
                self.holders[weight.role] = (own[name], weight)
            self.modules[id(apply)] = module
        return self.modules[id(apply)]


def to_layout(stored: Array, weight: Weight) -> Array:
    """A parameter as the target keeps it: reshaped, then permuted."""
    shaped = stored.reshape(weight.reshape) if weight.reshape else stored
    return np.ascontiguousarray(shaped.transpose(weight.permute) if weight.permute else shaped)


def from_layout(kept: Array, weight: Weight, shape: tuple[int, ...]) -> Array:
    """The way back to the stored layout."""
    unpermuted = kept.transpose(np.argsort(weight.permute)) if weight.permute else kept
    return unpermuted.reshape(shape)
