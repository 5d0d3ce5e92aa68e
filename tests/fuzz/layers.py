"""Random layers for a tensor: mostly such as fit, with every attribute that convspec/ops has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import Any, TypeAlias

from convspec import ops
from convspec.ir.attrs import Extent
from convspec.ir.types import TensorType
from tests.fuzz.terms import Draw, Env, Invalid, Stage, Term, infer, list_of, literal, name, word

Attributes: TypeAlias = dict[str, Term]
"""As written: the first one or two may lose their names."""

ACTIVATIONS = ("relu", "sigmoid", "tanh", "gelu", "silu", "relu6", "hardsigmoid", "hardswish", "leaky_relu")
_SPATIAL = {
    "activation": 16,
    "catalogue": 40,
    "conv": 26,
    "batchnorm": 8,
    "maxpool": 7,
    "avgpool": 7,
    "conv_transpose": 8,
    "upsample": 4,
    "pad": 4,
    "lrn": 4,
    "dropout": 2,
    "softmax": 2,
    "linear": 3,
    "global_avgpool": 2,
    "global_maxpool": 2,
    "flatten": 3,
}
_FLAT = {"activation": 20, "catalogue": 30, "linear": 40, "batchnorm": 10, "dropout": 6, "softmax": 3, "flatten": 2}


@dataclass(slots=True)
class Scope:
    """What may be said at a place: the names and their values, what `default` changes, functions of numbers."""

    draw: Draw
    env: Env
    defaults: dict[str, Attributes] = field(default_factory=dict)
    functions: Mapping[str, Callable[[int], int]] = field(default_factory=dict)

    def names(self, of: type) -> list[str]:
        """The names whose values are of a type, the newest last."""
        return [text for text, value in self.env.items() if type(value) is of]


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────


def number(scope: Scope, low: int, high: int, percent: int = 40) -> Term:
    """An integer from low to high: a literal, or in `percent` of the cases an expression over what is bound."""
    draw = scope.draw
    if draw.chance(percent):
        fitting = [term for term in _expressions(scope) if _fits(scope.env, term, low, high)]
        if fitting:
            return draw.pick(fitting)
    return literal(draw.number(low, high))


def _fits(env: Env, term: Term, low: int, high: int) -> bool:
    try:
        value = term.value(env)
    except (Invalid, IndexError, ArithmeticError):
        return False
    return type(value) is int and low <= value <= high


def _expressions(scope: Scope) -> Iterator[Term]:
    for text, value in scope.env.items():
        if type(value) is int:
            yield from _of_integer(scope, name(text))
        elif isinstance(value, TensorType) and type(value.channels) is int:
            yield from _of_integer(scope, _channels(text))
        elif type(value) is list and value and all(type(item) is int for item in value):
            yield from _of_list(text)


def _channels(text: str) -> Term:
    def value(env: Env) -> Any:
        found = name(text).value(env)
        if not isinstance(found, TensorType):
            raise Invalid(f"{text} is no tensor")
        return found.channels

    return Term(f"{text}.channels", value)


def _integer(term: Term, env: Env) -> int:
    value = term.value(env)
    if type(value) is not int:
        raise Invalid("a plain number is wanted")
    return value


def _of_integer(scope: Scope, term: Term) -> Iterator[Term]:
    yield term
    yield Term(f"2 * {term.text}", lambda env: 2 * _integer(term, env), True)
    yield Term(f"{term.text} // 2", lambda env: _integer(term, env) // 2, True)
    yield Term(f"{term.text} + 1", lambda env: _integer(term, env) + 1, True)
    yield Term(f"max({term.text} - 1, 1)", lambda env: max(_integer(term, env) - 1, 1))
    for text, function in scope.functions.items():
        yield Term(f"{text}({term.text})", lambda env, function=function: function(_integer(term, env)))  # type: ignore[misc]


def _of_list(text: str) -> Iterator[Term]:
    def reading(form: str, read: Callable[[list[int]], int]) -> Term:
        def value(env: Env) -> int:
            items = name(text).value(env)
            if type(items) is not list or not items or not all(type(item) is int for item in items):
                raise Invalid(f"{text} is no list of numbers")
            return read(items)

        return Term(form, value)

    yield reading(f"{text}[0]", lambda items: items[0])
    yield reading(f"{text}[-1]", lambda items: items[-1])
    yield reading(f"len({text})", len)
    yield reading(f"max({text})", max)
    yield reading(f"sum({text})", sum)


def exactly(scope: Scope, value: int) -> Term:
    """A way to write a number."""
    return number(scope, value, value)


def per_axis(scope: Scope, rank: int, low: int, high: int) -> Term:
    """`3`, `3x5`, `[1, s, 2]`, or a size that is bound."""
    draw = scope.draw
    form = draw.weighted({"one": 5, "size": 3, "list": 2, "bound": 1})
    if form == "bound":
        bound = [text for text in scope.names(Extent) if len(scope.env[text]) == rank and max(scope.env[text]) <= high]
        if bound:
            return name(draw.pick(bound))
    if form == "list":
        return list_of([number(scope, low, high) for _ in range(rank)])
    if form == "size" and rank > 1:
        return extent([draw.number(low, high) for _ in range(rank)])
    return number(scope, low, high)


def extent(sizes: Sequence[int]) -> Term:
    value = Extent(sizes)
    return Term(str(value), lambda env: value)


def pads(scope: Scope, rank: int, most: int, words: bool = True) -> Term:
    """`1`, `[1, 2]`, `[[0, 1], [2, 1]]`, `same`."""
    draw = scope.draw
    form = draw.weighted({"one": 4, "sides": 4, "axes": 2, "same": 2 if words else 0})
    if form == "same":
        return word("same")
    if form == "sides":
        return list_of([list_of([number(scope, 0, most, 15) for _ in range(2)]) for _ in range(rank)])
    if form == "axes":
        return list_of([number(scope, 0, most, 15) for _ in range(rank)])
    return number(scope, 0, most)


# ── layers ───────────────────────────────────────────────────────────────────────────────────────────────────


def call(scope: Scope, op: str, attributes: Attributes) -> Stage:
    """The layer as text, and its meaning under the `default`s that hold here."""
    defaults = dict(scope.defaults.get(op, {}))
    definition = ops.find(op)
    assert definition is not None
    positional = definition.positional
    bare = (
        0
        if scope.draw.chance(5) and "block" not in attributes
        else sum(pair[0] == pair[1] for pair in zip(attributes, positional, strict=False))
    )
    written = [term.text if place < bare else f"{key} = {term.text}" for place, (key, term) in enumerate(attributes.items())]
    text = f"{op}({', '.join(written)})" if written else op

    def apply(env: Env, x: Any) -> Any:
        given = {key: term.value(env) for key, term in {**defaults, **attributes}.items()}
        return infer(op, given, x)

    return Stage(text, apply)


def layer(scope: Scope, x: TensorType) -> Stage:
    """A layer for x. Whether it fits is for `apply` to say."""
    kinds = _SPATIAL if x.rank in (3, 4, 5) else _FLAT
    kind = scope.draw.weighted(kinds)
    if kind == "activation":
        return activation(scope)
    if kind == "catalogue":
        from tests.fuzz import catalogue

        return catalogue.stage(scope, x)
    return call(scope, kind, _ATTRIBUTES[kind](scope, x) if kind in _ATTRIBUTES else {})


def activation(scope: Scope) -> Stage:
    op = scope.draw.pick(ACTIVATIONS)
    attributes: Attributes = {}
    if op == "leaky_relu" and scope.draw.chance(70):
        attributes["slope"] = literal(scope.draw.pick((0.1, 0.2, 0.3)))
    if op == "gelu" and scope.draw.chance(30):
        attributes["approx"] = word("tanh")
    return call(scope, op, attributes)


def keeping(scope: Scope, x: TensorType) -> Stage:
    """A layer that leaves the shape as it is, so that what comes out can be added to what went in."""
    kind = scope.draw.weighted({"activation": 5, "conv": 8, "batchnorm": 2})
    if kind == "activation" or type(x.channels) is not int:
        return activation(scope)
    if kind == "batchnorm":
        return call(scope, "batchnorm", {})
    if x.rank == 2:
        return call(scope, "linear", {"features": exactly(scope, x.channels)})
    return call(scope, "conv", {"filters": exactly(scope, x.channels)} | _kept_sizes(scope, x))


def _kept_sizes(scope: Scope, x: TensorType) -> Attributes:
    """A window with stride 1 and all the padding that it needs."""
    draw, rank = scope.draw, x.rank - 2
    kernel = draw.pick((3, 1, 5) if rank < 3 else (3, 1))
    dilation = draw.pick((1, 1, 1, 2))
    form: Term = draw.pick((literal(kernel), extent([kernel] * rank) if rank > 1 else literal(kernel)))
    found: Attributes = {"kernel": form}
    found["pad"] = word("same") if draw.chance(30) else literal(kernel // 2 * dilation)
    if dilation > 1:
        found["dilation"] = literal(dilation)
    return found


def _conv(scope: Scope, x: TensorType) -> Attributes:
    draw, rank = scope.draw, x.rank - 2
    found = _filters(scope, x)
    groups = {"groups": found.pop("groups")} if "groups" in found else {}
    if draw.chance(45):
        found |= _kept_sizes(scope, x)
    else:
        found["kernel"] = per_axis(scope, rank, 1, 4 if rank < 3 else 3)
        if draw.chance(60):
            found["stride"] = per_axis(scope, rank, 1, 3)
        if draw.chance(70):
            found["pad"] = pads(scope, rank, 3)
            found |= pad_mode(scope)
        if draw.chance(25):
            found["dilation"] = per_axis(scope, rank, 1, 3)
    return found | groups | _bias(scope)


def pad_mode(scope: Scope) -> Attributes:
    """`reflect`, or a value that surrounds the tensor."""
    if not scope.draw.chance(25):
        return {}
    mode = scope.draw.pick(("zeros", "reflect", "replicate", "circular", "constant"))
    return {"pad_mode": word(mode)} | ({"pad_value": literal(0.5)} if mode == "constant" else {})


def _filters(scope: Scope, x: TensorType) -> Attributes:
    """The filters, and in some cases groups that divide them and the channels."""
    draw = scope.draw
    if type(x.channels) is not int or not draw.chance(25):
        return {"filters": number(scope, 1, 8)}
    groups = draw.pick([g for g in range(1, x.channels + 1) if x.channels % g == 0][::-1])
    filters = groups * draw.number(1, max(1, 8 // groups))
    divisor = gcd(groups, filters)
    return {"filters": exactly(scope, filters), "groups": exactly(scope, divisor)}


def _bias(scope: Scope) -> Attributes:
    draw = scope.draw
    found: Attributes = {}
    if draw.chance(40):
        found["bias"] = flag(scope, False)
    if draw.chance(5):
        found["init"] = word(draw.pick(("kaiming_normal", "xavier_uniform", "truncated_normal(0.02)")))
        found["init"] = Term(found["init"].text, lambda env: None)
    return found


def flag(scope: Scope, value: bool) -> Term:
    """true or false, or a name that is it."""
    names = [text for text in scope.names(bool)]
    if names and scope.draw.chance(40):
        chosen = scope.draw.pick(names)
        return Term(f"not {chosen}", lambda env: not name(chosen).value(env), True) if scope.draw.chance(40) else name(chosen)
    return literal(value)


def _conv_transpose(scope: Scope, x: TensorType) -> Attributes:
    draw, rank = scope.draw, x.rank - 2
    found = _filters(scope, x)
    groups = {"groups": found.pop("groups")} if "groups" in found else {}
    found["kernel"] = per_axis(scope, rank, 1, 4 if rank < 3 else 3)
    if draw.chance(60):
        found["stride"] = per_axis(scope, rank, 1, 3)
    if draw.chance(50):
        found["pad"] = pads(scope, rank, 2)
    if draw.chance(30):
        found["output_padding"] = per_axis(scope, rank, 0, 2)
    if draw.chance(20):
        found["dilation"] = per_axis(scope, rank, 1, 3)
    return found | groups | _bias(scope)


def _pool(scope: Scope, x: TensorType) -> Attributes:
    draw, rank = scope.draw, x.rank - 2
    found = {"kernel": per_axis(scope, rank, 1, 4)}
    if draw.chance(60):
        found["stride"] = per_axis(scope, rank, 1, 3)
    if draw.chance(50):
        found["pad"] = pads(scope, rank, 2)
    if draw.chance(35):
        found["ceil"] = flag(scope, True)
    return found


def _maxpool(scope: Scope, x: TensorType) -> Attributes:
    found = _pool(scope, x)
    if scope.draw.chance(20):
        found["dilation"] = per_axis(scope, x.rank - 2, 1, 3)
    return found


def _avgpool(scope: Scope, x: TensorType) -> Attributes:
    return _pool(scope, x) | ({"count_pad": flag(scope, False)} if scope.draw.chance(40) else {})


def _upsample(scope: Scope, x: TensorType) -> Attributes:
    draw = scope.draw
    found = {"factor": per_axis(scope, x.rank - 2, 1, 3)}
    if draw.chance(50):
        found["mode"] = word("linear")
        if draw.chance(40):
            found["align_corners"] = literal(True)
    return found


def _pad(scope: Scope, x: TensorType) -> Attributes:
    found = {"amount": pads(scope, x.rank - 2, 2, words=False)}
    return found | ({"value": literal(scope.draw.pick((0.5, -1.0, 2)))} if scope.draw.chance(40) else {})


def _lrn(scope: Scope, x: TensorType) -> Attributes:
    draw = scope.draw
    found: Attributes = {"size": number(scope, 1, 6)} if draw.chance(80) else {}
    for key, values in (("alpha", (0.5, 0.01)), ("beta", (0.5, 1.0)), ("k", (2.0, 0.5))):
        if draw.chance(50):
            found[key] = literal(draw.pick(values))
    return found


def _linear(scope: Scope, x: TensorType) -> Attributes:
    found = {"features": number(scope, 1, 8)}
    if x.rank > 2:
        found["axis"] = word("channels")
    return found | _bias(scope)


def axis(scope: Scope, rank: int) -> Term:
    """An axis other than the batch, by name or by number."""
    names = {2: ["channels"], 3: ["channels", "length"], 4: ["channels", "height", "width"]}
    known = names.get(rank, ["channels", "depth", "height", "width"])
    index = scope.draw.number(0, len(known) - 1)
    # A word that is bound means its value.
    words = [word(known[index])] if known[index] not in scope.env else []
    return scope.draw.pick([*words, literal(index + 1), literal(index + 1 - rank)])


_ATTRIBUTES: dict[str, Callable[[Scope, TensorType], Attributes]] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "maxpool": _maxpool,
    "avgpool": _avgpool,
    "upsample": _upsample,
    "pad": _pad,
    "lrn": _lrn,
    "linear": _linear,
    "dropout": lambda scope, x: {"rate": literal(scope.draw.pick((0.5, 0.1)))} if scope.draw.chance(70) else {},
    "softmax": lambda scope, x: {"axis": axis(scope, x.rank)} if scope.draw.chance(50) else {},
    "batchnorm": lambda scope, x: {"eps": literal(0.001)} if scope.draw.chance(30) else {},
}
