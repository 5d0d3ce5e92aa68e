"""Random size expressions, computed in two ways: by plain Python integers (the oracle) and by symbolic sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from convspec.ir.dims import Size


@dataclass(frozen=True)
class Tree:
    """`operator` applied to `operands`; "name" and "int" are leaves that hold `text` or `number`."""

    operator: str
    operands: tuple[Tree, ...] = ()
    text: str = ""
    number: int = 0

    def compute(self, values: Mapping[str, int]) -> int:
        """The value by Python's own integers."""
        result = self.apply(values)
        assert isinstance(result, int)
        return result

    def apply(self, values: Mapping[str, Size]) -> Size:
        """The value with whatever numbers the names stand for."""
        if self.operator == "int":
            return self.number
        if self.operator == "name":
            return values[self.text]
        inner = [operand.apply(values) for operand in self.operands]
        match self.operator:
            case "+":
                return inner[0] + inner[1]
            case "-":
                return inner[0] - inner[1]
            case "*":
                return inner[0] * inner[1]
            case "//":
                return inner[0] // self.number
            case "%":
                return inner[0] % self.number
        raise AssertionError(self.operator)


def trees(names: str, *, linear: bool = False, divisors: int = 6, leaves: int = 6) -> st.SearchStrategy[Tree]:
    """Expressions over one-letter names. Where `linear`, only numbers multiply."""
    number = st.integers(-9, 9).map(lambda n: Tree("int", number=n))
    leaf = number | st.sampled_from(names).map(lambda name: Tree("name", text=name))

    def grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        pairs = st.tuples(inner, inner)
        factors = st.tuples(number, inner) if linear else pairs
        return st.one_of(
            pairs.map(lambda two: Tree("+", two)),
            pairs.map(lambda two: Tree("-", two)),
            factors.map(lambda two: Tree("*", two)),
            st.builds(lambda one, m: Tree("//", (one,), number=m), inner, st.integers(1, divisors)),
            st.builds(lambda one, m: Tree("%", (one,), number=m), inner, st.integers(1, divisors)),
        )

    return st.recursive(leaf, grow, max_leaves=leaves)
