"""Random expressions of ops that take several tensors, or that only go together: masks, graphs, offsets, tokens, powers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convspec.ir.dims import Size
from convspec.ir.types import FLOATS, TensorType
from tests.fuzz import layers
from tests.fuzz.layers import axis, exactly, number
from tests.fuzz.stages import Place
from tests.fuzz.terms import (
    Env,
    Invalid,
    Stage,
    Term,
    applied,
    infer,
    list_of,
    literal,
    name,
    operation,
    piped,
    tensor,
    with_number,
    word,
)

Gadget = Callable[[Place, Term], Term]
COMPARISONS = (">", ">=", "<", "<=", "==", "!=")


def draw(place: Place) -> Term:
    """One of those below, on a tensor of the place."""
    return GADGETS[place.draw.number(0, len(GADGETS) - 1)](place, place.source())


def op(op_name: str, x: Term, **attributes: Any) -> Term:
    """`x -> op(…)`, with plain numbers, words and terms as attributes."""
    given = {key: _term(value) for key, value in attributes.items()}
    written = ", ".join(f"{key} = {term.text}" for key, term in given.items())

    def apply(env: Env, of: Any) -> Any:
        return infer(op_name, {key: term.value(env) for key, term in given.items()}, of)

    return piped(x, Stage(f"{op_name}({written})" if given else op_name, apply))


def _term(value: Any) -> Term:
    if isinstance(value, Term):
        return value
    if isinstance(value, str):
        return word(value)
    return list_of([_term(item) for item in value]) if isinstance(value, list) else literal(value)


def type_of(place: Place, x: Term) -> TensorType:
    return tensor(x.value(dict(place.env)))


# ── choices ──────────────────────────────────────────────────────────────────────────────────────────────────


def condition(place: Place, x: Term) -> Term:
    """A tensor of bools with the shape of x."""
    form = place.draw.weighted({"number": 5, "tensors": 3, "not": 2, "and": 2, "or": 2})
    sign = place.draw.pick(COMPARISONS[:4])
    one = with_number(sign, x, place.draw.pick((0.1, -0.3, 0.6)))
    if form == "number":
        return one
    if form == "not":
        return op("logical_not", Term(one.tight, one.value))
    other = operation(place.draw.pick(COMPARISONS), x, place.kept(x))
    return other if form == "tensors" else applied(f"logical_{form}", {"a": one, "b": other}, {})


def _where(place: Place, x: Term) -> Term:
    chosen = condition(place, x)
    form = place.draw.weighted({"both": 3, "left": 2, "right": 2, "cast": 2})
    if form == "cast":
        return op("cast", Term(chosen.tight, chosen.value), dtype="float32")
    if form == "left":
        return applied("where", {"condition": chosen, "b": x}, {"left": literal(0.1)})
    if form == "right":
        return applied("where", {"condition": chosen, "a": x}, {"right": literal(-1)})
    return applied("where", {"condition": chosen, "a": x, "b": place.kept(x)}, {})


def _extreme(place: Place, x: Term) -> Term:
    return applied(place.draw.pick(("maximum", "minimum")), {"a": x, "b": place.kept(x)}, {})


# ── arithmetic ───────────────────────────────────────────────────────────────────────────────────────────────


def _positive(x: Term) -> Term:
    """Far enough from 0 for logarithms and divisors."""
    return with_number("+", op("abs", x), 0.4)


def _power(place: Place, x: Term) -> Term:
    form = place.draw.weighted({"square": 3, "root": 2, "exponent": 2, "tensors": 2})
    if form == "square":
        return with_number("**", x, 2)
    if form == "root":
        return with_number("**", _positive(x), place.draw.pick((1.5, -1, 0.25)))
    bounded = op("tanh", x)
    if form == "tensors":
        return operation("**", _positive(place.kept(x)), bounded)
    return Term(f"1.5 ** {bounded.tight}", lambda env: infer("pow", {"left": 1.5}, bounded.value(env)), True)


def _logarithm(place: Place, x: Term) -> Term:
    chosen = place.draw.pick(("log", "sqrt"))
    return op(chosen, Term(_positive(x).tight, _positive(x).value))


def _exponential(place: Place, x: Term) -> Term:
    return op("exp", op("tanh", x))


def _quotient(place: Place, x: Term) -> Term:
    return operation("/", x, _positive(place.kept(x)))


def _product(place: Place, x: Term) -> Term:
    """Of matrices that certainly fit: a tensor and itself, turned."""
    turned = place.draw.pick(("transpose_a", "transpose_b"))
    if place.draw.chance(40):
        other = op("permute", x, order=[0, *range(1, type_of(place, x).rank - 2), -1, -2])
        return applied("matmul", {"a": x, "b": other}, {})
    return applied("matmul", {"a": x, "b": x}, {turned: literal(True)})


# ── tokens and graphs ────────────────────────────────────────────────────────────────────────────────────────


def _row(place: Place, x: Term) -> Term:
    """x as a row of positions, which are also the nodes of a graph."""
    found = type_of(place, x)
    if found.rank < 3 or type(found.channels) is not int:
        raise Invalid("no positions")
    return x if found.rank == 3 else op("reshape", x, sizes=[exactly(place.scope, found.channels), "rest"])


def _mask(x: Term) -> Term:
    """Which positions are there."""
    return with_number(">", op("sum", x, axes="channels", keep=False), -0.5)


def _pairs(x: Term) -> Term:
    """Which positions see which."""
    return with_number(">", applied("matmul", {"a": x, "b": x}, {"transpose_a": literal(True)}), -0.2)


def _attention(place: Place, x: Term) -> Term:
    row, context = _row(place, x), _row(place, place.source())
    inputs, attributes = {"x": row}, {"heads": literal(1)}
    channels = type_of(place, row).channels
    assert isinstance(channels, int)
    attributes["heads"] = literal(place.draw.pick([d for d in range(1, channels + 1) if channels % d == 0]))
    form = place.draw.weighted({"context": 4, "mask": 3, "pairs": 3, "both": 2})
    if form in ("context", "both"):
        inputs["context"] = context
    if form != "context":
        inputs["mask"] = _pairs(row) if form == "pairs" else _mask(context if form == "both" else row)
        if form != "both" and place.draw.chance(30):
            attributes["causal"] = literal(True)
    return applied("attention", inputs, attributes)


def _graph(place: Place, x: Term) -> Term:
    row = _row(place, x)
    inputs = {"x": row, "adjacency": _pairs(row)}
    mask = {"mask": _mask(row)} if place.draw.chance(50) else {}
    form = place.draw.weighted({"conv": 5, "pool": 2, "readout": 2})
    if form == "readout":
        return applied("graph_readout", {"x": row} | mask, {"mode": word(place.draw.pick(("sum", "mean", "max")))})
    if form == "pool":
        return applied("graph_pool", inputs | mask, {"mode": word(place.draw.pick(("max", "mean")))})
    attributes = {"features": number(place.scope, 1, 6)}
    if place.draw.chance(60):
        attributes["aggregate"] = word(place.draw.pick(("sum", "mean", "max")))
    for key in ("self_loops", "root", "bias"):
        if place.draw.chance(30):
            attributes[key] = literal(place.draw.chance(50))
    return applied("graph_conv", inputs | mask, attributes)


def _tokens(place: Place, x: Term) -> Term:
    """A picture as a row of tokens, what is done to them, and the picture again."""
    found = type_of(place, x)
    if found.rank != 4 or type(found.channels) is not int or " " in x.text:
        raise Invalid("no picture with a name")
    sides = [_size(x, key, at) for key, at in (("height", 2), ("width", 3))]
    product = Term(f"{sides[0].text} * {sides[1].text}", lambda env: sides[0].value(env) * sides[1].value(env), True)
    row = op("reshape", x, sizes=[found.channels, product])
    kept = layers.keeping(place.scope, type_of(place, row))
    back = applied("reshape", {"x": piped(row, kept)}, {"sizes": list_of([literal(found.channels), *sides])})
    whole = Term(f"{back.text[:-1]}, like = {x.text})", lambda env: _like(env, piped(row, kept), x, found.channels))
    return whole


def _size(x: Term, key: str, at: int) -> Term:
    return Term(f"{x.text}.{key}", lambda env: _extent(tensor(x.value(env)), at))


def _extent(x: TensorType, at: int) -> Size:
    """Of a tensor that may have fewer axes where a block is used again."""
    if x.rank <= at:
        raise Invalid("no such axis")
    return x.shape[at]


def _like(env: Env, row: Term, x: Term, channels: Any) -> Any:
    like = tensor(x.value(env))
    return infer("reshape", {"sizes": [channels, *like.spatial]}, row.value(env), like, given=("x", "like"))


# ── space ────────────────────────────────────────────────────────────────────────────────────────────────────


def _deformed(place: Place, x: Term) -> Term:
    kernel = place.draw.pick((1, 2, 3))
    window = {"kernel": literal(kernel)} | ({"pad": literal(kernel // 2)} if place.draw.chance(50) else {})
    cells = kernel * kernel
    inputs = {"x": x, "offset": op("conv", x, filters=2 * cells, **window)}
    if place.draw.chance(40):
        inputs["mask"] = op("sigmoid", op("conv", x, filters=cells, **window))
    return applied("deform_conv", inputs, {"filters": number(place.scope, 1, 4)} | window)


def _unpooled(place: Place, x: Term) -> Term:
    """A maximum and the place it came from: the pool is written twice, once for each of its results."""
    kernel = place.draw.pick((2, 3))
    pool = op("maxpool", x, kernel=kernel, indices=True)
    values, indices = (Term(f"({pool.text})[{i}]", lambda env, i=i: pool.value(env)[i]) for i in range(2))  # type: ignore[misc]
    inputs = {"x": values, "indices": indices}
    alone = applied("max_unpool", inputs, {"kernel": literal(kernel)})
    if place.draw.chance(60) or type_of(place, alone) != type_of(place, x):  # else places may lie outside
        inputs["like"] = x
    return applied("max_unpool", inputs, {"kernel": literal(kernel)})


def _resized(place: Place, x: Term) -> Term:
    mode = place.draw.pick(("nearest", "linear", "cubic"))
    return applied("resize", {"x": x, "like": place.source()}, {"mode": word(mode)})


def _cropped(place: Place, x: Term) -> Term:
    rank = type_of(place, x).rank - 2
    smaller = op("slice", x, start=1, axis=place.draw.number(2, max(2, rank + 1)))
    return applied("crop", {"x": x, "like": smaller}, {})


def _padded(place: Place, x: Term) -> Term:
    amount = layers.pads(place.scope, type_of(place, x).rank - 2, 2, words=False)
    return op("pad", x, amount=amount, mode=place.draw.pick(("reflect", "replicate", "circular")))


# ── learned tensors and integers ─────────────────────────────────────────────────────────────────────────────


def parameter(place: Place, x: Term, axes: Sequence[int]) -> Term:
    """A learned tensor with x's sizes along some axes, where they are known."""
    shape = type_of(place, x).shape
    found = [size if at in axes and type(size) is int else 1 for at, size in enumerate(shape)]
    sizes = list_of([literal(size) for size in found])
    more = place.draw.pick(("", "", ", trainable = false", ", init = normal(0.5)"))
    return Term(f"parameter({sizes.text}{more})", lambda env: infer("parameter", {"shape": found}, x.value(env)))


