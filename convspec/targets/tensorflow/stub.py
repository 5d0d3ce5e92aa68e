"""A Keras that computes nothing: it records which layers generated code makes and what it applies them to.

Equal computations get equal numbers (value numbering): the number of a tensor stands for the whole expression that made it,
so that two programs compute the same where their outputs have the same number.
"""

from __future__ import annotations

import builtins
import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from convspec.targets.source.render import MIRRORED
from convspec.targets.tensorflow.equivalents import canonical

MODULES = ("layers", "ops", "activations")
STANDARD = ("sys", "math", "operator", "functools")


class Recorder:
    """Hands out the numbers. `shapes` and `arities` (of calls that give a list) are known for what the graph computes."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self.shapes: dict[int, tuple[Any, ...]] = {}
        self.arities: dict[int, int] = {}
        self.layers: dict[str, Layer] = {}
        """Every named layer that was applied."""
        self.inputs: dict[str, Tensor] = {}
        self.calls: Counter[int] = Counter()
        """How often each computation was asked for: twice the same layer on the same input is not what the network says."""

    def number(self, key: Any) -> int:
        """The number of a computation: the same for an equal key."""
        return self._numbers.setdefault(key, len(self._numbers))

    def call(self, fn: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
        """The number of a call whose tensors are Tensors."""
        if fn in MIRRORED and not isinstance(args[0], Tensor):
            fn, args = MIRRORED[fn], args[::-1]
        number = self.number(canonical(fn, _keyed(args), {name: _keyed(value) for name, value in kwargs.items()}))
        self.calls[number] += 1
        return number

    def result(self, number: int) -> Any:
        """What the generated code gets: a tensor, or a list of them."""
        if number not in self.arities:
            return Tensor(self, number)
        return [Tensor(self, self.number(("item", number, i))) for i in range(self.arities[number])]


class _Key(tuple[int, str]):
    """A tensor in a key. Not to be mistaken for a list of integers."""

    __slots__ = ()


def _keyed(value: Any) -> Any:
    if isinstance(value, Tensor):
        return _Key((value.number, "tensor"))
    if isinstance(value, tuple | list):
        return tuple(_keyed(item) for item in value)
    return value


class Tensor:
    """A tensor that knows only its number and, where the graph has it, its shape: channels last, None where symbolic."""

    def __init__(self, recorder: Recorder, number: int) -> None:
        self.recorder, self.number = recorder, number

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.recorder.shapes[self.number]

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("a tensor is not unpacked by generated code")

    def __neg__(self) -> Any:
        return self.recorder.result(self.recorder.call("neg", (self,), {}))


def _operator(symbol: str, *, swapped: bool) -> Callable[[Tensor, Any], Any]:
    def record(self: Tensor, other: Any) -> Any:
        args = (other, self) if swapped else (self, other)
        return self.recorder.result(self.recorder.call(symbol, args, {}))

    return record


for _name, _symbol in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("pow", "**"), ("matmul", "@")):
    setattr(Tensor, f"__{_name}__", _operator(_symbol, swapped=False))
    setattr(Tensor, f"__r{_name}__", _operator(_symbol, swapped=True))


for _name, _symbol in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<=")):
    setattr(Tensor, f"__{_name}__", _operator(_symbol, swapped=False))


class Layer:
    """A layer object: `fn`, its name if it was given one, and what it was made with."""

    def __init__(self, recorder: Recorder, fn: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.recorder = recorder
        self.name = kwargs.get("name")
        self.key = canonical(fn, args, {name: value for name, value in kwargs.items() if name != "name"})

    def __call__(self, *inputs: Any) -> Any:
        if self.name is not None and self.recorder.layers.setdefault(self.name, self) is not self:
            raise ValueError(f"two layers are called {self.name}")
        return self.recorder.result(self.recorder.call("layer", (self.name, self.key, *inputs), {}))


class Namespace:
    """`layers`, `ops`, …: a name that begins with a capital makes a layer, every other is a function."""

    def __init__(self, recorder: Recorder, prefix: str) -> None:
        self._recorder, self._prefix = recorder, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return recorded(self._recorder, f"{self._prefix}.{name}")


def recorded(recorder: Recorder, fn: str) -> Callable[..., Any]:
    """The function or layer class `fn`, recording."""
    if fn.rpartition(".")[2][:1].isupper():
        return _layer_class(recorder, fn)
    return lambda *args, **kwargs: recorder.result(recorder.call(fn, args, kwargs))


def _layer_class(recorder: Recorder, fn: str) -> type[Layer]:
    """A class, since helper layers are derived from Keras's."""

    class Recorded(Layer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(recorder, fn, args, kwargs)

    return Recorded


class Model:
    """keras.Model: what goes in and what comes out."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        self.inputs, self.outputs, self.name = inputs, outputs, name


class _Keras:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.layers, self.ops, self.activations = (Namespace(recorder, name) for name in MODULES)
        self.Model = Model

    def Input(self, shape: tuple[Any, ...], batch_size: int | None = None, dtype: str | None = None, name: str = "") -> Tensor:  # noqa: N802
        made = Tensor(self._recorder, self._recorder.number(("input", name, batch_size, tuple(shape), dtype)))
        if name in self._recorder.inputs:
            raise ValueError(f"two inputs are called {name}")
        self._recorder.inputs[name] = made
        return made


def run_source(recorder: Recorder, text: str, helpers: Iterable[str]) -> dict[str, Any]:
    """The names that a generated file defines, with this Keras in place of the real one. `text` is convspec's own.

    `helpers` are recorded by name, since their text is not of the network's making; `Reuse` does its work.
    """
    keras = _Keras(recorder)
    stubs: dict[str, Any] = {"keras": keras, "tensorflow": Namespace(recorder, "tf")}

    def importer(name: str, _globals: Any = None, _locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if name in stubs:
            return stubs[name]
        if name == "safetensors.numpy" or name in STANDARD:
            return importlib.import_module(name) if name in STANDARD else Namespace(recorder, "safetensors")
        raise ImportError(f"generated code does not import {name}")

    names: dict[str, Any] = {"__builtins__": {**vars(builtins), "__import__": importer}, "__name__": "generated"}
    exec(compile(text, "<generated>", "exec"), names)  # our own quoted text, checked before it is handed out
    names.update({helper: recorded(recorder, f"helpers.{helper}") for helper in helpers if helper != "Reuse"})
    return names
