"""Which cells of its inputs a layer reads, axis by axis, at concrete sizes: exact at every border.

Along an axis of an input, what a unit of the output reads depends on the unit's place along one axis of the output (a
convolution: the same axis), or on none (global pooling, attention: all cells). Channels count as read together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from convspec.ir.graph import Node
from convspec.ir.types import TensorType
from convspec.records import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells: TypeAlias = NDArray[Any]

NONE = -1
"""A cell that is not there: padding, or of another tensor."""


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """What is read along one axis of an input. `cells[i]` are the cells that a unit at place i reads, NONE among them.

    `axis` is the axis of the output along which i counts; None: `cells` has one row, which every unit reads.
    """

    axis: int | None
    cells: Cells
    exact: bool = True
    """False where it is only known that no other cells are read."""


@dataclass(frozen=True, slots=True)
class Place:
    """A layer at concrete sizes, and which of its inputs and outputs is meant."""

    node: Node
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    source: int
    result: int

    @property
    def n(self) -> TensorType:
        return self.inputs[self.source]

    @property
    def m(self) -> TensorType:
        return self.outputs[self.result]


def depends(place: Place) -> bool:
    """Whether the result depends on what is in that input, not only on its shape."""
    return is_read(place.node, place.source)


def is_read(node: Node, source: int) -> bool:
    """Of `crop(like = other)` only the size of `other` counts; of a learned constant's anchor nothing does."""
    names = getattr(node.attrs, "given", ()) or node.op.inputs
    return not node.op.anchored and not (source < len(names) and names[source].startswith("like"))


def reads(place: Place, axis: int) -> Reads:
    """What is read along an axis of an input that the result depends on. Axes are counted with the batch as 0."""
    op = place.node.op
    if op.training_only:
        return _same(place, axis)
    special = _SPECIAL.get(op.name)
    return special(place, axis) if special is not None else _usual(place, axis)


def _usual(place: Place, axis: int) -> Reads:
    """Cell i for unit i, a stretched axis its one cell, and the axes that the layer sees as a whole all of theirs."""
    node = place.node
    window = node.op.receptive_field(node.attrs, *place.inputs) if node.op.receptive_field is not None else None
    spatial = axis - 2
    if window is not None and 0 <= spatial < len(window.extent) and window.extent[spatial] is None:
        return _whole(place, axis)
    if place.n.rank != place.m.rank or (axis == 1 and node.params and node.op.name not in _BY_CHANNEL):
        return _whole(place, axis)
    return _same(place, axis)


def _same(place: Place, axis: int) -> Reads:
    n, m = _size(place.n, axis), _size(place.m, axis)
    if n == m:
        return Reads(axis, _arange(m)[:, None])
    if n == 1:
        return Reads(None, _arange(1)[None])
    return _whole(place, axis)


def _whole(place: Place, axis: int) -> Reads:
    return Reads(None, _arange(_size(place.n, axis))[None])


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────


def _sliding(place: Place, axis: int) -> Reads:
    """Unit i reads i*s - lo + k*d for k = 0 … kernel - 1; beyond the border what `pad_mode` puts there."""
    if axis < 2:
        return _usual(place, axis)
    a, spatial = place.node.attrs, axis - 2
    n, m = _size(place.n, axis), _size(place.m, axis)
    dilation = getattr(a, "dilation", None)
    step = dilation[spatial] if dilation is not None else 1
    cells = _arange(m)[:, None] * a.stride[spatial] - a.pad[spatial][0] + _arange(a.kernel[spatial]) * step
    return Reads(axis, _bordered(cells, n, getattr(a, "pad_mode", "zeros")))


def _bordered(cells: Cells, n: int, mode: str) -> Cells:
    import numpy as np

    match mode:
        case "reflect":
            turned = np.abs(cells)
            return np.where(turned >= n, 2 * (n - 1) - turned, turned)
        case "replicate":
            return np.clip(cells, 0, n - 1)
        case "circular":
            return cells % n
    return np.where((cells < 0) | (cells >= n), NONE, cells)