def _learned(place: Place, x: Term) -> Term:
    rank = type_of(place, x).rank
    axes = [at for at in range(1, rank) if place.draw.chance(60)]
    return operation(place.draw.pick("+*"), x, parameter(place, x, axes))


def _expanded(place: Place, x: Term) -> Term:
    """A learned token for every example, or x's means along one axis put back."""
    rank = type_of(place, x).rank
    if place.draw.chance(40):
        along = axis(place.scope, rank)
        return applied("expand", {"x": op("mean", x, axes=along), "like": x}, {"axes": along})
    token = parameter(place, x, range(1, rank))
    more = place.source()
    both = applied("expand", {"x": token, "like": x}, {"axes": word("batch")})
    if type_of(place, both) == type_of(place, more):
        return operation("+", both, more)
    return both


def integers(place: Place, x: Term) -> Term:
    """From a tensor of integers to one of floats."""
    found = type_of(place, x)
    if found.rank == 2 and found.dtype != "bool":
        attributes = {"entries": literal(8), "features": number(place.scope, 1, 6)}
        if place.draw.chance(40):
            attributes["padding"] = literal(place.draw.number(0, 2))
        return applied("embedding", {"x": x}, attributes)
    if found.dtype == "bool" or place.draw.chance(40):
        return op("cast", x, dtype="float32")
    return op("normalize", x, mean=0.4, std=0.6)


def _from_integers(place: Place, x: Term) -> Term:
    known = [text for text in place.scope.names(TensorType) if place.env[text].dtype not in FLOATS]
    if not known:
        raise Invalid("no integers")
    return integers(place, name(place.draw.pick(known)))


GADGETS: tuple[Gadget, ...] = (
    *(_where, _extreme, _power, _logarithm, _exponential, _quotient, _product),
    *(_attention, _graph, _graph, _tokens, _attention),
    *(_deformed, _unpooled, _resized, _cropped, _padded, _learned, _expanded, _from_integers),
)
