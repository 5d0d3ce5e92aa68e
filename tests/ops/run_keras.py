"""Runs a Keras lowering tree as it stands: channels last inside, canonical order at the boundary."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from convspec.ir.lowering import Apply, Arg, Args, Call, Weight
from convspec.ir.types import Array
from tests.ops.cases import Case, Run, cotangents
from tests.ops.run_torch import OPERATORS, from_layout, to_layout

PACKAGES = {
    "layers": "keras.layers",
    "ops": "keras.ops",
    "activations": "keras.activations",
    "keras": "keras",
    "tf": "tensorflow",
    "helpers": "convspec.targets.tensorflow.helpers",
}


def channels_last(array: Array) -> Array:
    return np.moveaxis(array, 1, -1) if array.ndim >= 3 else array


def channels_first(array: Array) -> Array:
    return np.moveaxis(array, -1, 1) if array.ndim >= 3 else array


@contextmanager
def floatx(dtype: str) -> Iterator[None]:
    """The precision of inputs and layers. The policy is set too: Keras keeps the one that was first asked for."""
    config: Any = import_module("keras").config
    before = config.floatx(), config.dtype_policy()
    config.set_floatx(dtype)
    config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        config.set_floatx(before[0])
        config.set_dtype_policy(before[1])


class KerasNet:
    """A functional `keras.Model`, open where sizes are symbolic; where the tree uses `tf.` names, plain eager calls instead."""

    def __init__(self, case: Case, dtype: str, training: bool = False) -> None:
        self.tf: Any = import_module("tensorflow")
        self.keras: Any = import_module("keras")
        self.case, self.dtype, self.training = case, dtype, training
        self.tree = case.lowered("tensorflow")
        self.layers: dict[int, tuple[Apply, Any]] = {}
        self.loose: dict[str, Any] = {}
        self.holders: dict[str, tuple[Any, Weight]] = {}
        with floatx(dtype):
            self.model = None if _uses_tf(self.tree) else self._functional()
            if self.model is None:
                self._value(self.tree, [self._tensor(a) for a in case.arrays])  # builds the layers
        for apply, layer in self.layers.values():
            self._set_weights(apply, layer)

    def run(self, arrays: tuple[Array, ...] | None = None, gradients: bool = True) -> Run:
        with floatx(self.dtype):
            tensors = [self._tensor(array) for array in (self.case.arrays if arrays is None else arrays)]
            leaves = {f"input {i}": t for i, t in enumerate(tensors) if t.dtype.is_floating}
            with self.tf.GradientTape(persistent=True) as tape:
                tape.watch(list(leaves.values()))
                outputs = self._forward(tensors)
                loss = self._loss(outputs) if gradients else None
            found = {} if loss is None else self._gradients(tape, loss, leaves)
        statistics = {role: self._stored(role) for role, spec in self.case.specs.items() if not spec.trainable}
        return Run(tuple(channels_first(o.numpy()) for o in outputs), found, statistics)

    def _functional(self) -> Any:
        inputs = []
        for of, array in zip(self.case.types, self.case.arrays, strict=True):
            sizes = [size if isinstance(size, int) else None for size in of.shape]
            last = [*sizes[2:], sizes[1]] if len(sizes) >= 3 else sizes[1:]
            dtype = self.dtype if array.dtype.kind == "f" else array.dtype.name
            inputs.append(self.keras.Input(batch_shape=(sizes[0], *last), dtype=dtype))
        result = self._value(self.tree, inputs)
        return self.keras.Model(inputs, list(result) if isinstance(result, tuple | list) else [result])

    def _forward(self, tensors: list[Any]) -> list[Any]:
        result = self._value(self.tree, tensors) if self.model is None else self.model(tensors, training=self.training)
        return list(result) if isinstance(result, tuple | list) else [result]

    def _tensor(self, array: Array) -> Any:
        moved = np.ascontiguousarray(channels_last(array))
        return self.tf.constant(moved, dtype=self.dtype if moved.dtype.kind == "f" else None)

    def _loss(self, outputs: list[Any]) -> Any:
        if not any(o.dtype.is_floating for o in outputs):
            return None
        pairs = zip(outputs, cotangents(self.case), strict=True)
        return self.tf.add_n([self.tf.reduce_sum(o * self._tensor(g)) for o, g in pairs])

    def _gradients(self, tape: Any, loss: Any, leaves: dict[str, Any]) -> dict[str, Array]:
        found = {}
        for name, leaf in leaves.items():
            grad = tape.gradient(loss, leaf)
            found[name] = channels_first(np.zeros(leaf.shape) if grad is None else grad.numpy())
        for role, spec in self.case.specs.items():
            if spec.trainable:
                variable, weight = self.holders[role]
                grad = tape.gradient(loss, getattr(variable, "value", variable))
                assert grad is not None, f"no gradient reaches `{role}`"
                found[role] = from_layout(self.tf.convert_to_tensor(grad).numpy(), weight, self.case.params[role].shape)
        return found

    def _stored(self, role: str) -> Array:
        variable, weight = self.holders[role]
        return from_layout(variable.numpy().copy(), weight, self.case.params[role].shape)

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
                return self._layer(expr)(*inputs)
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
        assert package in PACKAGES, f"{fn} is not a name of Keras or TensorFlow that lowerings may use"
        return operator.attrgetter(name)(import_module(PACKAGES[package]))

    def _loose(self, weight: Weight) -> Any:
        """A parameter that stands in a call rather than in a layer."""
        if weight.role not in self.loose:
            kept = to_layout(self.case.params[weight.role], weight)
            self.loose[weight.role] = self.tf.Variable(kept, dtype=self.dtype)
            self.holders[weight.role] = (self.loose[weight.role], weight)
        return self.loose[weight.role]

    def _layer(self, apply: Apply) -> Any:
        if id(apply) not in self.layers:
            self.layers[id(apply)] = (apply, self._named(apply.fn)(*apply.args, **apply.kwargs))
        return self.layers[id(apply)][1]

    def _set_weights(self, apply: Apply, layer: Any) -> None:
        own = {variable.name: variable for variable in layer.weights}
        unset = set(own) - set(apply.weights)
        assert not unset, f"{apply.fn}: the lowering does not say what its {sorted(unset)} hold"
        for name, weight in apply.weights.items():
            kept = to_layout(self.case.params[weight.role], weight)
            assert name in own, f"{apply.fn} has no variable `{name}`, it has {sorted(own)}"
            assert tuple(own[name].shape) == kept.shape, f"{apply.fn}.{name} is {tuple(own[name].shape)}, not {kept.shape}"
            own[name].assign(kept)
            self.holders[weight.role] = (own[name], weight)


def _uses_tf(expr: Any) -> bool:
    match expr:
        case Call(fn=fn, args=args, kwargs=kwargs):
            return fn.startswith("tf.") or any(map(_uses_tf, (*args, *kwargs.values())))
        case Apply(inputs=inputs):
            return any(map(_uses_tf, inputs))
        case tuple() | list():
            return any(map(_uses_tf, expr))
    return False
