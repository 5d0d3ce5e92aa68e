"""Random layers on one tensor from the rest of the catalogue: each op has its turn as often as any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from convspec.ir.types import TensorType
from tests.fuzz import layers
from tests.fuzz.layers import Attributes, Scope, axis, exactly, flag, number, pad_mode, pads, per_axis
from tests.fuzz.terms import Invalid, Stage, list_of, literal, word

Drawn: TypeAlias = Callable[[Scope, TensorType], Attributes]


def stage(scope: Scope, x: TensorType) -> Stage:
    """A layer from the lists below. Whether it fits is for `apply` to say."""
    known = {**ANYWHERE, **(SPATIAL if x.rank in (3, 4, 5) else {})}
    op = scope.draw.pick(list(known))
    try:
        return layers.call(scope, op, known[op](scope, x))
    except Invalid:
        return layers.activation(scope)


def _some(**choices: tuple[Any, ...]) -> Drawn:
    """Each attribute in half of the cases, one of its values: words, numbers, truths."""

    def draw(scope: Scope, x: TensorType) -> Attributes:
        found: Attributes = {}
        for key, values in choices.items():
            if scope.draw.chance(50):
                value = scope.draw.pick(values)
                found[key] = word(value) if isinstance(value, str) else literal(value)
        return found

    return draw


def _axis_of(key: str, more: Drawn | None = None) -> Drawn:
    return lambda scope, x: ({key: axis(scope, x.rank)} if scope.draw.chance(60) else {}) | (more(scope, x) if more else {})


def _axes(words: tuple[str, ...], more: Drawn) -> Drawn:
    """`axes`: one, several, or a word for several."""

    def draw(scope: Scope, x: TensorType) -> Attributes:
        form = scope.draw.weighted({"one": 3, "word": 3, "list": 2, "none": 2})
        if form == "none":
            return more(scope, x)
        if form == "word":
            return {"axes": word(scope.draw.pick(words))} | more(scope, x)
        if form == "list":
            first = scope.draw.number(1, x.rank - 1)
            return {"axes": list_of([literal(at) for at in range(first, x.rank)])} | more(scope, x)
        return {"axes": axis(scope, x.rank)} | more(scope, x)

    return draw


def _channels(x: TensorType) -> int:
    if type(x.channels) is not int:
        raise Invalid("as many channels as it likes")
    return x.channels


def _divisor(scope: Scope, count: int) -> int:
    return scope.draw.pick([d for d in range(1, count + 1) if count % d == 0][::-1])


def _dividing(key: str, more: Drawn | None = None) -> Drawn:
    """A number that divides the channels."""
    return lambda scope, x: {key: exactly(scope, _divisor(scope, _channels(x)))} | (more(scope, x) if more else {})


def _normed(word_for_all: str, more: Drawn) -> Drawn:
    return _axes(("channels", word_for_all), more)


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────


def window(scope: Scope, x: TensorType) -> Attributes:
    """What convolutions without groups share: kernel, stride, padding of every mode, dilation, bias."""
    draw, rank = scope.draw, x.rank - 2
    found: Attributes = {"kernel": per_axis(scope, rank, 1, 3)}
    if draw.chance(40):
        found["stride"] = per_axis(scope, rank, 1, 2)
    if draw.chance(60):
        found["pad"] = word("causal") if rank == 1 and draw.chance(40) else pads(scope, rank, 2)
        found |= pad_mode(scope)
    if draw.chance(25):
        found["dilation"] = per_axis(scope, rank, 1, 2)
    return found | ({"bias": flag(scope, False)} if draw.chance(40) else {})


def _depthwise(scope: Scope, x: TensorType) -> Attributes:
    found = window(scope, x)
    multiplier: Attributes = {"multiplier": number(scope, 1, 3)} if scope.draw.chance(50) else {}
    return {"kernel": found.pop("kernel")} | multiplier | found


def _separable(scope: Scope, x: TensorType) -> Attributes:
    return {"filters": number(scope, 1, 6)} | window(scope, x) | _some(multiplier=(2, 3))(scope, x)


def _ws(scope: Scope, x: TensorType) -> Attributes:
    groups = _divisor(scope, _channels(x))
    filters = groups * scope.draw.number(1, max(1, 6 // groups))
    return {"filters": exactly(scope, filters)} | window(scope, x) | ({"groups": literal(groups)} if groups > 1 else {})


def _lp(scope: Scope, x: TensorType) -> Attributes:
    rank = x.rank - 2
    found: Attributes = {"kernel": per_axis(scope, rank, 1, 3)}
    found |= _some(p=(1.0, 2.0, 3.0), stride=(1, 2), ceil=(True,))(scope, x)
    return found | ({"pad": pads(scope, rank, 1)} if scope.draw.chance(40) else {})


def _blur(scope: Scope, x: TensorType) -> Attributes:
    return _some(kernel=(2, 3, 4, 5), stride=(1, 2, 3), pad_mode=("zeros", "reflect", "replicate", "circular"))(scope, x)


def _resize(scope: Scope, x: TensorType) -> Attributes:
    draw = scope.draw
    found: Attributes = {"size": per_axis(scope, x.rank - 2, 1, 6)}
    if draw.chance(50):
        found = {"factor": literal(draw.pick((1.5, 2, 0.5, 0.75, 3)))}
    found["mode"] = word(draw.pick(("nearest", "linear", "cubic")))
    if draw.chance(40) and found["mode"].text != "nearest":
        found[draw.pick(("antialias", "align_corners"))] = literal(True)
    return found


def _block(key: str) -> Drawn:
    """A factor for space to become channels, or the other way round."""
    return lambda scope, x: {key: per_axis(scope, x.rank - 2, 1, 2)}


def _crop(scope: Scope, x: TensorType) -> Attributes:
    return {"amount": pads(scope, x.rank - 2, 1, words=False)}


def _attention(scope: Scope, x: TensorType) -> Attributes:
    found: Attributes = {"heads": exactly(scope, _divisor(scope, _channels(x)))}
    if scope.draw.chance(30):
        found["features"] = literal(found["heads"].value(scope.env) * scope.draw.number(1, 3))
    return found | _some(filters=(1, 3, 4), bias=(False,), causal=(True,), scale=(0.7,))(scope, x)


# ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────


def _permute(scope: Scope, x: TensorType) -> Attributes:
    order = list(range(1, x.rank))
    for at in range(len(order) - 1, 0, -1):
        other = scope.draw.number(0, at)
        order[at], order[other] = order[other], order[at]
    return {"order": list_of([literal(0), *map(literal, order)])}


def _slice(scope: Scope, x: TensorType) -> Attributes:
    draw = scope.draw
    found: Attributes = {"start": literal(draw.pick((0, 1, -2)))} if draw.chance(60) else {}
    found |= {"stop": literal(draw.pick((-1, 2, 3)))} if draw.chance(40) else {}
    return found | _some(step=(2, 3))(scope, x) | {"axis": axis(scope, x.rank)}


def _roll(scope: Scope, x: TensorType) -> Attributes:
    return {"shift": literal(scope.draw.pick((1, 2, -1, -5)))} | {"axis": axis(scope, x.rank)}


def _tile(scope: Scope, x: TensorType) -> Attributes:
    return {"repeats": list_of([number(scope, 1, 2) for _ in range(x.rank - 1)])}


def _reshape(scope: Scope, x: TensorType) -> Attributes:
    """All in one row, channels kept or cut, or an axis more."""
    draw = scope.draw
    first = exactly(scope, _divisor(scope, _channels(x)))
    rest = word("rest") if draw.chance(70) else literal(-1)
    return {"sizes": list_of(draw.pick(([first, rest], [rest], [rest, first], [first, rest, literal(1)])))}


def _squeeze(scope: Scope, x: TensorType) -> Attributes:
    ones = [at for at in range(1, x.rank) if x.shape[at] == 1]
    if not ones:
        raise Invalid("no axis of size 1")
    return {"axis": literal(scope.draw.pick(ones))}


def _clip(scope: Scope, x: TensorType) -> Attributes:
    return scope.draw.pick(({"min": literal(-0.5), "max": literal(0.8)}, {"min": literal(0)}, {"max": literal(1.5)}))


def _extreme(scope: Scope, x: TensorType) -> Attributes:
    return {"number": literal(scope.draw.pick((0.2, -0.4, 0)))}


_none = _some()
_reduced = _axes(("spatial", "channels", "all"), _some(keep=(False, True)))
ANYWHERE: Mapping[str, Drawn] = {
    **dict.fromkeys(("mish", "softsign", "selu", "logsigmoid", "abs", "neg", "identity"), _none),
    "celu": _some(alpha=(0.5, 2.0)),
    "elu": _some(alpha=(0.5, 2.0)),
    "softplus": _some(beta=(2.0, 0.5)),
    "hardtanh": _some(min=(-0.5,), max=(0.75,)),
    "threshold": lambda scope, x: {"threshold": literal(0.1)} | _some(value=(-1.0, 0.3))(scope, x),
    "prelu": _some(per=("one", "channel")),
    "clip": _clip,
    "maximum": _extreme,
    "minimum": _extreme,
    "log_softmax": _axis_of("axis"),
    "softmax": _axis_of("axis"),
    "glu": _axis_of("axis"),
    "maxout": _dividing("pieces"),
    "layernorm": _normed("all", _some(eps=(0.01,), affine=(False,))),
    "rmsnorm": _normed("all", _some(eps=(0.01,), affine=(False,))),
    "l2norm": _normed("all", _none),
    "drop_path": _some(rate=(0.2,)),
    "dropout": _some(rate=(0.2,)),
    "cast": lambda scope, x: {"dtype": word("float32")},
    "sum": _reduced,
    "mean": _reduced,
    "max": _reduced,
    "min": _reduced,
    "channel_shuffle": _dividing("groups"),
    "permute": _permute,
    "slice": _slice,
    "roll": _roll,
    "reverse": lambda scope, x: {"axis": axis(scope, x.rank)},
    "tile": _tile,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "unsqueeze": lambda scope, x: {"axis": literal(scope.draw.number(1, x.rank))},
}
SPATIAL: Mapping[str, Drawn] = {
    "depthwise_conv": _depthwise,
    "separable_conv": _separable,
    "ws_conv": _ws,
    "adaptive_avgpool": lambda scope, x: {"size": per_axis(scope, x.rank - 2, 1, 4)},
    "adaptive_maxpool": lambda scope, x: {"size": per_axis(scope, x.rank - 2, 1, 4)},
    "lppool": _lp,
    "blurpool": _blur,
    "resize": _resize,
    "groupnorm": _dividing("groups", _some(eps=(0.01,), affine=(False,))),
    "instancenorm": _some(eps=(0.01,), affine=(True,)),
    "channel_dropout": _some(rate=(0.2,)),
    "normalize": _some(mean=(0.5,), std=(0.3,), scale=(2.0,)),
    "pixel_shuffle": _block("factor"),
    "pixel_unshuffle": _block("factor"),
    "depth_to_space": _block("factor"),
    "space_to_depth": _block("factor"),
    "crop": _crop,
    "attention": _attention,
    "graph_readout": _some(mode=("mean", "max", "sum")),
}