def _transposed(place: Place, axis: int) -> Reads:
    """Output j reads the cells i with i*s + k*d = j + lo."""
    import numpy as np

    if axis < 2:
        return _usual(place, axis)
    a, spatial = place.node.attrs, axis - 2
    n, m, s = _size(place.n, axis), _size(place.m, axis), a.stride[spatial]
    past = _arange(m)[:, None] + a.pad[spatial][0] - _arange(a.kernel[spatial]) * a.dilation[spatial]
    cells = np.where(past % s == 0, past // s, NONE)
    return Reads(axis, np.where((cells < 0) | (cells >= n), NONE, cells))


def _unpooled(place: Place, axis: int) -> Reads:
    """Output j may hold the value of the one window that it lies in; whether it does, the data say."""
    import numpy as np

    if axis < 2:
        return _same(place, axis)
    a, spatial = place.node.attrs, axis - 2
    n, s = _size(place.n, axis), a.stride[spatial]
    past = _arange(_size(place.m, axis)) + a.pad[spatial][0]
    inside = (past % s < a.kernel[spatial]) & (past // s < n)
    return Reads(axis, np.where(inside, past // s, NONE)[:, None], exact=False)


def _adaptive(place: Place, axis: int) -> Reads:
    from convspec.ops._adaptive import bounds

    if axis < 2:
        return _same(place, axis)
    windows = bounds(_size(place.n, axis), _size(place.m, axis))
    return Reads(axis, _rows([range(start, end) for start, end in windows]))


def _resized(place: Place, axis: int) -> Reads:
    """The cells whose weight is not zero."""
    from convspec.ops import _resizing, resize, upsample

    if axis < 2:
        return _same(place, axis)
    plan = resize.plan if place.node.op.name == "resize" else upsample.plan
    how = plan(place.node.attrs, *place.inputs)
    return Reads(axis, _rows(_resizing.cells_read(how, _size(place.n, axis), _size(place.m, axis))))


def _rows(rows: Sequence[Sequence[int]]) -> Cells:
    """Rows of unequal length, filled up with NONE."""
    import numpy as np

    table = np.full((len(rows), max(map(len, rows))), NONE, dtype=np.int64)
    for index, row in enumerate(rows):
        table[index, : len(row)] = row
    return table


# ── layers that move cells ───────────────────────────────────────────────────────────────────────────────────


def _moved(place: Place, axis: int) -> Reads:
    """The layer's own reference moves coordinates as it would move numbers; where two differ by one, a cell was read."""
    import numpy as np

    shape = _sizes(place.n)
    if place.node.op.name in _ALONG_ONE and axis != int(place.node.attrs.axis):
        return _same(place, axis)
    if int(np.prod(shape)) > _MOST_CELLS:
        return _loose(_whole(place, axis))
    places = np.broadcast_to(_arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))]), shape)
    first, second = (_evaluated(place, places + offset) for offset in (1.0, 2.0))
    cells = np.where(second - first == 1, first - 1, NONE).astype(np.int64)
    if (cells == cells.flat[0]).all():
        return Reads(None, cells.reshape(-1)[:1][None])
    for candidate in sorted(range(1, cells.ndim), key=lambda i: i != axis):
        rows = np.moveaxis(cells, candidate, 0).reshape(cells.shape[candidate], -1)
        top = rows.max(1, keepdims=True)  # where other axes lead into padding, nothing is read
        if ((rows == top) | (rows == NONE)).all():
            return Reads(candidate, top)
    return _mixed(place, axis, cells)


def _mixed(place: Place, axis: int, cells: Cells) -> Reads:
    """A place in space and the channel together tell the cell: all channels of that place read what any of them reads."""
    import numpy as np

    for candidate in sorted(range(2, cells.ndim), key=lambda i: i != axis):
        table = np.moveaxis(cells, (candidate, 1), (0, 1)).reshape(cells.shape[candidate], cells.shape[1], -1)
        table.sort(1)
        if (table == table[:, :, :1]).all():
            return Reads(candidate, _rows([np.unique(row).tolist() for row in table[:, :, 0]]))
    return _loose(_whole(place, axis))


def _evaluated(place: Place, values: Any) -> Any:
    import numpy as np

    others = [np.zeros(_sizes(each)) for each in place.inputs]
    others[place.source] = values
    made = place.node.op.evaluate(place.node.attrs, {}, *others)
    return made[place.result] if isinstance(made, tuple | list) else made


