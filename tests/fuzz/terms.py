"""What the generator builds specs from: text that knows its own meaning.

A Term is an expression, a Stage what stands after `->`. Each holds its text and a function that says what it means where
names have given values: numbers are Python numbers, tensors are TensorTypes. So a block's body, once drawn, can be followed
again with other arguments, which is how the generator knows whether a second use of the block is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

from convspec import ops
from convspec.ir import dims
from convspec.ir.dims import DimError
from convspec.ir.opdef import AttrError, OpDef, ShapeError
from convspec.ir.types import TensorType
from tests.ops.cases import convert

T = TypeVar("T")
Env: TypeAlias = dict[str, Any]
"""Values by name, as they are at one place of a body."""

SIGNS = {
    **{"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow", "==": "equal", "!=": "not_equal"},
    **{">": "greater", ">=": "greater_equal", "<": "less", "<=": "less_equal"},
}

MOST_CELLS = 6_000
"""Elements that a tensor may have, the batch left out; more is slow and finds nothing."""


class Invalid(Exception):
    """What was drawn has no meaning here: a shape does not fit, a name is not there."""


@dataclass(frozen=True, slots=True)
class Term:
    """An expression. `loose`: it needs parentheses beside an operator."""

    text: str
    value: Callable[[Env], Any]
    loose: bool = False

    @property
    def tight(self) -> str:
        """The text as it may stand beside an operator."""
        return f"({self.text})" if self.loose else self.text


@dataclass(frozen=True, slots=True)
class Stage:
    """What may stand after `->`: `apply(env, x)` gives its value for the value that flows in."""

    text: str
    apply: Callable[[Env, Any], Any]


@dataclass(frozen=True, slots=True)
class StageValue:
    """A stage as a value: it means what it meant where it was written."""

    apply: Callable[[Any], Any]


class Draw:
    """Draws by chance, in such an order that the first choice is the simplest."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return int(self._draw(st.integers(low, high)))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.number(0, len(choices) - 1)]

    def chance(self, percent: int) -> bool:
        """True in about `percent` of 100 draws; false is the simpler."""
        return self.number(0, 99) >= 100 - percent

    def weighted(self, choices: Mapping[str, int]) -> str:
        """A key, as often as its weight says; the first is the simplest."""
        at = self.number(0, sum(choices.values()) - 1)
        for name, weight in choices.items():
            at -= weight
            if at < 0:
                return name
        raise AssertionError("the weights add up")


def literal(value: int | float | bool) -> Term:
    return Term(str(value).lower() if isinstance(value, bool) else repr(value), lambda env: value)


def word(text: str) -> Term:
    return Term(text, lambda env: text)


def name(text: str) -> Term:
    return Term(text, lambda env: lookup(env, text))


def lookup(env: Env, text: str) -> Any:
    if text not in env:
        raise Invalid(f"{text} is not bound")
    return env[text]


def list_of(terms: Sequence[Term]) -> Term:
    return Term(f"[{', '.join(term.text for term in terms)}]", lambda env: [term.value(env) for term in terms])


def infer(op: str, attrs: Mapping[str, Any], *types: Any, given: Sequence[str] = ()) -> Any:
    """The type of an op's output, a list of types for `split`. Invalid where the op says that it does not fit.

    `given`: the names of the inputs that are there, for an op with inputs that may be left out; the first ones by default.
    """
    definition = ops.find(op)
    assert definition is not None
    if not types or not all(isinstance(x, TensorType) for x in types):
        raise Invalid(f"{op} takes tensors")
    if definition.dtypes and not all(x.dtype in definition.dtypes for x in types):
        raise Invalid(f"{op} takes {definition.dtypes}")
    try:
        found = _inferred(definition, attrs, types, given)
    except (AttrError, ShapeError, DimError) as problem:
        raise Invalid(str(problem)) from None
    results = list(found) if isinstance(found, tuple) else [found]
    for result in results:
        check_size(result)
    return list(results) if isinstance(found, tuple) else found


