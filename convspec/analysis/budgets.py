"""Decides the assertions of a spec on params, macs, flops, activation_memory and receptive_field.

`params` is a plain number. The others depend on the batch and on symbolic sizes, which the assertion gives:
`macs(N = 1, h = 7, w = 7)`; only those that the quantity really depends on are needed. `activation_memory` is in bytes
(memory.py). `receptive_field` is that of the network (`trunk_field`), where a whole axis counts as the input's size: beside a
number that of the largest axis, beside a size one per axis: `receptive_field >= 15x31`.

An assertion of a model that is used as a block speaks of what lies inside it, at sizes of its own inputs. Where these
cannot be what it says in this use, it is about another use, and is left to the compilation of that model by itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, NoReturn

from convspec.analysis.quantities import QUANTITIES, FieldSize, NoSpaceError, part, quantity
from convspec.analysis.sizes import symbolic_sizes
from convspec.diagnostics import Diagnostic, Failure, error, fail
from convspec.elaborate.module import BudgetAssert, Module
from convspec.elaborate.values import BudgetFunction
from convspec.elaborate.walk import descendants
from convspec.ir.attrs import Extent
from convspec.ir.dims import DimError, equal, symbols
from convspec.ir.graph import Graph
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def check_asserts(module: Module) -> None:
    """Raise Failure with every assertion that is broken (CNN070) or cannot be decided (CNN071)."""
    found: list[Diagnostic] = []
    for given in module.asserts:
        try:
            _Assertion(given, part(module.graph, given.path)).check()
        except _AnotherUseError:
            continue
        except Failure as failure:
            found.extend(failure.diagnostics)
    if found:
        raise Failure(found)


class _AnotherUseError(Exception):
    """The assertion names sizes that its model does not have in this use."""


@dataclass(slots=True)
class _Assertion:
    """One assertion, and the network or part of it that it speaks of."""

    given: BudgetAssert
    graph: Graph
    read: dict[str, int] = field(default_factory=dict)
    """Every quantity that was looked at, as it would be written, and its value."""

    def check(self) -> None:
        """Raise Failure unless it holds."""
        condition = self.given.statement.condition
        if self._holds(condition):
            return
        while isinstance(condition, ast.Binary) and condition.operator == "and":
            condition = condition.right if self._holds(condition.left) else condition.left
        self.read.clear()
        self._holds(condition)
        values = [f"{written} is {_shown(value)}" for written, value in self.read.items()]
        message = ", ".join([*values, f"and {self._said(condition)} does not hold"])
        notes = [self.given.message] if self.given.message else []
        raise fail(error("CNN070", message, condition.span, frames=self.given.frames, notes=notes))

    def _said(self, condition: ast.Expr) -> str:
        """A comparison with its numbers put in; any other condition as it is written."""
        if isinstance(condition, ast.Binary) and condition.operator in _COMPARISONS:
            left, right = self._sides(condition)
            return f"{_shown(left)} {condition.operator} {_shown(right)}"
        return f"`{condition.span.text}`"

    def _holds(self, expr: ast.Expr) -> bool:
        match expr:
            case ast.Binary(operator="and"):
                return self._holds(expr.left) and self._holds(expr.right)
            case ast.Binary(operator="or"):
                return self._holds(expr.left) or self._holds(expr.right)
            case ast.Unary(operator="not"):
                return not self._holds(expr.operand)
            case ast.Binary() if expr.operator in _COMPARISONS:
                left, right = self._sides(expr)
                if isinstance(left, Extent) and isinstance(right, Extent):
                    return self._holds_per_axis(expr, left, right)
        value = self._value(expr)
        if not isinstance(value, bool):
            raise self._error("CNN040", "an assertion is true or false, and this is neither", expr.span)
        return value

    def _sides(self, expr: ast.Binary) -> tuple[Any, Any]:
        """The values of both sides; a receptive field per axis where the other side is a size."""
        left, right = self._value(expr.left), self._value(expr.right)
        if isinstance(left, FieldSize):
            return (left.axes, Extent(right)) if isinstance(right, (Extent, list)) else (int(left), right)
        if isinstance(right, FieldSize):
            return (Extent(left), right.axes) if isinstance(left, (Extent, list)) else (left, int(right))
        return left, right

    def _holds_per_axis(self, expr: ast.Binary, left: Extent, right: Extent) -> bool:
        if len(left) != len(right):
            raise self._error("CNN046", f"{left} and {right} do not have the same number of axes", expr.span)
        if expr.operator == "!=":
            return left != right
        return all(_COMPARISONS[expr.operator](a, b) for a, b in zip(left, right, strict=True))

    def _value(self, expr: ast.Expr) -> Any:
        return self.given.evaluate(expr, {name: BudgetFunction(name, self._reader(name)) for name in QUANTITIES})

    def _reader(self, name: str) -> Callable[[dict[str, int]], int]:
        """What `name` and `name(N = 1)` mean."""

        def read(sizes: dict[str, int]) -> int:
            at = ", ".join(f"{size} = {value}" for size, value in sizes.items())
            written = f"{name}({at})" if sizes else name
            self.read[written] = value = self._quantity(name, written, sizes)
            return value

        return read

    def _quantity(self, name: str, written: str, sizes: Mapping[str, int]) -> int:
        known = self._outer(name, sizes) if self.given.path else self._checked(name, sizes)
        try:
            value = quantity(name, self.graph, known)
        except NoSpaceError:
            message = "there is no receptive field: the input has no axis of space"
            raise self._error("CNN030", message, self._place(name)) from None
        except DimError:
            self._undecided(name, written, symbolic_sizes(self.graph).keys() - known.keys())
        if not isinstance(value, int):
            self._undecided(name, written, symbols(value))
        return value

    def _checked(self, quantity_name: str, sizes: Mapping[str, int]) -> Mapping[str, int]:
        """The sizes as given, which must be those of the inputs."""
        known, span = symbolic_sizes(self.graph), self._place(quantity_name)
        for name, value in sizes.items():
            if name not in known:
                hint = f"they have {_listed(known)}" if known else "all their sizes are plain numbers"
                raise self._error("CNN022", f"the inputs have no symbolic size `{name}`", span, hint)
            if value < known[name]:
                raise self._error("CNN045", f"`{name}` is at least {known[name]:,} and cannot be {value:,}", span)
        return sizes

    def _outer(self, quantity_name: str, sizes: Mapping[str, int]) -> dict[str, int]:
        """The sizes around a model used as a block, for which its own sizes are as given."""
        found: dict[str, int] = {}
        for name, value in sizes.items():
            actual = self._value(ast.NameRef(name, self._place(quantity_name)))
            equality = equal(actual, value)
            solution = {outer: size for outer, size in equality.substitution.items() if isinstance(size, int)}
            if not equality and (not solution or len(symbols(actual)) != 1):
                raise _AnotherUseError
            found |= solution
        return found

    def _undecided(self, name: str, written: str, missing: Iterable[str]) -> NoReturn:
        names = sorted(missing)
        given = written.removeprefix(name).strip("()")
        wanted = ", ".join([*([given] if given else []), *(f"{size} = …" for size in names)])
        message = f"`{written}` depends on {_listed(names)}"
        raise self._error("CNN071", message, self._place(name), f"say at which sizes: {name}({wanted})")

    def _place(self, name: str) -> Span:
        """Where a quantity stands in the condition."""
        for node in descendants(self.given.statement.condition):
            if isinstance(node, ast.Call) and node.function.text == name:
                return node.span
            if isinstance(node, ast.NameRef) and node.text == name:
                return node.span
        return self.given.statement.condition.span  # pragma: no cover - a quantity that is read stands there

    def _error(self, code: str, message: str, span: Span, hint: str | None = None) -> Failure:
        return fail(error(code, message, span, frames=self.given.frames, hint=hint))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if type(value) in (int, float) else str(value)


def _listed(names: Iterable[str]) -> str:
    """`N`, `N and h`, `N, h and w`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
