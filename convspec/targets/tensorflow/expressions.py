"""From a lowering tree to Keras expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from convspec.ir.lowering import Apply, Call
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.render import parts, render

MODULES = {
    "keras": "import keras",
    "tf": "import tensorflow as tf",
    "activations": "from keras import activations",
    "layers": "from keras import layers",
    "ops": "from keras import ops",
}
"""What the first part of a lowering's `fn` stands for in a generated file."""

HELPERS = "helpers"

Constant: TypeAlias = Callable[[Any], Code]


class Expressions:
    """Turns lowering trees into expressions and notes which modules and helpers they need."""

    def __init__(self) -> None:
        self.modules: set[str] = {"keras"}
        self.helpers: dict[str, None] = {}

    def of(
        self,
        tree: Any,
        inputs: Sequence[Code],
        layer: Callable[[Apply], Code],
        constant: Constant = code.value,
        inputs_as_list: Code | None = None,
    ) -> Code:
        """The expression of a tree. `inputs` are the node's input tensors; `layer` gives the layer that has weights."""

        def made(apply: Apply) -> Code:
            return layer(apply) if apply.weights else self.constructor(apply, constant=constant)

        return render(self._named(tree), inputs, made, constant, inputs_as_list)

    def constructor(self, apply: Apply, constant: Constant = code.value, **more: Code) -> Code:
        """The expression that makes the layer object; `more` are keyword arguments that the lowering does not know."""
        args, kwargs = map(constant, apply.args), {name: constant(item) for name, item in apply.kwargs.items()}
        return code.call(self._function(apply.fn), list(args), {**kwargs, **more})

    def _named(self, tree: Any) -> Any:
        """The tree with every function called as the file calls it."""
        match tree:
            case Apply(inputs=inputs):
                return Apply(tree.fn, tree.args, tree.kwargs, self._named(inputs), tree.weights)
            case Call(fn=fn, args=args, kwargs=kwargs):
                name = self._function(fn) if "." in fn[1:] else fn
                return Call(name, self._named(args), {key: self._named(item) for key, item in kwargs.items()})
            case tuple() | list():
                return type(tree)(self._named(item) for item in tree)
        return tree

    def _function(self, fn: str) -> str:
        """The Python name of a lowering's `fn`."""
        package, _, name = fn.partition(".")
        if package == HELPERS:
            self.helpers.setdefault(name)
            return name
        if package not in MODULES or not name:
            raise TypeError(f"a Keras lowering names `{fn}`, which is in none of {', '.join(MODULES)}")
        self.modules.add(package)
        return fn


def layer_of(tree: Any) -> Apply | None:
    """The layer with weights in a lowering tree, or None."""
    return next((part for part in parts(tree) if isinstance(part, Apply) and part.weights), None)


def functions_of(tree: Any) -> list[str]:
    """Every function in a lowering tree that makes an operation which Keras names by itself."""
    return [part.fn for part in parts(tree) if isinstance(part, Call) or not part.weights]


__all__ = ["HELPERS", "MODULES", "Expressions", "functions_of", "layer_of"]
