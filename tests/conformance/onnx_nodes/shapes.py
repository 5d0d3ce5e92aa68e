"""Operators that move elements, and matrix products."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from tests.conformance.onnx_nodes.reducing import bracketed
from tests.conformance.onnx_nodes.sheet import Node, Translator, number
from tests.conformance.onnx_nodes.windows import pairs

# ── cutting and joining ──────────────────────────────────────────────────────────────────────────────────────


def concat(node: Node) -> str:
    axis = node.axis(node.get("axis"))
    return node.let(f"concat({', '.join(node.operands())}, axis = {axis})")


def split(node: Node) -> list[str]:
    """The last of equal parts is smaller where they do not come out even."""
    axis = node.axis(node.get("axis", 0))
    whole, count = node.shape()[axis - node.lift], len(node.outputs)
    sizes = node.known(1) if node.opset >= 13 else node.get("split")
    each = -(-whole // count)
    if sizes is None:
        sizes = [each] * (count - 1) + [whole - each * (count - 1)]
    even = len(set(map(int, sizes))) == 1
    parts = str(count) if even else bracketed(map(int, sizes))
    return node.lets(f"{node.tensor()} -> split({parts}, axis = {axis})", count)


def slice_(node: Node) -> str:
    """Positions out of range are brought into it, as the operator does; a negative step goes through the reversed axis."""
    if node.opset >= 10:
        starts, ends, axes, steps = (node.known(index) for index in range(1, 5))
    else:
        starts, ends, axes, steps = node.get("starts"), node.get("ends"), node.get("axes"), None
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    found = node.tensor()
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = node.axis(axis)
        n = node.shape()[place - node.lift]
        first, last, by = slice(int(start), int(end), int(step)).indices(n)
        if by < 0:
            found = node.let(f"{found} -> reverse(axis = {place})")
            first, last, by = n - 1 - first, n - 1 - last, -by
        found = node.let(f"{found} -> slice({first}, {last}, step = {by}, axis = {place})")
    return found


def gather(node: Node) -> str:
    """Rows of a stored table are an embedding; anything else is slices side by side."""
    indices, axis = node.known(1), node.get("axis", 0)
    if axis == 0 and node.rank() > 1 and indices.ndim in (1, 2) and (indices >= 0).all() and not node.lift:
        return _embedded(node, indices)
    place = node.axis(axis)
    n = node.shape()[place - node.lift]
    parts = [f"{node.tensor()} -> slice({i}, {i + 1}, axis = {place})" for i in (int(i) % n for i in indices.reshape(-1))]
    joined = node.let(f"concat({', '.join(map(node.let, parts))}, axis = {place})")
    shape = (1,) * node.lift + node.shape()
    return node.let(f"{joined} -> reshape({bracketed([*shape[1:place], *indices.shape, *shape[place + 1 :]])})")


def _embedded(node: Node, indices: np.ndarray) -> str:
    table = node.known(0)
    features = prod(table.shape[1:])
    found = node.layer(node.tensor(1), f"embedding({len(table)}, {features})", weight=table.reshape(len(table), -1))
    if indices.ndim == 2:
        found = node.let(f"{found} -> permute([0, 2, 1])")
    if table.ndim == 2:
        return found
    return node.let(f"{found} -> reshape({bracketed([*indices.shape[1:], *table.shape[1:]])})")


# ── new shapes ───────────────────────────────────────────────────────────────────────────────────────────────


def flatten(node: Node) -> str:
    axis, shape = node.get("axis", 1) % node.rank() if node.get("axis", 1) < 0 else node.get("axis", 1), node.shape()
    if axis == 1 and len(shape) > 1 and not node.lift:
        return node.let(f"{node.tensor()} -> flatten")
    node.lifted(1)
    return node.let(f"{node.tensor()} -> reshape([{prod(shape[:axis])}, {prod(shape[axis:])}])")


def reshape(node: Node) -> str:
    """0 takes the size that is there, unless it is a size."""
    shape, wanted = node.shape(), [int(n) for n in node.known(1)]
    if not node.get("allowzero", 0):
        wanted = [shape[place] if n == 0 else n for place, n in enumerate(wanted)]
    batch = wanted[0] == shape[0] or (wanted[0] == -1 and prod(shape[1:]) == prod(wanted[1:]))
    if batch and len(wanted) > 1 and not node.lift:
        return node.let(f"{node.tensor()} -> reshape({bracketed(wanted[1:])})")
    node.lifted(1)
    return node.let(f"{node.tensor()} -> reshape({bracketed([*[1] * (node.lift - 1), *wanted])})")


def squeeze(node: Node) -> str:
    axes = node.known(1) if node.opset >= 13 else node.get("axes")
    if axes is None:
        axes = [place for place, n in enumerate(node.shape()) if n == 1]
    return node.let(f"{node.tensor()} -> squeeze({bracketed(sorted(node.axes(axes)))})")


def unsqueeze(node: Node) -> str:
    axes = node.known(1) if node.opset >= 13 else node.get("axes")
    rank, found = node.rank() + len(axes), node.tensor()
    for axis in sorted(node.axes(axes, rank)):
        found = node.let(f"{found} -> unsqueeze({axis})")
    return found


def transpose(node: Node) -> str:
    order = node.get("perm", list(reversed(range(node.rank()))))
    if order[0] != 0:
        node.lifted(1)
    return node.let(f"{node.tensor()} -> permute({bracketed([*range(node.lift), *(place + node.lift for place in order)])})")


def tile(node: Node) -> str:
    repeats = [int(n) for n in node.known(1)]
    rank = node.rank()
    if repeats[0] != 1 or rank == 1:
        node.lifted(1)
    return node.let(f"{node.tensor()} -> tile({bracketed([*[1] * node.lift, *repeats][1:])})")


def expand(node: Node) -> str:
    """The sizes come from a tensor of zeros that has them."""
    wanted = [int(n) for n in node.known(1)]
    rank = max(node.rank(), len(wanted))
    sizes = (1,) * (rank - node.rank()) + node.shape()
    wanted = [1] * (rank - len(wanted)) + wanted
    result = [max(pair) for pair in zip(sizes, wanted, strict=True)]
    axes = [place + node.lift for place, (n, m) in enumerate(zip(sizes, result, strict=True)) if n != m]
    x = node.tensor(0, sizes)
    if not axes:
        return node.let(f"{x} -> identity")
    like = node.input(np.zeros([1] * node.lift + result, np.float32))
    return node.let(f"{x} -> expand({like}, axes = {bracketed(axes)})")


def pad(node: Node) -> str:
    """Padding is spatial here, so axes of size 1 come before the first one that is padded. Less than 0 cuts off."""
    rank, mode = node.rank(), node.get("mode", "constant")
    amounts = [int(n) for n in (node.known(1) if node.opset >= 11 else node.get("pads"))]
    axes = node.known(3) if node.opset >= 18 else None
    places = list(range(rank)) if axes is None else [int(axis) % rank for axis in axes]
    by_axis = {place: (amounts[i], amounts[i + len(places)]) for i, place in enumerate(places)}
    first = min((place for place, amount in by_axis.items() if any(amount)), default=rank)
    node.lifted(max(2 - first, 3 - rank))
    every = [(0, 0)] * node.lift + [by_axis.get(place, (0, 0)) for place in range(rank)]
    value = node.known(2) if node.opset >= 11 else node.get("value", 0.0)
    words = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    extra = f", mode = {words[mode]}" if mode != "constant" else f", value = {number(0.0 if value is None else value)}"
    x, dtype = node.tensor(), node.dtype()
    x = node.let(f"{x} -> cast(float64)") if dtype in ("int32", "int64") else x
    found = node.let(f"{x} -> pad({pairs([(max(lo, 0), max(hi, 0)) for lo, hi in every[2:]])}{extra})")
    if any(min(pair) < 0 for pair in every):
        found = node.let(f"{found} -> crop({pairs([(max(-lo, 0), max(-hi, 0)) for lo, hi in every[2:]])})")
    return node.let(f"{found} -> cast({dtype})") if dtype in ("int32", "int64") else found


def depth_to_space(node: Node) -> str:
    node.unlifted()
    layer = "pixel_shuffle" if node.get("mode", "DCR").upper() == "CRD" else "depth_to_space"
    return node.let(f"{node.tensor()} -> {layer}({node.get('blocksize')})")


def space_to_depth(node: Node) -> str:
    node.unlifted()
    layer = "pixel_unshuffle" if node.get("mode", "DCR").upper() == "CRD" else "space_to_depth"
    return node.let(f"{node.tensor()} -> {layer}({node.get('blocksize')})")


# ── matrix products ──────────────────────────────────────────────────────────────────────────────────────────


def matmul(node: Node) -> str:
    """A vector is a matrix of one row or one column, which goes away again. A stored matrix is a `linear`."""
    left, right = node.shape(0), node.shape(1)
    if len(left) == len(right) == 2 and node.is_stored(1) and not node.lift:
        return node.layer(node.tensor(0), f"linear({right[1]}, bias = false)", weight=node.known(1).T)
    a_shape = left if len(left) > 1 else (1, *left)
    b_shape = right if len(right) > 1 else (*right, 1)
    rank = max(len(a_shape), len(b_shape))
    node.lifted(3 - rank)
    a = node.tensor(0, (1,) * (rank - len(a_shape)) + a_shape)
    b = node.tensor(1, (1,) * (rank - len(b_shape)) + b_shape)
    gone = [rank - 2 + node.lift] * (len(left) == 1) + [rank - 1 + node.lift] * (len(right) == 1)
    return node.let(f"{a} -> matmul({b}){f' -> squeeze({bracketed(gone)})' if gone else ''}")


def gemm(node: Node) -> str:
    """With the second matrix as a stored weight, it is a `linear`; the factors go into the weights."""
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    weight = node.known(1) if node.is_known(1) else None
    vector = not node.has(2) or (node.is_known(2) and node.known(2).size in (1, *node.known(2).shape[-1:]))
    if node.get("transA", 0) or weight is None or not vector or node.lift:
        return _gemm_of_tensors(node, alpha, beta)
    weight = alpha * (weight if node.get("transB", 0) else weight.T)
    if not node.has(2):
        return node.layer(node.tensor(), f"linear({len(weight)}, bias = false)", weight=weight)
    bias = np.broadcast_to(beta * node.known(2).reshape(-1), len(weight))
    return node.layer(node.tensor(), f"linear({len(weight)})", weight=weight, bias=bias)


def _gemm_of_tensors(node: Node, alpha: float, beta: float) -> str:
    node.lifted(1)
    turned = [f"transpose_{name} = true" for name, key in (("a", "transA"), ("b", "transB")) if node.get(key, 0)]
    product = f"{node.tensor(0)} -> matmul({', '.join([node.tensor(1), *turned])})"
    found = node.let(product if alpha == 1.0 else f"{number(alpha)} * ({product})")
    if not node.has(2):
        return found
    c = node.tensor(2, (1,) * (2 - node.rank(2)) + node.shape(2))
    return node.let(f"{found} + {c}" if beta == 1.0 else f"{found} + {number(beta)} * {c}")


TABLE: Mapping[str, Translator] = {
    "Concat": concat,
    "DepthToSpace": depth_to_space,
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "Gemm": gemm,
    "MatMul": matmul,
    "Pad": pad,
    "Reshape": reshape,
    "Slice": slice_,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
