"""Operators on compile-time values: exact integers of 64 bits, floats, booleans, strings, lists, symbolic sizes.

Raises ValueProblem, which the caller places at the operator. Comparisons of symbolic sizes are decided for all values of
their names, or refused.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from convspec.elaborate.values import describe, holds_tensors
from convspec.ir import dims
from convspec.ir.attrs import Extent
from convspec.ir.dims import Dim, DimError

LARGEST = 2**63 - 1


class ValueProblem(Exception):
    """An operation without a result: a code, a message, and perhaps a hint."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def binary(symbol: str, left: Any, right: Any) -> Any:
    """The value of `left symbol right`; tensors and `and`/`or` are the evaluator's."""
    if symbol in ("==", "!="):
        same = equals(left, right)
        return same if symbol == "==" else not same
    if symbol in _ORDER:
        return _compare(symbol, left, right)
    if symbol == "+" and isinstance(left, list) and isinstance(right, list):
        return left + right
    if symbol == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if not (is_number(left) and is_number(right)):
        raise ValueProblem("CNN040", f"`{symbol}` does not take {describe(left)} and {describe(right)}")
    if isinstance(left, Dim) or isinstance(right, Dim):
        return _symbolic(symbol, left, right)
    return checked(_ARITHMETIC[symbol](left, right))


def negate(value: Any) -> Any:
    """`-value`."""
    if not is_number(value):
        raise ValueProblem("CNN040", f"`-` does not take {describe(value)}")
    return checked(-value)


def is_number(value: Any) -> bool:
    """Whether arithmetic takes the value: an int, a float or a symbolic size, but no bool."""
    return isinstance(value, int | float | Dim) and not isinstance(value, bool)


def checked(value: Any) -> Any:
    """The value, unless it is an integer past 64 bits or a float past all bounds."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        raise ValueProblem("CNN064", f"an integer is limited to 64 bits, and this has {value.bit_length()}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueProblem("CNN043", f"this has no finite result ({value})")
    return value


def equals(left: Any, right: Any) -> bool:
    """Python's equality on values; sizes that are symbolic must agree or differ for all values of their names."""
    if isinstance(left, Dim) or isinstance(right, Dim):
        return _equal_sizes(left, right)
    if isinstance(left, list | Extent) and isinstance(right, list | Extent):
        return len(left) == len(right) and all(equals(a, b) for a, b in zip(left, right, strict=True))
    if holds_tensors(left) or holds_tensors(right):
        raise ValueProblem("CNN048", "tensors cannot be compared while a network is being described")
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def _equal_sizes(left: Any, right: Any) -> bool:
    if not (isinstance(left, int | Dim) and isinstance(right, int | Dim)):
        return False
    equality = dims.equal(left, right)
    if equality.verdict == "sometimes":
        raise ValueProblem("CNN034", f"whether {left} equals {right} depends on the sizes", equality.hint)
    return equality.verdict == "always"


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compare(symbol: str, left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return _ORDER[symbol](left, right)
    if not (is_number(left) and is_number(right)):
        raise ValueProblem("CNN040", f"`{symbol}` does not compare {describe(left)} with {describe(right)}")
    if isinstance(left, Dim) or isinstance(right, Dim):
        return _compare_sizes(symbol, left, right)
    return _ORDER[symbol](left, right)


def _compare_sizes(symbol: str, left: Any, right: Any) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        left, right = _whole(left), _whole(right)
    bounds = {">=": (left, right), "<=": (right, left), ">": (left, right + 1), "<": (right, left + 1)}
    decided = dims.at_least(*bounds[symbol])
    if decided is None:
        hint = "declare a bound in the input, such as H >= 64, or a multiple, such as 32*h"
        raise ValueProblem("CNN034", f"whether {left} {symbol} {right} depends on the sizes", hint)
    return decided


def _whole(value: Any) -> Any:
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueProblem("CNN034", f"a symbolic size cannot be compared with {value}")
        return int(value)
    return value


def _symbolic(symbol: str, left: Any, right: Any) -> Any:
    if isinstance(left, float) or isinstance(right, float):
        raise ValueProblem("CNN033", f"`{symbol}` of a symbolic size and a float has no exact value")
    try:
        match symbol:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "//":
                return left // right
            case "%":
                return left % right
            case "/":
                return _exact_quotient(left, right)
    except DimError as problem:
        raise ValueProblem("CNN033", str(problem)) from None
    raise ValueProblem("CNN033", f"`{symbol}` does not work on the symbolic sizes {left} and {right}")


def _exact_quotient(left: Any, right: Any) -> Any:
    if left % right != 0:
        raise ValueProblem("CNN043", f"{left} / {right} is not exact for all sizes", "`//` rounds down")
    return left // right


def _divide(left: Any, right: Any) -> Any:
    if right == 0:
        raise ValueProblem("CNN043", "division by zero")
    if isinstance(left, int) and isinstance(right, int):
        if left % right:
            raise ValueProblem("CNN043", f"{left} / {right} is not exact", "`//` rounds down; 1.0 * a / b gives a float")
        return left // right
    return left / right


def _floor_divide(left: Any, right: Any) -> Any:
    if right == 0:
        raise ValueProblem("CNN043", "division by zero")
    return left // right


def _remainder(left: Any, right: Any) -> Any:
    if right == 0:
        raise ValueProblem("CNN043", "division by zero")
    return left % right


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        if right < 0:
            raise ValueProblem("CNN043", f"{left} ** {right} is not an integer", f"write {float(left)} ** {right}")
        if abs(left) > 1 and right * (abs(left).bit_length() - 1) > 64:
            raise ValueProblem("CNN064", f"an integer is limited to 64 bits, and {left} ** {right} is larger")
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        raise ValueProblem("CNN043", f"{left} ** {right} has no finite result") from None
    if isinstance(result, complex):
        raise ValueProblem("CNN043", f"{left} ** {right} is not a real number")
    return result


def _finite(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        try:
            return function(left, right)
        except OverflowError:
            raise ValueProblem("CNN043", "this has no finite result") from None

    return apply


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _finite(operator.add),
    "-": _finite(operator.sub),
    "*": _finite(operator.mul),
    "/": _finite(_divide),
    "//": _finite(_floor_divide),
    "%": _finite(_remainder),
    "**": _power,
}
