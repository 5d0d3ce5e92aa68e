"""`embedding`: a learned vector for every index, looked up in a table.

The indices are integers from 0 to `entries` - 1; a negative one does not count from the end. `convspec run` refuses an index
out of range before the data goes in, wherever an input reaches the layer with its elements unchanged, for a compiled `.onnx`
too: directly, through layers that only move elements (reshape, flatten, permute, concat and the like), or as a part
that `split` or `slice` cuts off it.
The reference and PyTorch refuse it wherever it comes from. Elsewhere, TensorFlow and ONNX Runtime on the CPU refuse what is too
large, but count negative ones from the end; on a GPU what they do is undefined.

`padding` is the index that stands for no entry: its vector starts as zeros and gets no gradient, and so stays zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Initialiser, Integer
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import AttrError, OpDef, ParamSpec, ShapeError, attr
from convspec.ir.types import INTEGERS, Array, TensorType
from convspec.ops._dtypes import onnx_cast
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """`tokens -> embedding(30_000, 128)`, `tokens -> embedding(30_000, 128, padding = 0)`."""

    entries: int = attr(Integer(), positional=True, doc="Number of vectors; indices go from 0 to one less.")
    features: int = attr(Integer(), positional=True, doc="Length of each vector: the output's channels.")
    padding: int | None = attr(
        Integer(least=0), None, doc="The index that stands for no entry; its vector starts as zeros and gets no gradient."
    )
    init: Init | None = attr(Initialiser(), None, doc="How the vectors begin: normal(1) by default.")


def infer(a: Embedding, x: TensorType) -> TensorType:
    if x.rank not in (1, 2):
        message = f"`embedding` takes indices of rank 1 or 2, (N) or (N, length), not of rank {x.rank}"
        raise ShapeError(message, inputs={0: str(x)})
    if a.padding is not None and a.padding >= a.entries:
        message = f"`padding` is an index, 0 to {a.entries - 1} with {a.entries} entries, not {a.padding}"
        raise AttrError(message, "padding", "CNN044")
    return TensorType("float32", (x.shape[0], a.features, *x.shape[1:]))


def params(a: Embedding, x: TensorType) -> Mapping[str, ParamSpec]:
    """The weight is (entries, features)."""
    init = replace(a.init or Init("normal", value=1.0), fan_in=a.entries, fan_out=a.features, zero_row=a.padding)
    return {"weight": ParamSpec((a.entries, a.features), init)}


def indices(a: Embedding, x: TensorType) -> Mapping[int, int]:
    return {0: a.entries}


def evaluate(a: Embedding, p: Mapping[str, Array], x: Array) -> Array:
    import numpy as np

    low, high = int(x.min()), int(x.max())
    if low < 0 or high >= a.entries:
        raise IndexError(f"an index of `embedding` is {low if low < 0 else high}, with entries 0 to {a.entries - 1}")
    y: Array = p["weight"][x]
    return np.moveaxis(y, -1, 1)


def to_torch(a: Embedding, x: TensorType) -> Lowered:
    source = Call(".long", (Arg(0),)) if x.dtype == "uint8" else Arg(0)
    kwargs: dict[str, Any] = {} if a.padding is None else {"padding_idx": a.padding}
    found = Apply("nn.Embedding", (a.entries, a.features), kwargs, (source,), {"weight": Weight("weight")})
    return found if x.rank == 1 else Call(".movedim", (found, -1, 1))


def to_keras(a: Embedding, x: TensorType) -> Lowered:
    """(N, length, features) is what channels last means here. Keras's own layer lets a padding vector learn."""
    weights = {"embeddings": Weight("weight")}
    if a.padding is None:
        return Apply("layers.Embedding", (a.entries, a.features), weights=weights)
    return Apply("helpers.PaddedEmbedding", (a.entries, a.features, a.padding), weights=weights)


def to_onnx(a: Embedding, x: TensorType) -> Lowered:
    indices = onnx_cast(Arg(0), "int64") if x.dtype == "uint8" else Arg(0)
    found = Call("Gather", (Weight("weight"), indices), {"axis": 0})
    return found if x.rank == 1 else Call("Transpose", (found,), {"perm": (0, 2, 1)})


OP = OpDef(
    name="embedding",
    attrs=Embedding,
    summary="a learned vector for every index",
    dtypes=INTEGERS,
    infer=infer,
    params=params,
    indices=indices,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, f, i] = weight[x[n, i], f]",
    shape="(N) → (N, features)\n(N, length) → (N, features, length)",
    source="Bengio et al. 2003, A Neural Probabilistic Language Model",
    example="input tokens: int32[N, length]\noutput words = tokens -> embedding(1000, 64, padding = 0)",
)
