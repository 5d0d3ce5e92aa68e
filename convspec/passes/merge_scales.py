"""Scales and shifts in a row become one scale and one shift, or as little of that as is left.

- Where the last is followed by a convolution that pads with zeros, which keeps a shift from going into it, the scale goes into
  its weights and the shift alone stays: the normalisation of an input is one subtraction then. No scale may be 0 for that.
- With a batch norm among them they are one batch norm.
- Else they are a product and a sum, where there were more, or one of both, or nothing.

Those between have no other reader and are no outputs. What they do to infinity and NaN they do together.
"""

from __future__ import annotations

from collections.abc import Sequence

from convspec.ir.graph import Node
from convspec.ops.batchnorm import Batchnorm
from convspec.passes._affine import Affine, affine_of, written
from convspec.passes._folding import AFTER, fits, scaled_before
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_STEPS = {"normalize": 3}
"""How many operations a layer is for each element, where that is not 1."""


def run(draft: Draft) -> None:
    """Each row is looked at from its last layer."""
    for node in draft.nodes():
        found = affine_of(draft, node)
        if found is None:
            continue
        follower = draft.only_user(node.outputs[0])
        if follower is None or affine_of(draft, follower) is None:
            _merge(draft, node, found)


def _merge(draft: Draft, last: Node, found: Affine) -> None:
    import numpy as np

    row = [last]
    reads = list(found.reads)
    while (before := _before(draft, found)) is not None:
        node, inner = before
        row.insert(0, node)
        reads.extend(inner.reads)
        with np.errstate(all="ignore"):
            found = Affine(inner.source, found.scale * inner.scale, found.scale * inner.shift + found.shift)
    steps = sum(_STEPS.get(node.op.name, 1) for node in row)
    if steps > 1 and _is_finite(found) and not _split(draft, row, reads, found):
        _write(draft, row, reads, found, steps)


def _before(draft: Draft, found: Affine) -> tuple[Node, Affine] | None:
    node = draft.producer(found.source)
    if node is None or draft.only_user(found.source) is None:
        return None
    inner = affine_of(draft, node)
    return None if inner is None else (node, inner)


def _is_finite(found: Affine) -> bool:
    import numpy as np

    return bool(np.isfinite(found.scale).all() and np.isfinite(found.shift).all())


def _split(draft: Draft, row: Sequence[Node], reads: Sequence[Node], found: Affine) -> bool:
    """scale · x + shift = scale · (x + shift / scale), of which the convolution that follows takes the scale."""
    import numpy as np

    last = row[-1]
    layer = draft.only_user(last.outputs[0])
    if layer is None or layer.op.name not in AFTER or not found.scale.all() or (found.scale == 1).all():
        return False
    with np.errstate(all="ignore"):
        shift = found.shift / found.scale
        alone = Affine(last.outputs[0], found.scale, np.zeros_like(shift))
        arrays = scaled_before(draft, layer, alone) if np.isfinite(shift).all() else None
    if arrays is None or not all(fits(array, layer) for array in arrays.values()):
        return False
    moved = draft.fresh_value(found.source.type, last.path or last.op.name)
    shifts = written(draft, found.source, np.ones_like(shift), shift, last, moved)
    inputs = (moved if shifts else found.source, *layer.inputs[1:])
    made = draft.apply(layer.op.name, layer.attrs, inputs, layer, arrays, layer.outputs)
    note = f"the scale into the {layer.op.name} after it, the shift stays"
    draft.rewrite([*reads, *row, layer], [*shifts, made], note=note)
    return True


def _write(draft: Draft, row: Sequence[Node], reads: Sequence[Node], found: Affine, steps: int) -> None:
    import numpy as np

    last, channels = row[-1], found.scale.size
    same = None
    norm = next((node for node in row if node.op.name == "batchnorm"), None)
    if norm is not None and len(row) > 1:
        attrs = Batchnorm(eps=norm.attrs.eps)
        weight = found.scale * np.sqrt(1 + norm.attrs.eps)
        numbers = {"weight": weight, "bias": found.shift, "running_mean": np.zeros(channels), "running_var": np.ones(channels)}
        new = [draft.apply("batchnorm", attrs, [found.source], norm, numbers, last.outputs)]
    elif norm is None and int((found.scale != 1).any()) + int(found.shift.any()) < steps:
        new = written(draft, found.source, found.scale, found.shift, last, last.outputs[0])
        same = None if new else {last.outputs[0]: found.source}
    else:
        return
    draft.rewrite([*reads, *row], new, same=same)


PASS = Pass("merge_scales", "scales and shifts in a row made one", run)
