"""A torch that computes nothing: it records which layers generated code makes and what it applies them to.

Equal computations get equal numbers (value numbering): the number of a tensor stands for the whole expression that made it,
so that two programs compute the same where their outputs have the same number.
"""

from __future__ import annotations

import builtins
import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from convspec.targets.pytorch.equivalents import as_function, canonical
from convspec.targets.pytorch.helpers_text import helper_names
from convspec.targets.source.render import HELPERS, MIRRORED

STANDARD = ("math", "operator", "functools", "collections", "collections.abc", "__future__")


class Recorder:
    """Hands out the numbers. `shapes` and `arities` (of calls that give a tuple) are known for what the graph computes."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self.shapes: dict[int, tuple[Any, ...]] = {}
        self.arities: dict[int, int] = {}
        self.calls: Counter[str] = Counter()
        """How often each layer was called, by its path."""

    def number(self, key: Any) -> int:
        """The number of a computation: the same for an equal key."""
        return self._numbers.setdefault(key, len(self._numbers))

    def call(self, fn: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], path: str | None = None) -> int:
        """The number of a call whose tensors are StubTensors; `path` is that of the layer which is called."""
        if fn in MIRRORED and not isinstance(args[0], StubTensor):
            fn, args = MIRRORED[fn], args[::-1]
        return self.number((path, *canonical(fn, _keyed(args), {name: _keyed(value) for name, value in kwargs.items()})))

    def result(self, number: int) -> Any:
        """What the generated code gets: a tensor, or a tuple of them."""
        if number not in self.arities:
            return StubTensor(self, number)
        return tuple(StubTensor(self, self.number(("item", number, i))) for i in range(self.arities[number]))


def _keyed(value: Any) -> Any:
    if isinstance(value, StubTensor):
        return Tensor(value.number)
    if isinstance(value, tuple | list):
        return tuple(_keyed(item) for item in value)
    return value


class Tensor(tuple[int]):
    """A tensor in a key. Not to be mistaken for a list of integers."""

    __slots__ = ()

    def __new__(cls, number: int) -> Tensor:
        return super().__new__(cls, (number, "tensor"))  # type: ignore[arg-type]


class StubTensor:
    """A tensor that knows only its number and, where the graph has it, its shape."""

    def __init__(self, recorder: Recorder, number: int) -> None:
        self.recorder, self.number = recorder, number

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.recorder.shapes[self.number]

    def _record(self, fn: str, *args: Any, **kwargs: Any) -> Any:
        return self.recorder.result(self.recorder.call(fn, args, kwargs))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._record(f".{name}", self, *args, **kwargs)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("a tensor is not unpacked by generated code")

    def __neg__(self) -> Any:
        return self._record("neg", self)

    def __invert__(self) -> Any:
        return self._record("not", self)

    __hash__ = object.__hash__


def _operator(symbol: str, *, swapped: bool) -> Callable[[StubTensor, Any], Any]:
    def record(self: StubTensor, other: Any) -> Any:
        args = (other, self) if swapped else (self, other)
        return self._record(symbol, *args)

    return record


for _name, _symbol in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("pow", "**"), ("matmul", "@")):
    setattr(StubTensor, f"__{_name}__", _operator(_symbol, swapped=False))
    setattr(StubTensor, f"__r{_name}__", _operator(_symbol, swapped=True))
for _name, _symbol in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("eq", "=="), ("ne", "!=")):
    setattr(StubTensor, f"__{_name}__", _operator(_symbol, swapped=False))


class Module:
    """nn.Module as far as generated code uses it."""

    def __init__(self) -> None:
        object.__setattr__(self, "_modules", {})

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            self.__dict__.pop(name, None)
            self._modules[name] = value
        else:
            self._modules.pop(name, None)
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        modules = self.__dict__.get("_modules", {})
        if name in modules:
            found = modules[name]
            return found.read() if isinstance(found, Kept) else found
        raise AttributeError(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def add_module(self, name: str, module: Module) -> None:
        if "." in name or not name or name in self._modules:
            raise KeyError(name)
        setattr(self, name, module)

    def get_submodule(self, path: str) -> Any:
        module = self
        for level in path.split("."):
            module = module._modules[level]
        return module

    def get_parameter(self, path: str) -> Any:
        """The tensor that is kept there, or in a buffer: which of both is part of its key."""
        return self.get_submodule(path).read()

    get_buffer = get_parameter

    def to(self, dtype: Function) -> Module:
        object.__setattr__(self, "dtype", dtype.name)
        return self


class Sequence(Module):
    """What nn.Sequential and nn.ModuleList share."""

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        given: Any = modules[0] if len(modules) == 1 and not isinstance(modules[0], Module) else modules
        pairs = given.items() if isinstance(given, dict) else enumerate(given)
        self._names: list[str] = []  # by position: a loop that indexes a long list must not walk it every time
        for name, module in pairs:
            self.add_module(str(name), module)

    def append(self, module: Module) -> Sequence:
        self.add_module(str(len(self._modules)), module)
        return self

    def __getitem__(self, index: int) -> Any:
        if len(self._names) != len(self._modules):
            self._names[:] = self._modules
        return self._modules[self._names[index]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __len__(self) -> int:
        return len(self._modules)


class Sequential(Sequence):
    def forward(self, x: Any) -> Any:
        """Each module after the other."""
        for module in self:
            x = module(x)
        return x


class Layer(Module):
    """A layer of torch's own: `fn` and the arguments it was made with. `path` is set once the model is complete."""

    def __init__(self, recorder: Recorder, fn: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        super().__init__()
        self.recorder, self.fn, self.args, self.kwargs, self.path = recorder, fn, args, kwargs, None
        self.dtype: str | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        return canonical(self.fn, self.args, self.kwargs)

    def forward(self, *inputs: Any) -> Any:
        """The number of this layer on these inputs; a layer that is a function in disguise counts as that function."""
        function = as_function(self.fn, self.args, self.kwargs)
        if function is not None:
            fn, args, kwargs = function
            return self.recorder.result(self.recorder.call(fn, (*inputs, *args), kwargs))
        self.recorder.calls[str(self.path)] += 1
        return self.recorder.result(self.recorder.call("apply", (self.key, *inputs), {}, self.path))


class Zeros(tuple[int, ...]):
    """The tensor of zeros that a kept one begins with: its sizes, and the dtype that it was put in."""

    dtype: str | None = None

    def to(self, dtype: Function) -> Zeros:
        made = Zeros(self)
        made.dtype = dtype.name
        return made


class Kept(Layer):
    """A tensor that a module keeps, `nn.Parameter(torch.zeros(3))`: an attribute that is read, not called."""

    def __init__(self, recorder: Recorder, kept: str, zeros: Zeros) -> None:
        super().__init__(recorder, kept, tuple(zeros), {})
        self.dtype = zeros.dtype

    def read(self) -> Any:
        """The number of the tensor under its path."""
        return self.recorder.result(self.recorder.call("apply", (self.key,), {}, self.path))


def _kept(recorder: Recorder, kept: str) -> type[Kept]:
    """The class of that name, which also stands in annotations."""

    class Named(Kept):
        def __init__(self, zeros: Zeros) -> None:
            super().__init__(recorder, kept, zeros)

    return Named


class Function:
    """A function of torch by its full name; also what a dtype looks like."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self.recorder, self.name = recorder, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.recorder.result(self.recorder.call(self.name, args, kwargs))


class _Functions:
    def __init__(self, recorder: Recorder, prefix: str) -> None:
        self._recorder, self._prefix = recorder, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Function(self._recorder, f"{self._prefix}.{name}")


class _Layers:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.functional = _Functions(recorder, "F")
        self.Module, self.Sequential, self.ModuleList = Module, Sequential, Sequence
        self.Parameter, self.Buffer = _kept(recorder, "nn.Parameter"), _kept(recorder, "nn.Buffer")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        recorder = self._recorder

        class Named(Layer):
            """A class and not a function, since helpers derive from layers of torch's own."""

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(recorder, f"nn.{name}", args, kwargs)

        return Named


class _Torch(_Functions):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder, "torch")
        self.nn = _Layers(recorder)
        self.Tensor = StubTensor
        self.autograd = SimpleNamespace(Function=object)

    def zeros(self, *sizes: int) -> Zeros:
        """What a kept tensor begins with; of which only sizes and dtype matter, since weights are loaded."""
        return Zeros(sizes)


def _recorded(recorder: Recorder, helper: str) -> Any:
    """A helper by name: one that begins with a capital makes a layer, every other is a function."""
    fn = f"{HELPERS}{helper}"
    if helper[:1].isupper():
        return lambda *args, **kwargs: Layer(recorder, fn, args, kwargs)
    return Function(recorder, fn)


def run_source(recorder: Recorder, text: str) -> dict[str, Any]:
    """The names that a generated file defines, with this torch in place of the real one. `text` is convspec's own.

    Helpers are recorded by name, since their text is not of the network's making.
    """
    stub = _Torch(recorder)

    def importer(name: str, _globals: Any = None, _locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if name.partition(".")[0] == "torch":
            return stub
        if name in STANDARD:
            return importlib.import_module(name) if fromlist else importlib.import_module(name.partition(".")[0])
        raise ImportError(f"generated code does not import {name}")

    names: dict[str, Any] = {"__builtins__": {**vars(builtins), "__import__": importer}, "__name__": "generated"}
    exec(compile(text, "<generated>", "exec", dont_inherit=True), names)  # our own quoted text, checked before it is handed out
    names.update({helper: _recorded(recorder, helper) for helper in helper_names() if helper in names})
    return names
