"""Cells of `embedding`."""

from typing import Any

import numpy as np

from tests.conformance.cell import Bad, Cell

IDS = np.random.default_rng(3).integers(0, 7, (3, 5))
IDS[0, :2], IDS[1, 1] = (0, 6), 2


def formula(padding: int | None = None) -> Any:
    """One-hot rows times the table, without the gradient of the padding's row."""

    def embed(ids: Any, weight: Any) -> Any:
        import torch

        rows = torch.nn.functional.one_hot(ids.long(), len(weight)).to(weight.dtype)
        if padding is not None:
            weight = torch.cat([weight[:padding], weight[padding : padding + 1].detach(), weight[padding + 1 :]])
        return (rows @ weight).movedim(-1, 1)

    return embed


CELLS = (
    Cell("x -> embedding(7, 4)", x=IDS.astype(np.int32), oracle=formula()),
    Cell("x -> embedding(7, 4)", x=IDS, types={"x": "int64[N, length]"}, oracle=formula()),
    Cell("x -> embedding(7, 1)", x=IDS.astype(np.uint8), oracle=formula()),
    Cell("x -> embedding(7, 4, padding = 2)", x=IDS.astype(np.int32), types={"x": "int32[N, length]"}, oracle=formula(2)),
    Cell("x -> embedding(7, 4, padding = 0)", x=IDS.astype(np.uint8), oracle=formula(0)),
    Cell("x -> embedding(7, 4, padding = 6, init = uniform(0.1))", x=IDS[0], oracle=formula(6)),
    Cell("x -> embedding(entries = 7, features = 3) -> linear(2)", x=IDS[0].astype(np.uint8)),
    Cell("x -> embedding(7, 4, padding = 2) -> conv(3, 2) -> relu -> global_maxpool", x=IDS.astype(np.int32)),
    Cell("x -> embedding(7, 12) -> flatten -> linear(2)", x=IDS.astype(np.int32)),
    Cell("x -> embedding(1, 2)", x=np.zeros((2, 3), np.int64)),
)

BAD = (
    Bad("entries", "x -> embedding(0, 4)", "CNN045", "0", x="int32[N, 5]"),
    Bad("features", "x -> embedding(7, -4)", "CNN045", "-4", x="int32[N, 5]"),
    Bad("features", "x -> embedding(7)", "CNN041", "features", x="int32[N, 5]"),
    Bad("padding", "x -> embedding(7, 4, padding = 7)", "CNN044", "0 to 6", "7 entries", x="int32[N, 5]"),
    Bad("padding", "x -> embedding(7, 4, padding = -1)", "CNN045", "-1", x="int32[N, 5]"),
    Bad("init", "x -> embedding(7, 4, init = normal(-1))", "CNN202", "-1", x="int32[N, 5]"),
    Bad("", "x -> embedding(7, 4)", "CNN037", "int32", "float32", x="float32[N, 5]"),
    Bad("", "x -> embedding(7, 4)", "CNN030", "rank 3", x="int32[N, 3, 5]"),
)
