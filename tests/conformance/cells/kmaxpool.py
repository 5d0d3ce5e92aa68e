"""Cells of `kmaxpool`."""

from tests.conformance.cell import Bad, Cell, noise, ties


def largest(k: int, axis: int):  # type: ignore[no-untyped-def]
    """The definition: a cell stays if fewer than k cells are before it by size, and among equal ones by place."""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        rows = x.movedim(axis, -1)
        place = torch.arange(rows.shape[-1])
        other, own = rows[..., None, :], rows[..., :, None]
        before = (other > own) | ((other == own) & (place[None, :] < place[:, None]))
        kept = rows[before.sum(-1) < k]
        return kept.reshape(*rows.shape[:-1], k).movedim(-1, axis)

    return formula


CELLS = (
    Cell("x -> kmaxpool(2)", x=noise(2, 3, 7), oracle=largest(2, 2)),
    Cell("x -> kmaxpool(4)", x=ties(2, 3, 9), oracle=largest(4, 2)),
    Cell("x -> kmaxpool(1)", x=ties(2, 3, 9), oracle=largest(1, 2)),
    Cell("x -> kmaxpool(7)", x=ties(2, 3, 7), oracle=largest(7, 2)),
    Cell("x -> kmaxpool(3)", x=noise(2, 3, 8), types={"x": "float32[N, c, l >= 3]"}, oracle=largest(3, 2)),
    Cell("x -> kmaxpool(2) -> flatten -> linear(4)", x=noise(2, 3, 8), types={"x": "float32[N, 3, 2*l]"}),
    Cell("x -> kmaxpool(3, axis = channels)", x=ties(2, 5), oracle=largest(3, 1)),
    Cell("x -> kmaxpool(2, axis = channels)", x=ties(2, 5, 3), oracle=largest(2, 1)),
    Cell("x -> kmaxpool(3, axis = width)", x=ties(2, 3, 4, 5), oracle=largest(3, 3)),
    Cell("x -> kmaxpool(2)", x=ties(2, 3, 4, 5), oracle=largest(2, 3)),
    Cell("x -> kmaxpool(2)", x=ties(1, 2, 3, 2, 4), oracle=largest(2, 4)),
    Cell("x -> kmaxpool(2, axis = 2)", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, h >= 2, w]"}, oracle=largest(2, 2)),
    Cell("x -> kmaxpool(2, axis = -1)", x=noise(1, 2, 3, 2, 4), oracle=largest(2, 4)),
)

BAD = (
    Bad("k", "x -> kmaxpool(0)", "CNN045", "at least 1", x="float32[N, 4, 7]"),
    Bad("k", "x -> kmaxpool(8)", "CNN044", "`k` is 8", "only 7 cells along the length", x="float32[N, 4, 7]"),
    Bad("k", "x -> kmaxpool(8)", "CNN034", "needs a length of at least 8, which l may not be", x="float32[N, 4, l]"),
    Bad("k", "x -> kmaxpool(true)", "CNN040", "an integer", x="float32[N, 4, 7]"),
    Bad("axis", "x -> kmaxpool(2, axis = length)", "CNN045", "rank 4 has no length", x="float32[N, 4, 7, 7]"),
    Bad("axis", "x -> kmaxpool(2, axis = 0)", "CNN045", "cannot be the batch", x="float32[N, 4, 7]"),
    Bad("axis", "x -> kmaxpool(2, axis = 3)", "CNN044", "there is no axis 3", x="float32[N, 4, 7]"),
    Bad("", "x -> kmaxpool(2)", "CNN037", "int64", x="int64[N, 4, 7]"),
)
