"""Small graphs for the cells of the graph layers, and what those layers mean, written node by node."""

from __future__ import annotations

from typing import Any

import numpy as np

from convspec.ir.types import Array


def edges(examples: int, nodes: int, weighted: bool = True, directed: bool = True) -> Array:
    """A random adjacency. Node 1 of each graph has no edges; the last graph has none at all where there are several."""
    rng = np.random.default_rng(nodes)
    found = (rng.random((examples, nodes, nodes)) < 0.5) * (
        rng.uniform(0.3, 1.5, (examples, nodes, nodes)) if weighted else 1.0
    )
    if not directed:
        found = np.maximum(found, found.transpose(0, 2, 1))
    found[:, 1] = found[:, :, 1] = 0
    if examples > 1:
        found[-1] = 0
    return found


PRESENT = np.array([[True, True, True, False, True], [True, True, False, False, False], [False] * 5])
"""Of three graphs of up to 5 nodes, the nodes that are there; of the last, none."""


def heard(x: Any, adjacency: Any, mask: Any, aggregate: str, self_loops: bool) -> Any:
    """In torch: for every node that is there a vector from its neighbours; 0 for the others."""
    import torch

    def weight(n: int, i: int, j: int) -> Any:
        return adjacency[n, i, j] + (1 if self_loops and i == j else 0)

    def others(n: int, i: int) -> list[int]:
        """The nodes that could be neighbours; an edge of weight 0 has a gradient too."""
        return [j for j in range(x.shape[2]) if mask is None or bool(mask[n, i] and mask[n, j])]

    def share(n: int, i: int, j: int) -> Any:
        """What a message is multiplied with."""
        if aggregate == "mean":
            return 1 / max(sum(bool(weight(n, i, k) != 0) for k in others(n, i)), 1)
        if aggregate == "gcn":
            of_i, of_j = (sum(weight(n, node, k) for k in others(n, node)) for node in (i, j))
            return (of_i * of_j) ** -0.5 if of_i > 0 and of_j > 0 else 0.0
        return 1.0

    def one(n: int, i: int) -> Any:
        total = torch.zeros_like(x[n, :, i])
        if aggregate == "max":
            messages = [weight(n, i, j) * x[n, :, j] for j in others(n, i) if weight(n, i, j) != 0]
            return torch.stack(messages).amax(0) if messages else total
        for j in others(n, i):
            total = total + share(n, i, j) * weight(n, i, j) * x[n, :, j]
        return total

    return torch.stack([torch.stack([one(n, i) for i in range(x.shape[2])], 1) for n in range(len(x))])


def convolved(x: Any, a: Any, m: Any, aggregate: str, self_loops: bool, weight: Any, bias: Any = None) -> Any:
    """`graph_conv` from `heard`, node by node; a weight that is twice as wide as the features has a part for the node's own."""
    import torch

    channels = x.shape[1]
    y = torch.einsum("fc,ncv->nfv", weight[:, :channels], heard(x, a, m, aggregate, self_loops))
    if weight.shape[1] > channels:
        y = y + torch.einsum("fc,ncv->nfv", weight[:, channels:], x)
    if bias is not None:
        y = y + bias.reshape(1, -1, 1)
    return y if m is None else y * m[:, None]
