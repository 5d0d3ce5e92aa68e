"""Data classes that are quick to define: a drop-in for `dataclasses.dataclass`, whose methods are made when they are used.

The standard decorator writes and compiles every method of every class when a module is imported, half a millisecond a class;
with a hundred classes that was most of the time that `convspec check` took. Here fields, slots, `replace` and `asdict` are the
standard library's; `__init__` is compiled at the first instance, and the other methods need no compiling.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, Field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, *, eq=True, repr=True, frozen=False, slots=False, kw_only=False, weakref_slot=False, **others):
        """As `dataclasses.dataclass`, and done by it where an option asks for more than is done here."""

        def wrap(made):
            bases = [base for base in made.__mro__[1:] if dataclasses.is_dataclass(base)]
            if others or any(base.__dataclass_params__.frozen != frozen for base in bases):
                shape = {"slots": slots, "kw_only": kw_only, "weakref_slot": weakref_slot}
                return dataclasses.dataclass(made, eq=eq, repr=repr, frozen=frozen, **shape, **others)
            made.__doc__ = made.__doc__ or made.__name__  # else the standard library works out a signature for it
            with _thawed(bases):
                bare = {"init": False, "repr": False, "eq": False}
                made = dataclasses.dataclass(made, **bare, slots=slots, kw_only=kw_only, weakref_slot=weakref_slot)
            _complete(made, eq, repr, frozen)
            return made

        return wrap if cls is None else wrap(cls)


@contextmanager
def _thawed(bases: list[Any]) -> Iterator[None]:
    """The bases pass for classes that are not frozen, as what the standard library is asked to make of their heir is not."""
    frozen = [base for base in bases if base.__dataclass_params__.frozen]
    for base in frozen:
        base.__dataclass_params__.frozen = False
    try:
        yield
    finally:
        for base in frozen:
            base.__dataclass_params__.frozen = True


def _complete(cls: Any, eq: bool, shown: bool, frozen: bool) -> None:
    """Give a data class the methods that it does not define itself."""
    own = {name for name, value in vars(cls).items() if value is not None}  # `__hash__` is None beside an own `__eq__`
    methods: dict[str, Any] = {"__init__": _first_init(cls, frozen)}
    methods |= {"__repr__": _repr} if shown else {}
    if eq:
        methods |= {"__eq__": _equal(cls), "__hash__": _hash(cls) if frozen else None}
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse, "__getstate__": _state, "__setstate__": _restore}
        cls.__dataclass_params__.frozen = True
    for name in methods.keys() - own:
        setattr(cls, name, methods[name])


def _first_init(cls: Any, frozen: bool) -> Callable[..., None]:
    """An `__init__` that puts the real one in its place when it is called for the first time."""

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        cls.__init__ = _compile_init(cls, frozen)
        cls.__init__(self, *args, **kwargs)

    return init


def _compile_init(cls: Any, frozen: bool) -> Callable[..., None]:
    """The `__init__` that the standard library would write, which sets slots of frozen classes directly."""
    names: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    parameters: dict[bool, list[str]] = {False: ["self"], True: ["*"]}
    body = ["pass"]
    for field in dataclasses.fields(cls):
        name = field.name
        names |= {f"_default_{name}": field.default, f"_make_{name}": field.default_factory}
        made = field.default_factory is not MISSING
        default = "_missing" if made else f"_default_{name}" if field.default is not MISSING else ""
        value = f"_make_{name}()" if made else default
        if field.init:
            parameters[field.kw_only is True].append(f"{name}={default}" if default else name)
            value = f"{value} if {name} is _missing else {name}" if made else name
        if value and frozen and hasattr(setter := vars(cls).get(name), "__set__"):
            names[f"_set_{name}"] = setter.__set__
            body.append(f"_set_{name}(self, {value})")
        elif value:
            body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    head = ", ".join(parameters[False] + (parameters[True] if len(parameters[True]) > 1 else []))
    exec(f"def __init__({head}):\n " + "\n ".join(body), names)
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _equal(cls: Any) -> Callable[[Any, Any], bool]:
    key = _key([field for field in dataclasses.fields(cls) if field.compare])
    return lambda self, other: key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(cls: Any) -> Callable[[Any], int]:
    key = _key([field for field in dataclasses.fields(cls) if (field.compare if field.hash is None else field.hash)])
    return lambda self: hash(key(self))


def _key(fields: list[Field[Any]]) -> Callable[[Any], Any]:
    """What instances are compared by, always a tuple."""
    if len(fields) > 1:
        return attrgetter(*(field.name for field in fields))
    return lambda record: tuple(getattr(record, field.name) for field in fields)


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, value: object = None) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
