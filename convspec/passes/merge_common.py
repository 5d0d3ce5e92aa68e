"""Layers that compute the same from the same tensors are computed once.

They are the same op with the same attributes and inputs (in either order where the order does not matter), and have the same
stored tensors, or others with the same bytes. Layers that only training has are left alone.
"""

from __future__ import annotations

from collections.abc import Hashable

from convspec.ir.graph import Node, Value
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_EITHER_ORDER = frozenset(("add", "mul", "maximum", "minimum", "equal", "not_equal", "logical_and", "logical_or"))


def run(draft: Draft) -> None:
    """One walk: of several such layers the first stays."""
    first: dict[Hashable, Node] = {}
    stored: dict[Hashable, tuple[Value, ...]] = {}
    for node in draft.nodes():
        if node.op.training_only or not node.inputs:
            continue
        key = _key(node)
        if key is None:
            continue
        earlier = first.setdefault(key, node)
        if earlier is node:
            continue
        if not node.params:
            _merge(draft, node, earlier.outputs)
            continue
        # Bytes are looked at only where two layers differ in nothing else.
        stored.setdefault((key, _bytes(draft, earlier)), earlier.outputs)
        outputs = stored.setdefault((key, _bytes(draft, node)), node.outputs)
        if outputs is not node.outputs:
            _merge(draft, node, outputs)


def _key(node: Node) -> Hashable | None:
    """What layers must have in common, besides the values of stored tensors; None for attributes that cannot be compared."""
    inputs = () if node.op.anchored else tuple(map(id, node.inputs))
    if node.op.name in _EITHER_ORDER:
        inputs = tuple(sorted(inputs))
    stored = tuple((role, p.shape, p.dtype) for role, p in node.params.items())
    # By what is printed too, which tells 0.0 from -0.0.
    key = (node.op.name, node.attrs, repr(node.attrs), inputs, stored, node.output_types)
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _bytes(draft: Draft, node: Node) -> bytes:
    from hashlib import blake2b

    import numpy as np

    digest = blake2b(digest_size=32)
    for parameter in node.params.values():
        digest.update(np.ascontiguousarray(draft.array(parameter)).reshape(-1).view(np.uint8).data)
    return digest.digest()


def _merge(draft: Draft, node: Node, outputs: tuple[Value, ...]) -> None:
    same = dict(zip(node.outputs, outputs, strict=True))
    earlier = draft.producer(outputs[0])
    assert earlier is not None, "a node made them"
    draft.rewrite([node], same=same, note=f"the same as `{earlier.path or earlier.op.name}`")


PASS = Pass("merge_common", "a layer left out that computes what another one does", run)
