"""Data classes that are quick to define: a drop-in for `dataclasses.dataclass`, whose methods are made when they are used.

The standard decorator writes and compiles every method of every class when a module is imported, half a millisecond a class;
with a hundred classes that was most of the time that `convspec check` took. Here fields, slots, `replace` and `asdict` are the
standard library's; `__init__` is compiled at the first instance, and the other methods need no compiling.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, eq=True, frozen=False, slots=False, kw_only=False, **others):
        """As `dataclasses.dataclass`, and done by it where an option or a base asks for more than is done here."""

        def wrap(made):
            if others or any(map(dataclasses.is_dataclass, made.__bases__)):
                return dataclasses.dataclass(made, eq=eq, frozen=frozen, slots=slots, kw_only=kw_only, **others)
            made.__doc__ = made.__doc__ or made.__name__  # else the standard library works out a signature for it
            made = dataclasses.dataclass(made, init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
            _complete(made, eq, frozen)
            return made

        return wrap if cls is None else wrap(cls)


def _complete(cls: Any, eq: bool, frozen: bool) -> None:
    """Give a data class the methods that it does not define itself."""
    own = set(vars(cls))
    methods: dict[str, Any] = {"__init__": _first_init(cls, frozen), "__repr__": _repr}
    if eq:
        methods["__eq__"], hashed = _comparison(cls)
        methods["__hash__"] = hashed if frozen else None
        if vars(cls).get("__hash__") is None and "__eq__" not in own:
            own.discard("__hash__")
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse, "__getstate__": _state, "__setstate__": _restore}
        cls.__dataclass_params__.frozen = True
    for name, method in methods.items():
        if name not in own:
            setattr(cls, name, method)


def _first_init(cls: Any, frozen: bool) -> Callable[..., None]:
    """An `__init__` that puts the real one in its place when it is called for the first time."""

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        made = _compile_init(cls, frozen)
        if vars(cls).get("__init__") is init:
            cls.__init__ = made
        made(self, *args, **kwargs)

    return init


def _compile_init(cls: Any, frozen: bool) -> Callable[..., None]:
    """The `__init__` that the standard library would write, which sets slots of frozen classes directly."""
    names: dict[str, Any] = {"_object_set": object.__setattr__, "_missing": dataclasses.MISSING}
    positional, keyword, lines = ["self"], [], []
    for field in dataclasses.fields(cls):
        value = _value(field, names)
        if field.init:
            (keyword if field.kw_only else positional).append(_parameter(field, names))
        if field.init or value != field.name:
            lines.append(_assignment(cls, field.name, value, frozen, names))
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    head = ", ".join([*positional, *(["*", *keyword] if keyword else [])])
    exec(f"def __init__({head}):\n " + "\n ".join(lines or ["pass"]), names)
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _parameter(field: dataclasses.Field[Any], names: dict[str, Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return f"{field.name}=_missing"
    if field.default is not dataclasses.MISSING:
        names[f"_default_{field.name}"] = field.default
        return f"{field.name}=_default_{field.name}"
    return field.name


def _value(field: dataclasses.Field[Any], names: dict[str, Any]) -> str:
    """What a field is set to, as an expression in `__init__`."""
    if field.default_factory is not dataclasses.MISSING:
        names[f"_make_{field.name}"] = field.default_factory
        made = f"_make_{field.name}()"
        return f"{made} if {field.name} is _missing else {field.name}" if field.init else made
    if not field.init and field.default is not dataclasses.MISSING:
        names[f"_default_{field.name}"] = field.default
        return f"_default_{field.name}"
    return field.name


def _assignment(cls: Any, name: str, value: str, frozen: bool, names: dict[str, Any]) -> str:
    if not frozen:
        return f"self.{name} = {value}"
    slot = vars(cls).get(name)
    if not hasattr(slot, "__set__"):
        return f"_object_set(self, {name!r}, {value})"
    names[f"_set_{name}"] = slot.__set__  # type: ignore[union-attr]
    return f"_set_{name}(self, {value})"


def _comparison(cls: Any) -> tuple[Callable[[Any, Any], bool], Callable[[Any], int]]:
    """`__eq__` and `__hash__` by the fields that are compared."""
    compared = [field for field in dataclasses.fields(cls) if field.compare]
    hashed = [field for field in compared if field.hash is not False]
    key, hash_key = _key(compared), _key(hashed)

    def eq(self: Any, other: Any) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def hash_(self: Any) -> int:
        return hash(hash_key(self))

    return eq, hash_


def _key(fields: list[dataclasses.Field[Any]]) -> Callable[[Any], Any]:
    if len(fields) == 1:
        get = attrgetter(fields[0].name)
        return lambda record: (get(record),)
    return attrgetter(*(field.name for field in fields)) if fields else lambda record: ()


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
