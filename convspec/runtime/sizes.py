"""Which sizes do the symbolic names of the inputs have, given real data? Every declaration is checked against them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from convspec.diagnostics import Diagnostic, Failure, error
from convspec.ir.dims import Size, evaluate, minima, symbols
from convspec.ops._axes import axis_name
from convspec.runtime.signature import TensorSpec

_LIMIT = 2**40
"""Names are searched up to here: no axis of real data is longer."""
_TRIED = 4096
"""How many values of a name are tried one by one before data is refused."""


def solve_sizes(
    specs: Sequence[TensorSpec], shapes: Mapping[str, tuple[int, ...]], sources: Mapping[str, str] | None = None
) -> dict[str, int]:
    """The value of every name in the declared shapes, from the shape of the data for each input.

    `sources` says where each input's data came from, for messages. Failure CNN301 with one diagnostic for each input whose
    shape does not fit: a rank, a plain size, an expression that never takes the value found, or a name with two values.
    """
    sources = sources or {}
    ranks = [_wrong_rank(spec, shapes[spec.name], sources) for spec in specs if len(shapes[spec.name]) != spec.type.rank]
    if ranks:
        raise Failure(ranks)
    system = _System([_Axis(s, i, d, shapes[s.name][i]) for s in specs for i, d in enumerate(s.type.shape)])
    system.solve()
    problems = [_wrong_shape(s, shapes[s.name], system.problems(s), sources) for s in specs if system.problems(s)]
    if problems:
        raise Failure(problems)
    return system.values


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """One equation: the declared `size` of an axis is `found`."""

    spec: TensorSpec
    index: int
    size: Size
    found: int

    @property
    def name(self) -> str:
        return axis_name(self.index, self.spec.type.rank)


@dataclass(slots=True)
class _System:
    """All equations. A name is settled by the equations in which it is the only one not yet known."""

    axes: list[_Axis]
    values: dict[str, int] = field(default_factory=dict)
    origin: dict[str, _Axis] = field(default_factory=dict)
    wrong: dict[_Axis, str] = field(default_factory=dict)

    def solve(self) -> None:
        while self._settle_unique() or self._settle_any():
            pass
        for axis in self.axes:
            if axis not in self.wrong:
                self._check(axis)

    def problems(self, spec: TensorSpec) -> list[str]:
        """What is wrong with the data of one input, an axis a line."""
        own = sorted((axis.index, axis.name, text) for axis, text in self.wrong.items() if axis.spec is spec)
        return [f"{name} (axis {index}): {text}" for index, name, text in own]

    def _pending(self) -> list[tuple[_Axis, str]]:
        """Equations in which one name is unknown, with that name."""
        unknown = [(axis, symbols(axis.size) - self.values.keys()) for axis in self.axes if axis not in self.wrong]
        return [(axis, next(iter(names))) for axis, names in unknown if len(names) == 1]

    def _settle_unique(self) -> bool:
        """Settle the first name that an equation leaves one value."""
        for axis, name in self._pending():
            interval = self._interval(axis, name)
            if interval is not None and interval[0] == interval[1]:
                return self._settle(name, interval[0], axis)
            if interval is None:
                return True
        return False

    def _settle_any(self) -> bool:
        """Settle the first name that has several values (`H // 2` is 5 for 10 and 11); the smallest does as well as any."""
        for axis, name in self._pending():
            interval = self._interval(axis, name)
            if interval is not None:
                return self._settle(name, interval[0], axis)
        return False

    def _settle(self, name: str, value: int, axis: _Axis) -> bool:
        self.values[name] = value
        self.origin[name] = axis
        return True

    def _interval(self, axis: _Axis, name: str) -> tuple[int, int] | None:
        """The first and last value of `name` for which the axis is as found; None, and noted as wrong, where there is none."""

        def size_at(value: int) -> int:
            return evaluate(axis.size, {**self.values, name: value})

        least = minima(axis.size)[name]
        first = _first(lambda value: size_at(value) >= axis.found, least)
        if first is not None and size_at(first) == axis.found:
            after = _first(lambda value: size_at(value) > axis.found, first)
            return first, first if after is None else after - 1
        other = next((value for value in range(least, least + _TRIED) if size_at(value) == axis.found), None)
        if other is not None:  # a size that does not grow with its name; perhaps not the only value, so others may decide
            return other, other + 1
        self.wrong[axis] = _why(axis, name, size_at, least, first)
        return None

    def _check(self, axis: _Axis) -> None:
        names = symbols(axis.size)
        unknown = sorted(names - self.values.keys())
        if unknown:
            if not self.wrong:
                self.wrong[axis] = f"{axis.size} does not say what {' and '.join(unknown)} are; declare this axis by one name"
            return
        wanted = evaluate(axis.size, self.values)
        if wanted != axis.found:
            known = " and ".join(f"{name} is {self.values[name]} by the {self._whence(name, axis)}" for name in sorted(names))
            self.wrong[axis] = f"declared {axis.size}, found {axis.found}" + (f", but {known}" if known else "")

    def _whence(self, name: str, axis: _Axis) -> str:
        origin = self.origin[name]
        return origin.name if origin.spec is axis.spec else f"{origin.name} of `{origin.spec.name}`"


def _first(holds: Callable[[int], bool], least: int) -> int | None:
    """The smallest value from `least` for which `holds`, which must stay true from there on; None where there is none."""
    step = 1
    low, high = least, least
    while not holds(high):
        low, high, step = high + 1, high + step, step * 2
        if high > _LIMIT:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _why(axis: _Axis, name: str, size_at: Callable[[int], int], least: int, first: int | None) -> str:
    """Why no value of the one unknown name gives the size found."""
    text = f"declared {axis.size}" + (f" with {name} >= {least}" if least > 1 else "") + f", found {axis.found}"
    if first is None:
        return text
    if first == least:
        return f"{text}; the smallest that fits is {size_at(least)}"
    factor = size_at(least + 1) - size_at(least)
    if factor > 1 and all(size_at(value) == factor * value for value in (least, least + 1, first)):
        text += f", which is not a multiple of {factor}"
    return f"{text}; the nearest that fit are {size_at(first - 1)} and {size_at(first)}"


def _wrong_rank(spec: TensorSpec, shape: tuple[int, ...], sources: Mapping[str, str]) -> Diagnostic:
    note = f"the declared shape has {spec.type.rank} axes, the data has {len(shape)}"
    return _misfit(spec, shape, (note,), sources, hint=None)


def _wrong_shape(spec: TensorSpec, shape: tuple[int, ...], notes: list[str], sources: Mapping[str, str]) -> Diagnostic:
    hint = None
    channels = spec.type.shape[1] if spec.type.rank > 2 else None
    if isinstance(channels, int) and shape[1] != channels and shape[-1] == channels:
        order = ", ".join(map(str, (0, len(shape) - 1, *range(1, len(shape) - 1))))
        hint = f"the data looks channels-last; channels come second here: array.transpose({order})"
    return _misfit(spec, shape, tuple(notes), sources, hint)


def _misfit(
    spec: TensorSpec, shape: tuple[int, ...], notes: tuple[str, ...], sources: Mapping[str, str], hint: str | None
) -> Diagnostic:
    data = sources.get(spec.name, "the data")
    found = f"[{', '.join(map(str, shape))}]"
    message = f"{data} does not fit the input `{spec.name}`: its shape is {found}, declared {spec.type}"
    return error("CNN301", message, spec.span, notes=notes, hint=hint)


__all__ = ["solve_sizes"]
