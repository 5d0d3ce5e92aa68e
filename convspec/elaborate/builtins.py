"""The functions of the language on compile-time values: `len`, `min`, `max`, `sum`, `sqrt` and the rest.

`sum` of tensors is the evaluator's. Each takes the values of its arguments and raises ValueProblem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from convspec.elaborate.arithmetic import ValueProblem, binary, checked, is_number
from convspec.elaborate.values import describe
from convspec.ir import dims
from convspec.ir.attrs import Extent
from convspec.ir.dims import Dim, DimError


def _one(name: str, args: Sequence[Any]) -> Any:
    if len(args) != 1:
        raise ValueProblem("CNN041" if not args else "CNN042", f"`{name}` takes one value, not {len(args)}")
    return args[0]


def _list(name: str, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, Extent):
        return list(value)
    raise ValueProblem("CNN040", f"`{name}` takes a list, not {describe(value)}")


def _number(name: str, value: Any) -> Any:
    if not is_number(value):
        raise ValueProblem("CNN040", f"`{name}` takes a number, not {describe(value)}")
    return value


def _len(args: Sequence[Any]) -> int:
    value = _one("len", args)
    if isinstance(value, str):
        return len(value)
    return len(_list("len", value))


def _extreme(
    name: str, choose: Callable[[Any, Any], Any], symbolic: Callable[[Any, Any], Any]
) -> Callable[[Sequence[Any]], Any]:
    def apply(args: Sequence[Any]) -> Any:
        values = _list(name, args[0]) if len(args) == 1 else list(args)
        if not values:
            raise ValueProblem("CNN041", f"`{name}` needs at least one value")
        result = _number(name, values[0])
        for value in values[1:]:
            other = _number(name, value)
            if isinstance(result, Dim) or isinstance(other, Dim):
                try:
                    result = symbolic(result, other)
                except DimError as problem:
                    raise ValueProblem("CNN034", str(problem)) from None
            else:
                result = choose(result, other)
        return result

    return apply


def _sum(args: Sequence[Any]) -> Any:
    total: Any = 0
    for value in _list("sum", _one("sum", args)):
        total = binary("+", total, _number("sum", value))
    return total


def _rounding(name: str, function: Callable[[float], int]) -> Callable[[Sequence[Any]], Any]:
    def apply(args: Sequence[Any]) -> Any:
        value = _number(name, _one(name, args))
        return value if isinstance(value, int | Dim) else checked(function(value))

    return apply


def _abs(args: Sequence[Any]) -> Any:
    value = _number("abs", _one("abs", args))
    if isinstance(value, Dim):
        raise ValueProblem("CNN033", f"`abs` needs a plain number, not the symbolic size {value}")
    return abs(value)


def _real(name: str, function: Callable[[float], float]) -> Callable[[Sequence[Any]], Any]:
    def apply(args: Sequence[Any]) -> float:
        value = _number(name, _one(name, args))
        if isinstance(value, Dim):
            raise ValueProblem("CNN033", f"`{name}` needs a plain number, not the symbolic size {value}")
        try:
            return function(value)
        except ValueError:
            raise ValueProblem("CNN043", f"`{name}` of {value} is not a real number") from None

    return apply


def _zip(args: Sequence[Any]) -> list[Any]:
    lists = [_list("zip", value) for value in args]
    if len({len(values) for values in lists}) > 1:
        lengths = " and ".join(str(len(values)) for values in lists)
        raise ValueProblem("CNN046", f"`zip` takes lists of equal length, not of {lengths}")
    return [list(row) for row in zip(*lists, strict=True)]


def _reversed(args: Sequence[Any]) -> list[Any]:
    return list(reversed(_list("reversed", _one("reversed", args))))


BUILTINS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "abs": _abs,
    "ceil": _rounding("ceil", math.ceil),
    "floor": _rounding("floor", math.floor),
    "int": _rounding("int", int),
    "len": _len,
    "log2": _real("log2", math.log2),
    "max": _extreme("max", max, dims.maximum),
    "min": _extreme("min", min, dims.minimum),
    "reversed": _reversed,
    "round": _rounding("round", round),
    "sqrt": _real("sqrt", math.sqrt),
    "sum": _sum,
    "zip": _zip,
}
