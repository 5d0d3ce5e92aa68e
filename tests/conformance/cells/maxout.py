"""Cells of `maxout`."""

from typing import Any

from tests.conformance.cell import Bad, Cell, distinct, ties


def written_out(pieces: int) -> Any:
    """By channel: the first of the greatest of its pieces, picked by its index."""

    def formula(x: Any) -> Any:
        import torch

        channels = []
        for start in range(0, x.shape[1], pieces):
            group = x[:, start : start + pieces]
            greatest = group[:, :1]
            for piece in range(1, pieces):
                greatest = torch.where(group[:, piece : piece + 1] > greatest, group[:, piece : piece + 1], greatest)
            channels.append(greatest)
        return torch.cat(channels, 1)

    return formula


CELLS = (
    Cell("x -> maxout(3)", x=ties(2, 6), oracle=written_out(3)),
    Cell("x -> maxout(1)", x=ties(2, 4), oracle=written_out(1)),
    Cell("x -> maxout(2)", x=ties(2, 6, 5), oracle=written_out(2)),
    Cell("x -> maxout(3)", x=distinct(2, 6, 4), types={"x": "float32[N, 3*c, L]"}, oracle=written_out(3)),
    Cell("x -> maxout(4)", x=ties(2, 8, 4, 3), oracle=written_out(4)),
    Cell("x -> maxout(6)", x=ties(2, 6, 4, 3), types={"x": "float32[N, 6, 2*h, W]"}, oracle=written_out(6)),
    Cell("x -> maxout(2)", x=ties(1, 4, 3, 2, 3), oracle=written_out(2)),
    Cell("x -> flatten -> maxout(2) -> linear(3)", x=ties(2, 4, 2, 2)),
)
BAD = (
    Bad("pieces", "x -> maxout(3)", "CNN045", "4 channels", "groups of 3", x="float32[N, 4, 7, 7]"),
    Bad("pieces", "x -> maxout(0)", "CNN045", "at least 1, not 0", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> maxout(2)", "CNN045", "C channels", "groups of 2", x="float32[N, C, 7, 7]"),
)
