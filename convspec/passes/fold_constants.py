"""What no input reaches is computed here and stored: the network reads the result.

A layer is folded where everything that it computes from is a stored tensor: `parameter`, what other layers made of such, and
its own weights. The result becomes a `parameter` that training does not change. It must be a float tensor of known sizes, at
most 5 axes, with no more elements than went in (or than 256, so that a small constant is never blown up: a tile stays a tile),
be finite where what went in is, and its work bounded. Tensors that only lend their sizes (`expand`'s second) must have known
ones.

`ws_conv` standardises its weight in every run; it becomes a `conv` with the weight standardised, unless that is shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from convspec.analysis.cost import node_cost
from convspec.ir.graph import Node, Value
from convspec.ir.types import FLOATS, Array
from convspec.ops.conv import Conv
from convspec.ops.parameter import Parameter
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_SMALL = 256
"""So many elements may always be stored."""
_MOST_WORK = 10**7
"""Operations that are done here at most for one layer."""
_MOST_AXES = 5


def run(draft: Draft) -> None:
    """One walk: what is folded is a constant for the layers behind it."""
    for node in draft.nodes():
        if node.op.name == "ws_conv":
            _standardise(draft, node)
        elif not node.op.anchored and node.inputs:
            _fold(draft, node)


# ── layers that no input reaches ─────────────────────────────────────────────────────────────────────────────


def _fold(draft: Draft, node: Node) -> None:
    sizes_only = _sizes_only(node)
    sources = [draft.producer(value) for place, value in enumerate(node.inputs) if place not in sizes_only]
    constants = [source for source in sources if source is not None and source.op.name == "parameter"]
    if len(constants) < len(sources) or not constants or not _may_be_stored(node, constants):
        return
    arrays = _computed(draft, node, sizes_only)
    if arrays is None:
        return
    made = [_stored(draft, node, value, array, constants[0]) for value, array in zip(node.outputs, arrays, strict=True)]
    if any(one is None for one in made):
        return
    gone = [constant for constant in dict.fromkeys(constants) if set(draft.users(constant.outputs[0])) == {node}]
    gone = [constant for constant in gone if not draft.is_output(constant.outputs[0])]
    draft.rewrite([*gone, node], [one for one in made if one is not None], at=node, note="no input reaches it")


def _sizes_only(node: Node) -> set[int]:
    """The places of inputs of which only the sizes matter."""
    names = getattr(node.attrs, "given", ()) or [name.rstrip("?") for name in node.op.inputs]
    return {place for place, name in enumerate(names[: len(node.inputs)]) if name == "like"}


def _may_be_stored(node: Node, constants: Sequence[Node]) -> bool:
    if any(_known(value) is None for value in (*node.inputs, *node.outputs)):
        return False
    if any(value.type.dtype not in FLOATS or value.type.rank > _MOST_AXES for value in node.outputs):
        return False
    read = sum(p.size for each in (*dict.fromkeys(constants), node) for p in each.params.values())
    made = sum(prod(_known(value) or ()) for value in node.outputs)
    work = node_cost(node).flops
    return made <= max(read, _SMALL) and isinstance(work, int) and work <= _MOST_WORK


def _known(value: Value) -> tuple[int, ...] | None:
    """The sizes of a tensor, where none is symbolic."""
    sizes = tuple(size for size in value.type.shape if isinstance(size, int))
    return sizes if len(sizes) == value.type.rank else None


def _computed(draft: Draft, node: Node, sizes_only: set[int]) -> list[Array] | None:
    """The layer's results, by the reference, in float64; None where one is not finite."""
    import numpy as np

    given = []
    for place, value in enumerate(node.inputs):
        source = draft.producer(value)
        if place in sizes_only or source is None:
            given.append(np.zeros(_known(value) or ()))
        else:
            given.append(draft.arrays(source)[""].reshape(source.attrs.shape))
    with np.errstate(all="ignore"):
        found = node.op.evaluate(node.attrs, draft.arrays(node), *given)
    arrays = list(found) if isinstance(found, tuple | list) else [found]
    return arrays if all(np.isfinite(array).all() for array in arrays) else None


def _stored(draft: Draft, node: Node, value: Value, array: Array, constant: Node) -> Node | None:
    """A parameter that holds a result; None where it would have another type or not be finite in it."""
    import numpy as np

    from convspec.weights.dtypes import numpy_dtype

    if constant.outputs[0].type.dtype != value.type.dtype:
        return None
    with np.errstate(over="ignore"):
        array = array.astype(numpy_dtype(value.type.dtype))
    if not np.isfinite(array.astype(np.float64)).all():
        return None
    shape = tuple(map(int, array.shape))
    path = node.path if len(node.outputs) == 1 and node.path else draft.fresh_path(node.path or "constant")
    attrs: Any = Parameter(shape=shape, trainable=False)
    return draft.apply("parameter", attrs, constant.inputs, node, {"": array}, [value], path)


# ── weights that are computed from weights ───────────────────────────────────────────────────────────────────


def _standardise(draft: Draft, node: Node) -> None:
    import numpy as np

    if draft.shares_weights(node):
        return
    arrays = draft.arrays(node)
    weight = arrays["weight"]
    cells = tuple(range(1, weight.ndim))
    centred = weight - weight.mean(cells, keepdims=True)
    with np.errstate(all="ignore"):
        weight = centred / np.sqrt((centred * centred).mean(cells, keepdims=True) + node.attrs.eps)
    if not np.isfinite(weight).all():
        return
    names = ("filters", "kernel", "stride", "pad", "pad_mode", "pad_value", "dilation", "groups", "bias")
    attrs = Conv(**{name: getattr(node.attrs, name) for name in names})
    made = draft.apply("conv", attrs, node.inputs, node, {**arrays, "weight": weight}, node.outputs)
    draft.rewrite([node], [made], note="its weight is stored standardised")


PASS = Pass("fold_constants", "what no input reaches computed once and stored", run)
