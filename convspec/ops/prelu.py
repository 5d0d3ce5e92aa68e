"""`prelu`: x above 0, a learned slope times x elsewhere (He et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping

from convspec.ir.attrs import Word
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import OpDef, ParamSpec, ShapeError, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each
from convspec.records import dataclass

INIT = Init("constant", value=0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prelu:
    """`prelu`, `prelu(per = one)`. The slopes start at 0.25. The gradient at 0 is the slope."""

    per: str = attr(Word(words=("channel", "one")), "channel", doc="A slope for every channel, or one for all.")


def infer(a: Prelu, x: TensorType) -> TensorType:
    if x.rank < 2:
        raise ShapeError(f"`prelu` takes a tensor with channels, of rank 2 or more, not {x.rank}", inputs={0: str(x)})
    if a.per == "channel" and not isinstance(x.channels, int):
        message = f"`prelu` has a slope for every channel, so their number must be known, but it is {x.channels}"
        raise ShapeError(message, "CNN033", inputs={0: str(x)}, hint="`prelu(per = one)` has one slope for all")
    return x


def _slopes(a: Prelu, x: TensorType) -> int:
    if a.per == "one":
        return 1
    assert isinstance(x.channels, int), "infer has seen to it"
    return x.channels


def params(a: Prelu, x: TensorType) -> Mapping[str, ParamSpec]:
    return {"weight": ParamSpec((_slopes(a, x),), INIT)}


def evaluate(a: Prelu, p: Mapping[str, Array], x: Array) -> Array:
    import numpy as np

    slope = p["weight"].reshape(-1, *[1] * (x.ndim - 2))
    return np.where(x > 0, x, x * slope)


def to_torch(a: Prelu, x: TensorType) -> Lowered:
    args = () if a.per == "one" else (x.channels,)
    return Apply("nn.PReLU", args, weights={"weight": Weight("weight")})


def to_keras(a: Prelu, x: TensorType) -> Lowered:
    """A helper: layers.PReLU has the gradient 0 at 0. Slopes lie over all axes but those that are shared."""
    shared = tuple(range(1, x.rank if a.per == "one" else x.rank - 1))
    kwargs = {"shared_axes": shared} if shared else {}
    return Apply("helpers.PRelu", kwargs=kwargs, weights={"alpha": Weight("weight", reshape=_keras_shape(a, x))})


def _keras_shape(a: Prelu, x: TensorType) -> tuple[int, ...]:
    return (*[1] * (x.rank - 2), _slopes(a, x))


def to_onnx(a: Prelu, x: TensorType) -> Lowered:
    return Call("PRelu", (Arg(0), Weight("weight", reshape=(_slopes(a, x), *[1] * (x.rank - 2)))))


OP = OpDef(
    name="prelu",
    attrs=Prelu,
    summary="x above 0, a learned slope times x elsewhere",
    formula="y[n, c, i] = x[n, c, i]               where x[n, c, i] > 0\ny[n, c, i] = weight[c] · x[n, c, i]   elsewhere",
    shape="(N, C, n…) → (N, C, n…); weight: (C) or (1)",
    source="He et al. 2015, arXiv:1502.01852",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> prelu",
    infer=infer,
    params=params,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