def _loose(found: Reads) -> Reads:
    return Reads(found.axis, found.cells, exact=False)


# ── layers with axes of their own ────────────────────────────────────────────────────────────────────────────


def _features(place: Place, axis: int) -> Reads:
    """A linear layer mixes features, or channels at every position."""
    mixed = axis == 1 if place.n.rank != 2 else True
    return _whole(place, axis) if mixed else _same(place, axis)


def _product(place: Place, axis: int) -> Reads:
    """A row of the first and a column of the second; with leading axes as they are."""
    a, rank = place.node.attrs, place.n.rank
    turned = a.transpose_b if place.source else a.transpose_a
    row, column = (rank - 1, rank - 2) if turned else (rank - 2, rank - 1)
    summed, kept, target = (row, column, rank - 1) if place.source else (column, row, rank - 2)
    if axis == summed:
        return _whole(place, axis)
    return Reads(target, _arange(_size(place.n, axis))[:, None]) if axis == kept else _same(place, axis)


def _looked_up(place: Place, axis: int) -> Reads:
    """An index becomes a vector of channels: (N, L) to (N, C, L)."""
    if place.n.rank == place.m.rank - 1:
        return Reads(axis + 1, _arange(_size(place.n, axis))[:, None])
    return _usual(place, axis)


def _chosen(place: Place, axis: int) -> Reads:
    """Of the axis along which the largest are kept any may be one of them."""
    return _loose(_whole(place, axis)) if axis == int(place.node.attrs.axis) else _same(place, axis)


def _halves(place: Place, axis: int) -> Reads:
    """A gated unit reads its own half and the other."""
    if axis != int(place.node.attrs.axis):
        return _same(place, axis)
    m = _size(place.m, axis)
    return Reads(axis, _arange(m)[:, None] + _arange(2) * m)


def _bonded(place: Place, axis: int) -> Reads:
    """Which atoms are bonded, and so read, is data."""
    return _loose(_whole(place, axis)) if axis == 2 else _usual(place, axis)


def _anywhere(place: Place, axis: int) -> Reads:
    """Offsets are data: any cell may be read."""
    if place.source == 0 and axis >= 2:
        return _loose(_whole(place, axis))
    return _usual(place, axis) if axis < 2 else _same(place, axis)


# ── small parts ──────────────────────────────────────────────────────────────────────────────────────────────


def _sizes(tensor_type: TensorType) -> tuple[int, ...]:
    """Concrete sizes, with a batch of one: what happens to others is the same."""
    return (1, *(int(str(size)) for size in tensor_type.shape[1:]))


def _size(tensor_type: TensorType, axis: int) -> int:
    return _sizes(tensor_type)[axis]


def _arange(count: int) -> Cells:
    import numpy as np

    return np.arange(count)


_MOST_CELLS = 4_000_000
_ALONG_ONE = ("concat", "split", "slice")
_BY_CHANNEL = ("batchnorm", "prelu", "depthwise_conv", "instancenorm", "normalize")
_Rule: TypeAlias = Callable[[Place, int], Reads]
_SPECIAL: dict[str, _Rule] = {
    **dict.fromkeys(("conv", "depthwise_conv", "ws_conv", "separable_conv"), _sliding),
    **dict.fromkeys(("maxpool", "avgpool", "lppool", "blurpool"), _sliding),
    **dict.fromkeys(("adaptive_avgpool", "adaptive_maxpool"), _adaptive),
    **dict.fromkeys(("resize", "upsample"), _resized),
    **dict.fromkeys(("flatten", "reshape", "permute", "squeeze", "unsqueeze", "expand"), _moved),
    **dict.fromkeys(("roll", "reverse", "tile", "pad", "crop", "slice", "split", "concat"), _moved),
    **dict.fromkeys(("space_to_depth", "depth_to_space", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"), _moved),
    "conv_transpose": _transposed,
    "max_unpool": _unpooled,
    "linear": _features,
    "matmul": _product,
    "embedding": _looked_up,
    "kmaxpool": _chosen,
    "glu": _halves,
    "deform_conv": _anywhere,
    "graph_conv": _bonded,
    "graph_pool": _bonded,
}