def _inferred(definition: OpDef, written: Mapping[str, Any], types: Sequence[TensorType], given: Sequence[str]) -> Any:
    attrs = convert(definition, written)
    if any(name.endswith("?") for name in definition.inputs):
        names = [name.strip("?") for name in definition.inputs]
        attrs = replace(attrs, given=tuple(given or names[: len(types)]))
    attrs = definition.resolve(attrs, *types) if definition.resolve else attrs
    found = definition.infer(attrs, *types)
    check_norm(definition.name, attrs, types[0])
    if definition.params:
        definition.params(attrs, *types)
    return found


def check_size(of: TensorType) -> None:
    """Invalid where a tensor would be large at the sizes that are run: names stand for at most 4 more than they must.

    So is a tensor with other axes than a batch, channels and up to three more.
    """
    if not 2 <= of.rank <= 5:
        raise Invalid(f"rank {of.rank}")
    cells = 1
    for size in of.shape[1:]:
        cells *= dims.evaluate(size, {name: least + 4 for name, least in dims.minima(size).items()})
    if cells > MOST_CELLS:
        raise Invalid(f"{cells} cells")


def applied(op: str, inputs: Mapping[str, Term], attributes: Mapping[str, Term]) -> Term:
    """`attention(x, heads = 2, mask = m)`: an op on tensors, the first ones by position as far as none is left out."""
    definition = ops.find(op)
    assert definition is not None
    order = [name.strip("?") for name in definition.inputs]
    written = [
        term.text if place < len(order) and order[place] == key else f"{key} = {term.text}"
        for place, (key, term) in enumerate(inputs.items())
    ]
    written += [f"{key} = {term.text}" for key, term in attributes.items()]

    def value(env: Env) -> Any:
        given = {key: term.value(env) for key, term in attributes.items()}
        return infer(op, given, *(term.value(env) for term in inputs.values()), given=tuple(inputs))

    return Term(f"{op}({', '.join(written)})", value)


def piped(source: Term, stage: Stage) -> Term:
    """`x -> stage`."""
    return Term(f"{source.text} -> {stage.text}", lambda env: stage.apply(env, source.value(env)), True)


def check_norm(op: str, attrs: Any, x: TensorType) -> None:
    """Invalid for a norm of one number: it is 0 whatever the number, and all that is left of it are roundings."""
    axes = {"layernorm": getattr(attrs, "axes", ()), "instancenorm": range(2, x.rank), "groupnorm": range(2, x.rank)}
    if op not in axes:
        return
    count = x.channels // attrs.groups if op == "groupnorm" and isinstance(x.channels, int) else 1
    for at in axes[op]:
        size = x.shape[at]
        count *= dims.evaluate(size, dims.minima(size))
    if count == 1:
        raise Invalid("a norm of one number")


def tensor(value: Any) -> TensorType:
    if not isinstance(value, TensorType):
        raise Invalid("this takes a tensor")
    return value


def operation(sign: str, left: Term, right: Term) -> Term:
    """Two tensors with a sign between them."""
    op = SIGNS[sign]
    return Term(f"{left.tight} {sign} {right.tight}", lambda env: infer(op, {}, left.value(env), right.value(env)), True)


def with_number(sign: str, left: Term, right: float) -> Term:
    """`x > 0.5`."""
    shown = f"({right})" if right < 0 else str(right)
    op = SIGNS[sign]
    return Term(f"{left.tight} {sign} {shown}", lambda env: infer(op, {"right": right}, left.value(env)), True)


def short_list(value: Any) -> list[Any]:
    if type(value) is not list or len(value) > 4:
        raise Invalid("no short list")
    return value


def at(values: Any, index: int) -> Any:
    if type(values) is not list or not -len(values) <= index < len(values):
        raise Invalid("no such index")
    return values[index]


def holds_tensors(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(item, TensorType) for item in value)


def summed(values: Any) -> Any:
    total = at(values, 0)
    for value in values[1:]:
        total = infer("add", {}, total, value)
    return total


def compare(sign: str, left: Any, right: int) -> bool:
    if type(left) is not int:
        raise Invalid("no number")
    return {"==": left == right, "!=": left != right, ">": left > right, "<=": left <= right}[sign]
