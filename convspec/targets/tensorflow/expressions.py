"""From a lowering tree to Keras expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from convspec.ir.lowering import Apply, Arg, Args, Call
from convspec.targets.source import code
from convspec.targets.source.code import Code

MODULES = {
    "layers": "from keras import layers",
    "ops": "from keras import ops",
    "activations": "from keras import activations",
    "keras": "import keras",
    "tf": "import tensorflow as tf",
}
"""What the first part of a lowering's `fn` stands for in a generated file."""

HELPERS = "helpers"

Maker: TypeAlias = Callable[[Apply], Code]


class Expressions:
    """Turns lowering trees into expressions and notes which modules and helpers they need."""

    def __init__(self) -> None:
        self.modules: set[str] = {"keras"}
        self.helpers: dict[str, None] = {}

    def function(self, fn: str) -> str:
        """The Python name of a lowering's `fn`."""
        package, _, name = fn.partition(".")
        if package == HELPERS:
            self.helpers.setdefault(name)
            return name
        if package not in MODULES or not name:
            raise TypeError(f"a Keras lowering names `{fn}`, which is in none of {', '.join(MODULES)}")
        self.modules.add(package)
        return fn

    def value(self, expr: Any, inputs: Sequence[Code], make: Maker | None = None) -> Code:
        """The expression of a tree. `inputs` are the node's input tensors; `make` gives the layer that has weights."""
        match expr:
            case Arg(index=index):
                return inputs[index]
            case Args():
                return code.sequence(inputs)
            case Call():
                return self._call(expr, inputs, make)
            case Apply():
                layer = make(expr) if make and expr.weights else self.constructor(expr)
                return code.call(layer, [self.value(item, inputs, make) for item in expr.inputs])
            case tuple() | list():
                brackets = "[]" if isinstance(expr, list) else "()"
                return code.sequence([self.value(item, inputs, make) for item in expr], brackets)
        return code.value(expr)

    def constructor(self, apply: Apply, **more: Code) -> Code:
        """The expression that makes the layer object; `more` are keyword arguments that the lowering does not know."""
        kwargs = {name: self.value(item, ()) for name, item in apply.kwargs.items()}
        return code.call(self.function(apply.fn), [self.value(item, ()) for item in apply.args], {**kwargs, **more})

    def _call(self, call: Call, inputs: Sequence[Code], make: Maker | None) -> Code:
        args = [self.value(item, inputs, make) for item in call.args]
        kwargs = {name: self.value(item, inputs, make) for name, item in call.kwargs.items()}
        if call.fn == "neg":
            return code.unary("-", args[0])
        if call.fn in code.LEVELS:
            return code.binary(call.fn, args[0], args[1])
        if call.fn.startswith("."):
            return code.method(args[0], call.fn[1:], args[1:], kwargs)
        return code.call(self.function(call.fn), args, kwargs)


def layer_of(expr: Any) -> Apply | None:
    """The layer with weights in a lowering tree, or None."""
    match expr:
        case Apply(weights=weights) if weights:
            return expr
        case Apply(inputs=parts) | (tuple(parts) | list(parts)):
            return _first(parts)
        case Call(args=args, kwargs=kwargs):
            return _first((*args, *kwargs.values()))
    return None


def _first(parts: Sequence[Any]) -> Apply | None:
    return next((found for part in parts if (found := layer_of(part)) is not None), None)


def functions_of(expr: Any) -> list[str]:
    """Every `fn` in a lowering tree."""
    match expr:
        case Apply(fn=fn, inputs=parts):
            return [fn, *(name for part in parts for name in functions_of(part))]
        case Call(fn=fn, args=args, kwargs=kwargs):
            return [fn, *(name for part in (*args, *kwargs.values()) for name in functions_of(part))]
        case tuple() | list():
            return [name for part in expr for name in functions_of(part)]
    return []


__all__ = ["HELPERS", "MODULES", "Expressions", "Maker", "functions_of", "layer_of"]
