"""Kinds of attribute values: what the author may write and what an op's code then sees.

A kind turns a compile-time value (int, float, bool, str, list, Extent) into the op's form, or raises AttrError with the
numbers put in. Values that depend on the input's rank stay short here (`3`) and are spread by `per_axis` and `pads_per_axis`
in the op's `resolve`.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, ClassVar, TypeAlias

from convspec.diagnostics import Guess
from convspec.ir.dims import Dim, Size
from convspec.ir.init import Init
from convspec.ir.opdef import AttrError
from convspec.records import dataclass

PadPair: TypeAlias = tuple[int, int]


class Extent(tuple[int, ...]):
    """The value of a size literal, `3x3`: one integer per spatial axis."""

    __slots__ = ()

    def __str__(self) -> str:
        return "x".join(map(str, self))


@dataclass(frozen=True, slots=True)
class Kind:
    """How one attribute is read. `name` is what messages call the type."""

    name: str
    bare_words: ClassVar[bool] = False
    """Whether a bare word may be written for it by position too, as in `squeeze(height)`."""

    def convert(self, attribute: str, value: Any) -> Any:
        raise NotImplementedError  # pragma: no cover - every kind overrides it

    def wrong(self, attribute: str, value: Any, code: str = "CNN040") -> AttrError:
        return AttrError(f"`{attribute}` takes {self.name}, not {describe(value)}", attribute, code)


def describe(value: Any) -> str:
    """How messages name a compile-time value: `the string "same"`, `the integer 3`, `a list of 2`."""
    match value:
        case bool():
            return f"the bool {str(value).lower()}"
        case int():
            return f"the integer {value}"
        case float():
            return f"the float {value}"
        case str():
            return f'the string "{value}"'
        case Extent():
            return f"the size {value}"
        case list() | tuple():
            return f"a list of {len(value)}"
        case Dim():
            return f"the symbolic size {value}"
        case _:
            return f"a {type(value).__name__.lower()}"


def _integer(kind: Kind, attribute: str, value: Any, least: int) -> int:
    if isinstance(value, Dim):
        raise AttrError(f"`{attribute}` must be a plain number, but {value} is symbolic", attribute, "CNN033")
    if isinstance(value, bool) or not isinstance(value, int):
        raise kind.wrong(attribute, value)
    if value < least:
        raise AttrError(f"`{attribute}` must be at least {least}, not {value}", attribute)
    return value


@dataclass(frozen=True, slots=True)
class Integer(Kind):
    """A plain integer, at least `least`."""

    name: str = "an integer"
    least: int = 1

    def convert(self, attribute: str, value: Any) -> int:
        return _integer(self, attribute, value, self.least)


@dataclass(frozen=True, slots=True)
class Real(Kind):
    """A finite number within the bounds that are given."""

    name: str = "a number"
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def convert(self, attribute: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(attribute, value)
        bounds = (
            (self.least is not None and value < self.least, f"at least {self.least}"),
            (self.most is not None and value > self.most, f"at most {self.most}"),
            (self.above is not None and value <= self.above, f"above {self.above}"),
            (self.below is not None and value >= self.below, f"below {self.below}"),
            (not isfinite(value), "finite"),
        )
        for broken, wanted in bounds:
            if broken:
                raise AttrError(f"`{attribute}` must be {wanted}, not {value}", attribute)
        return float(value)


@dataclass(frozen=True, slots=True)
class Flag(Kind):
    name: str = "true or false"

    def convert(self, attribute: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(attribute, value)
        return value


def _near(value: str, words: tuple[str, ...]) -> str | None:
    """The hint that offers the word that was probably meant."""
    from difflib import get_close_matches  # only where something is wrong

    near = [word for word in words if word in value] or get_close_matches(value, words, 1)
    return Guess(value, near[0]) if near else None


@dataclass(frozen=True, slots=True)
class Word(Kind):
    """One of a few words."""

    name: str = "a word"
    bare_words: ClassVar[bool] = True
    words: tuple[str, ...] = ()

    def convert(self, attribute: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong(attribute, value)
        if value not in self.words:
            known = ", ".join(self.words)
            raise AttrError(f'`{attribute}` is one of {known}, not "{value}"', attribute, "CNN047", _near(value, self.words))
        return value


@dataclass(frozen=True, slots=True)
class PerAxis(Kind):
    """An integer for every spatial axis, or one per axis: `3`, `3x3`, `[1, s, s]`. Becomes an int or a tuple."""

    name: str = "an integer, a size such as 3x3, or a list of integers"
    least: int = 1

    def convert(self, attribute: str, value: Any) -> int | tuple[int, ...]:
        if isinstance(value, list | tuple):
            if not value:
                raise self.wrong(attribute, value)
            return tuple(_integer(self, attribute, item, self.least) for item in value)
        return _integer(self, attribute, value, self.least)


@dataclass(frozen=True, slots=True)
class Pads(Kind):
    """`1`, `[1, 2]` per axis, `[[0, 1], [0, 1]]` per axis and side, or one of `words` ("same").

    Becomes an int, a tuple of ints, a tuple of pairs, or the word.
    """

    name: str = "an integer, a list per axis, or a list of [before, after] per axis"
    words: tuple[str, ...] = ("same",)
    least: int = 0

    def convert(self, attribute: str, value: Any) -> int | str | tuple[int, ...] | tuple[PadPair, ...]:
        if isinstance(value, str) and self.words:
            if value in self.words:
                return value
            words = ", ".join(self.words)
            message = f'`{attribute}` takes {self.name}, or the word {words}; not "{value}"'
            none = Guess(value, "0", f'what others call "valid" is no padding: leave `{attribute}` out, or write 0')
            hint = none if value == "valid" and not self.least else _near(value, self.words)
            raise AttrError(message, attribute, "CNN047", hint)
        if not isinstance(value, list | tuple):
            return _integer(self, attribute, value, self.least)
        if not value:
            raise self.wrong(attribute, value)
        if any(isinstance(item, list | tuple) for item in value):
            return tuple(self._pair(attribute, item) for item in value)
        return tuple(_integer(self, attribute, item, self.least) for item in value)

    def _pair(self, attribute: str, item: Any) -> PadPair:
        if isinstance(item, list | tuple) and len(item) == 2:
            lo, hi = (_integer(self, attribute, side, self.least) for side in item)
            return lo, hi
        if isinstance(item, int) and not isinstance(item, bool):
            both = _integer(self, attribute, item, self.least)
            return both, both
        raise self.wrong(attribute, item)


@dataclass(frozen=True, slots=True)
class Initialiser(Kind):
    """`init = kaiming_normal`, `init = truncated_normal(0.02)`: becomes an Init without fans, or None for the default."""

    name: str = "an initialiser such as kaiming_normal or truncated_normal(0.02)"

    def convert(self, attribute: str, value: Any) -> Init | None:
        if value is None or isinstance(value, Init):
            return value
        if isinstance(value, str):
            return initialiser(attribute, value)
        raise self.wrong(attribute, value)


_GAIN_2 = 2**0.5
_INITS: dict[str, Init] = {
    "zeros": Init("zeros"),
    "ones": Init("ones"),
    "constant": Init("constant"),
    "kaiming_uniform": Init("kaiming_uniform", gain=_GAIN_2),
    "kaiming_normal": Init("kaiming_normal", gain=_GAIN_2),
    "xavier_uniform": Init("xavier_uniform"),
    "xavier_normal": Init("xavier_normal"),
    "truncated_normal": Init("truncated_normal", value=0.02),
    "normal": Init("normal", value=0.02),
    "uniform": Init("uniform", value=0.05),
}
INIT_NAMES = tuple(_INITS)


def initialiser(attribute: str, name: str, argument: float | None = None) -> Init:
    """The Init that `name(argument)` says: the constant, deviation, bound or gain."""
    if name not in _INITS:
        known = ", ".join(_INITS)
        raise AttrError(f'`{attribute}` is one of {known}, not "{name}"', attribute, "CNN202", _near(name, INIT_NAMES))
    base = _INITS[name]
    if argument is None:
        if name == "constant":
            raise AttrError("`constant` needs its value: init = constant(0.1)", attribute, "CNN202")
        return base
    if name in ("zeros", "ones"):
        raise AttrError(f"`{name}` takes no value", attribute, "CNN202")
    if name != "constant" and not argument > 0:
        raise AttrError(f"`{name}` takes a value above 0, not {argument}", attribute, "CNN202")
    gain = name.startswith(("kaiming", "xavier"))
    return Init(name=base.name, gain=argument) if gain else Init(name=base.name, value=argument)


def per_axis(attribute: str, value: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    """One number per spatial axis: an int is repeated, a tuple must have `rank` numbers."""
    if isinstance(value, tuple):
        if len(value) != rank:
            shown = "x".join(map(str, value))
            raise AttrError(f"`{attribute}` has {len(value)} numbers ({shown}) for an input with {_axes(rank)}", attribute)
        return value
    return (value,) * rank


def pads_per_axis(attribute: str, value: Any, rank: int) -> tuple[PadPair, ...]:
    """One (before, after) pair per spatial axis. `same` is resolved by the op before."""
    spread = value if isinstance(value, tuple) else (value,) * rank
    if len(spread) != rank:
        raise AttrError(f"`{attribute}` has {len(spread)} entries for an input with {_axes(rank)}", attribute)
    return tuple(item if isinstance(item, tuple) else (item, item) for item in spread)


def _axes(rank: int) -> str:
    return f"{rank} spatial {'axis' if rank == 1 else 'axes'}"


def concrete(attribute: str, size: Size, why: str) -> int:
    """A size that has to be a plain number; `why` completes "… must be known: "."""
    if isinstance(size, Dim):
        raise AttrError(f"{why}, but it is {size}", attribute, "CNN033")
    return size
