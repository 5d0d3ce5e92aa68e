"""Layers that scale and shift every channel by itself, y = scale · x + shift, seen as one kind of thing."""

from __future__ import annotations

from convspec.ir.graph import Node, Value
from convspec.ir.types import FLOATS, Array
from convspec.ops.add import Add
from convspec.ops.mul import Mul
from convspec.ops.parameter import Parameter as Stored
from convspec.passes.draft import Draft
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Affine:
    """`scale` and `shift` are float64 of shape (channels,); `reads` are the nodes that go when the layer goes."""

    source: Value
    scale: Array
    shift: Array
    reads: tuple[Node, ...] = ()


def affine_of(draft: Draft, node: Node) -> Affine | None:
    """A layer as an Affine; None for what is none, or whose numbers are not finite.

    A batchnorm, a `normalize` of floats, and -x, x + c, x - c, c - x, x · c, x / c with a plain number or a learned tensor that
    has one value, or one for each channel.
    """
    import numpy as np

    if not node.outputs or node.outputs[0].type.rank < 2 or not isinstance(node.outputs[0].type.channels, int):
        return None
    if node.outputs[0].type.dtype not in FLOATS:
        return None
    found = _of(draft, node)
    if found is None or found.source.type != node.outputs[0].type:
        return None
    sound = np.isfinite(found.scale).all() and np.isfinite(found.shift).all()
    return found if sound else None


def _of(draft: Draft, node: Node) -> Affine | None:
    import numpy as np

    match node.op.name:
        case "batchnorm":
            return _batchnorm(draft, node)
        case "normalize":
            channels = node.outputs[0].type.channels
            assert isinstance(channels, int), "affine_of has seen to it"
            mean, std = (
                np.broadcast_to(np.asarray(each, np.float64), (channels,)) for each in (node.attrs.mean, node.attrs.std)
            )
            return Affine(node.inputs[0], 1 / (node.attrs.scale * std), -mean / std)
        case "neg":
            return _with_number("mul", node, np.array(-1.0), 1)
        case "add" | "sub" | "mul" | "div":
            return _arithmetic(draft, node)
    return None


def _batchnorm(draft: Draft, node: Node) -> Affine:
    import numpy as np

    p = draft.arrays(node)
    with np.errstate(all="ignore"):
        scale = p.get("weight", 1.0) / np.sqrt(p["running_var"] + node.attrs.eps)
        return Affine(node.inputs[0], scale, p["bias"] - p["running_mean"] * scale)


def _arithmetic(draft: Draft, node: Node) -> Affine | None:
    """One tensor with a plain number, or with a learned tensor, on either side."""
    import numpy as np

    if len(node.inputs) == 1:
        left = node.attrs.left is not None
        number = node.attrs.left if left else node.attrs.right
        return _with_number(node.op.name, node, np.array(number, np.float64), 1 if left else 0)
    for side in (1, 0):
        constant = draft.producer(node.inputs[side])
        if constant is not None and constant.op.name == "parameter":
            numbers = _per_channel(draft, constant, node.outputs[0].type.rank)
            if numbers is not None:
                found = _with_number(node.op.name, node, numbers, 1 - side, node.inputs[1 - side])
                reads = (constant,) if draft.only_user(node.inputs[side]) is node else ()
                return found and Affine(found.source, found.scale, found.shift, reads)
    return None


def _per_channel(draft: Draft, constant: Node, rank: int) -> Array | None:
    """The values of a learned tensor, (channels,) or (1,); None where it differs along another axis."""
    shape = constant.outputs[0].type.shape
    if len(shape) != rank or any(size != 1 for axis, size in enumerate(shape) if axis != 1):
        return None
    (array,) = draft.arrays(constant).values()
    return array.reshape(-1)


def _with_number(op: str, node: Node, number: Array, tensor_on: int, source: Value | None = None) -> Affine | None:
    """`tensor_on` is the side of the tensor: 0 for `x - c`, 1 for `c - x`."""
    import numpy as np

    source = source or node.inputs[0]
    channels = source.type.channels
    if not isinstance(channels, int) or number.size not in (1, channels):
        return None
    number = np.broadcast_to(number.reshape(-1), (channels,))
    ones, zeros = np.ones(channels), np.zeros(channels)
    with np.errstate(all="ignore"):
        match op, tensor_on:
            case "add", _:
                return Affine(source, ones, number)
            case "sub", 0:
                return Affine(source, ones, -number)
            case "sub", _:
                return Affine(source, -ones, number)
            case "mul", _:
                return Affine(source, number, zeros)
            case "div", 0:
                return Affine(source, 1 / number, zeros)
    return None


# ── written as layers again ──────────────────────────────────────────────────────────────────────────────────


def written(draft: Draft, source: Value, scale: Array, shift: Array, like: Node, made: Value) -> list[Node]:
    """The fewest layers that give `made` = scale · source + shift: none, `mul`, `add` or both, and stored tensors for them."""
    steps = [(op, numbers) for op, numbers, nothing in (("mul", scale, 1), ("add", shift, 0)) if (numbers != nothing).any()]
    nodes: list[Node] = []
    for number, (op, numbers) in enumerate(steps):
        last = number == len(steps) - 1
        outputs = [made] if last else [draft.fresh_value(source.type, f"{like.path or op}_scaled")]
        nodes.extend(_step(draft, op, source, numbers, like, outputs))
        source = outputs[0]
    return nodes


def _step(draft: Draft, op: str, source: Value, numbers: Array, like: Node, outputs: list[Value]) -> list[Node]:
    """`op` with one number for all channels, or with a learned tensor of one for each."""
    name = "scale" if op == "mul" else "shift"
    path = draft.fresh_path(f"{like.path or like.op.name}_{name}")
    kind = Mul if op == "mul" else Add
    if (numbers == numbers[0]).all():
        return [draft.apply(op, kind(right=float(numbers[0])), [source], like, outputs=outputs, path=path)]
    shape = (1, numbers.size, *[1] * (source.type.rank - 2))
    held = Stored(shape=shape, trainable=False)
    constant = draft.apply("parameter", held, [_anchor(draft, source)], like, {"": numbers.reshape(shape)}, path=path)
    return [constant, draft.apply(op, kind(), [source, constant.outputs[0]], like, outputs=outputs, path=like.path)]


def _anchor(draft: Draft, source: Value) -> Value:
    """An input of the network that gives a learned tensor the type of `source`, else `source` itself."""
    for item in draft.graph.inputs[:1]:
        dtype = item.value.type.dtype if item.value.type.dtype in FLOATS else "float32"
        if dtype == source.type.dtype:
            return item.value
    return source
