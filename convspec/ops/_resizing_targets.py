"""Resizing on the targets: their own interpolation where it is exact, else cells gathered by positions counted in integers.

PyTorch and ONNX Runtime compute positions in float32. That is exact where the sizes' ratio is a power of two, and with few
cells the error stays below the gate; elsewhere it grows with the position.
"""

from __future__ import annotations

from typing import Any

from convspec.ir.dims import Size
from convspec.ir.lowering import Apply, Arg, Call, Const, Lowered
from convspec.ir.types import Array, TensorType
from convspec.ops import _onnx_numbers as numbers
from convspec.ops import _resizing as resizing
from convspec.ops import _spatial_targets as write
from convspec.ops._pooling import HALF
from convspec.ops._resizing import Resizing

FEW_CELLS = 64
"""Up to so many cells, positions in float32 are off by less than 4e-6."""


def _whole_factors(how: Resizing, x: TensorType) -> tuple[int, ...] | None:
    """Per axis how many times as large it becomes, where that is a whole number."""
    found = []
    for axis, (n, m) in enumerate(zip(x.spatial, how.sizes, strict=True)):
        if how.factor is not None and how.factor[axis][1] == 1:
            found.append(how.factor[axis][0])
        elif isinstance(n, int) and isinstance(m, int) and m % n == 0:
            found.append(m // n)
    return tuple(found) if len(found) == len(how.sizes) else None


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0


def _exact(how: Resizing, x: TensorType) -> bool:
    """Whether float32 gives positions that are exact, or good enough."""
    whole = _whole_factors(how, x)
    if whole and not how.align_corners and not how.antialias and all(map(_is_power_of_two, whole)):
        return True
    return all(isinstance(m, int) and isinstance(n, int) and n <= FEW_CELLS for n, m in zip(x.spatial, how.sizes, strict=True))


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────────────────────


def to_torch(how: Resizing, x: TensorType) -> Lowered:
    if how.is_identity(x):
        return Arg(0)
    rank, mode = len(how.sizes), how.mode
    if mode == "nearest":
        return _torch_nearest(how, x)
    kernel = not how.antialias or x.dtype not in HALF  # that the CPU has one
    if kernel and _exact(how, x) and (rank == 2 or (mode == "linear" and not how.antialias)):
        name = "bicubic" if mode == "cubic" else ("linear", "bilinear", "trilinear")[rank - 1]
        more = write.given(align_corners=(how.align_corners, False), antialias=(how.antialias, False))
        return _interpolate(how, x, {"mode": name, **more})
    return Call("helpers.resize", (Arg(0),), _arguments(how))


def _interpolate(how: Resizing, x: TensorType, kwargs: dict[str, Any]) -> Lowered:
    """`F.interpolate`, by factor if that is what was written or the size is not known."""
    if how.factor is not None and all(down == 1 for _, down in how.factor):
        return Call("F.interpolate", (Arg(0),), {"scale_factor": write.squash(tuple(up for up, _ in how.factor)), **kwargs})
    if all(isinstance(size, int) for size in how.sizes):
        return Call("F.interpolate", (Arg(0),), {"size": write.squash(how.sizes), **kwargs})
    return Call("helpers.resize", (Arg(0),), _arguments(how))


def _torch_nearest(how: Resizing, x: TensorType) -> Lowered:
    """`nearest` computes in float32; for whole factors that are no powers of two, `nearest-exact` is right."""
    if how.factor is not None and all(down == 1 for _, down in how.factor):
        exact = all(_is_power_of_two(up) for up, _ in how.factor)
        return _interpolate(how, x, {} if exact else {"mode": "nearest-exact"})
    if all(_torch_nearest_is_exact(n, m) for n, m in zip(x.spatial, how.sizes, strict=True)):
        return _interpolate(how, x, {})
    return Call("helpers.resize", (Arg(0),), _arguments(how))


def _torch_nearest_is_exact(n: Size, m: Size) -> bool:
    """Whether torch's formula in float32 gives the integers that it should."""
    import numpy as np

    if not isinstance(n, int) or not isinstance(m, int):
        return False
    found = np.floor(np.arange(m, dtype=np.float32) * (np.float32(n) / np.float32(m)))
    return bool((np.minimum(found, n - 1) == np.arange(m) * n // m).all())


def _arguments(how: Resizing) -> dict[str, Any]:
    """The keywords of the helpers, on PyTorch and Keras."""
    kwargs = write.given(mode=(how.mode, "nearest"), align_corners=(how.align_corners, False), antialias=(how.antialias, False))
    if how.like is not None:
        return {"like": Arg(how.like), **kwargs}
    if how.factor is None:
        return {"size": how.sizes, **kwargs}
    if all(down == 1 for _, down in how.factor):
        return {"factor": write.squash(tuple(up for up, _ in how.factor)), **kwargs}
    return {"factor": how.factor, **kwargs}


# ── Keras ────────────────────────────────────────────────────────────────────────────────────────────────────


def to_keras(how: Resizing, x: TensorType) -> Lowered:
    """Keras interpolates in 2-D only, in float32 only, and without `align_corners`; its nearest is exact for whole factors."""
    if how.is_identity(x):
        return Arg(0)
    whole = _whole_factors(how, x)
    if how.mode == "nearest" and whole:
        return Apply(f"layers.UpSampling{len(whole)}D", (write.squash(whole),))
    return Call("helpers.resize", (Arg(0),), _arguments(how))


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────


def to_onnx(how: Resizing, x: TensorType) -> Lowered:
    if how.is_identity(x):
        return Arg(0)
    whole = _whole_factors(how, x)
    if how.mode == "nearest" and whole:
        where = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return _onnx_resize(how, whole, where)
    if how.mode == "linear" and not how.antialias and _exact(how, x):
        corners = "align_corners" if how.align_corners else "half_pixel"
        return _onnx_resize(how, whole, {"mode": "linear", "coordinate_transformation_mode": corners})
    y: Any = Arg(0)
    for axis, m in enumerate(how.sizes, 2):
        if x.shape[axis] != m:
            y = _onnx_filter(how, x, y, axis) if how.antialias else _onnx_taps(how, x, y, axis)
    assert isinstance(y, Call)
    return y


def _onnx_resize(how: Resizing, whole: tuple[int, ...] | None, where: dict[str, Any]) -> Call:
    if whole:
        return Call("Resize", (Arg(0), "", Const((1.0, 1.0, *map(float, whole)), "float32")), where)
    axes = {"axes": tuple(range(2, 2 + len(how.sizes)))}
    return Call("Resize", (Arg(0), "", "", Const(how.sizes, "int64")), {**where, **axes})


def _lengths(how: Resizing, x: TensorType, axis: int) -> tuple[Any, Any]:
    """The input's and the output's size along an axis: numbers, or tensors."""
    size = how.sizes[axis - 2]
    n = numbers.length(Arg(0), x.shape[axis], axis)
    if isinstance(size, int):
        return n, size
    if how.like is not None:
        return n, numbers.length(Arg(how.like), size, axis)
    assert how.factor is not None, "a size that is not known comes from a factor or another tensor"
    up, down = how.factor[axis - 2]
    return n, n * up // down


def _onnx_taps(how: Resizing, x: TensorType, y: Any, axis: int) -> Any:
    """The cells that outputs see, gathered, weighted and added; tables where the sizes are known."""
    n, m = _lengths(how, x, axis)
    behind = x.rank - 1 - axis
    if isinstance(n, int) and isinstance(m, int):
        cells, parts = _tables(how, n, m, x.dtype, behind)
    else:
        found, past, unit = resizing.taps(numbers.line(m), numbers.lifted(n), numbers.lifted(m), how)
        cells, parts = [cell.node for cell in found], []
        if past is not None:
            share = (past.floats(x.dtype) / unit.floats(x.dtype)).column(behind)
            parts = [part.node for part in resizing.weights(how.mode, share)]
    gathered = [Call("Gather", (y, cell), {"axis": axis}) for cell in cells]
    if not parts:
        return gathered[0]
    total: Any = None
    for cell, part in zip(gathered, parts, strict=True):
        term = Call("Mul", (cell, part))
        total = term if total is None else Call("Add", (total, term))
    return total


def _tables(how: Resizing, n: int, m: int, dtype: str, behind: int) -> tuple[list[Any], list[Any]]:
    import numpy as np

    found, past, unit = resizing.taps(np.arange(m), n, m, how)
    cells = [Const(_tuples(cell), "int64") for cell in found]
    if past is None:
        return cells, []
    shares = resizing.weights(how.mode, past / unit)
    return cells, [Const(_tuples(share.reshape(-1, *(1,) * behind)), dtype) for share in shares]


def _tuples(array: Array) -> Any:
    return tuple(map(_tuples, array)) if array.ndim else array.item()


def _onnx_filter(how: Resizing, x: TensorType, y: Any, axis: int) -> Any:
    """The matrix of the reference, computed in the graph: distances in units of the filter's width, then its weights."""
    n, m = (numbers.lifted(count) for count in _lengths(how, x, axis))
    outputs, inputs = (numbers.line(m) * 2 + 1).column() * n, (numbers.line(n) * 2 + 1) * m
    apart = (inputs - outputs).floats(x.dtype) / (n.least(m) * 2).floats(x.dtype)
    d = numbers.Numbers(Call("Abs", (apart.node,)), x.dtype)
    zero = Const(0.0, x.dtype)
    if how.mode == "linear":
        matrix = Call("Max", ((1.0 - d).node, zero))
    else:
        near, far = (d * 1.5 - 2.5) * d * d + 1.0, ((d * -0.5 + 2.5) * d - 4.0) * d + 2.0
        is_near, is_far = (Call("Less", (d.node, Const(edge, x.dtype))) for edge in (1.0, 2.0))
        matrix = Call("Where", (is_near, near.node, Call("Where", (is_far, far.node, zero))))
    total = Call("ReduceSum", (matrix, Const((1,), "int64")), {"keepdims": 1})
    return numbers.apply_matrix(y, Call("Div", (matrix, total)), axis, x.rank)
