"""`lrn`: local response normalisation across channels (Krizhevsky et al. 2012)."""

from __future__ import annotations

from convspec.ir.attrs import Integer, Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import Cost, OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _precision as precision
from convspec.ops import _spatial_targets as write
from convspec.ops._elementwise import elements
from convspec.ops._spatial import spatial_rank
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lrn:
    """`lrn(5, alpha = 1e-4, beta = 0.75, k = 1.0)`: alpha is divided by the size."""

    size: int = attr(Integer(), 5, positional=True, doc="Channels that are summed over; an even number has one more before.")
    alpha: float = attr(Real(), 1e-4, doc="Weight of the mean of squares.")
    beta: float = attr(Real(), 0.75, doc="Exponent.")
    k: float = attr(Real(above=0), 1.0, doc="Added to the mean.")


def infer(a: Lrn, x: TensorType) -> TensorType:
    spatial_rank("lrn", x)
    return x


def cost(a: Lrn, x: TensorType) -> Cost:
    """Per element a square, `size` additions, a product, a sum, a power and a division."""
    return Cost(flops=elements(x) * (a.size + 5))


def evaluate(a: Lrn, p: object, x: Array) -> Array:
    """x / (k + alpha / size * the sum of squares over channels c - size // 2 … c + (size-1) // 2) ** beta."""
    import numpy as np

    around = ((0, 0), (a.size // 2, (a.size - 1) // 2), *((0, 0),) * (x.ndim - 2))
    squares = np.pad(x * x, around)
    total = sum(squares[:, i : i + x.shape[1]] for i in range(a.size))
    normalised: Array = x / (a.k + a.alpha / a.size * total) ** a.beta
    return normalised


def _numbers(a: Lrn) -> dict[str, float]:
    return write.given(alpha=(a.alpha, 1e-4), beta=(a.beta, 0.75), k=(a.k, 1.0))


def to_torch(a: Lrn, x: TensorType) -> Lowered:
    y = Call("F.local_response_norm", (precision.torch_widened(Arg(0), x.dtype), a.size), _numbers(a))
    return precision.torch_narrowed(y, x.dtype)


def to_keras(a: Lrn, x: TensorType) -> Lowered:
    return Call("helpers.local_response_norm", (Arg(0), a.size), _numbers(a))


def to_onnx(a: Lrn, x: TensorType) -> Lowered:
    """ONNX Runtime's LRN takes odd sizes and 2-D only. Else the mean of squares is a pooling over (N, 1, channels, space)."""
    wide, dtype = precision.onnx_widened(Arg(0), x.dtype)
    if a.size % 2 and x.rank == 4:
        y = Call("LRN", (wide,), {"size": a.size, "alpha": a.alpha, "beta": a.beta, "bias": a.k})
        return precision.onnx_narrowed(y, x.dtype)
    squares = Call("Mul", (wide, wide))
    planes = Call("Unsqueeze", (Call("Reshape", (squares, Const((0, 0, -1), "int64"))), Const((1,), "int64")))
    pads = (a.size // 2, 0, (a.size - 1) // 2, 0)
    means = Call("AveragePool", (planes,), {"kernel_shape": (a.size, 1), "pads": pads, "count_include_pad": 1})
    mean = Call("Reshape", (means, Call("Shape", (Arg(0),))))
    base = Call("Add", (Call("Mul", (mean, Const(a.alpha, dtype))), Const(a.k, dtype)))
    return precision.onnx_narrowed(Call("Div", (wide, Call("Pow", (base, Const(a.beta, dtype))))), x.dtype)


OP = OpDef(
    name="lrn",
    attrs=Lrn,
    summary="Local response normalisation across channels",
    formula="y[n, c, i] = x[n, c, i] / (k + alpha / size · Σⱼ x[n, j, i]²)^beta\n"
    "Σ: over channels j = c − ⌊size / 2⌋ … c + ⌊(size − 1) / 2⌋",
    shape="(N, C, n…) → (N, C, n…)",
    source="Krizhevsky et al. 2012",
    example="input image: float32[N, 3, 227, 227]\n"
    "output image -> conv(96, 11x11, stride = 4) -> relu -> lrn(5, alpha = 5e-4, k = 2)",
    infer=infer,
    cost=cost,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
