"""Graphs. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import torch
from torch import nn


def neighbours(x, adjacency, nodes=None, aggregate="gcn", self_loops=True):
    """What every node of `x`, (batch, channels, nodes), gets from its neighbours; `nodes` says which nodes are there."""
    hat = adjacency.to(x.dtype)
    if nodes is not None:
        x = x.masked_fill(~nodes[:, None], 0)
        hat = hat.masked_fill(~(nodes[:, :, None] & nodes[:, None]), 0)
    if self_loops:
        hat = hat + torch.eye(x.shape[2], dtype=x.dtype, device=x.device)
    edges = hat != 0
    if aggregate == "max":
        messages = hat[:, None] * x[:, :, None]
        most = messages.masked_fill(~edges[:, None], float("-inf")).amax(3)
        return most.masked_fill(~edges.any(2)[:, None], 0)
    if aggregate == "gcn":
        degree = hat.sum(2)
        scale = degree.masked_fill(degree <= 0, 1).rsqrt().masked_fill(degree <= 0, 0)
        hat = scale[:, :, None] * hat * scale[:, None]
    if aggregate == "mean":
        hat = hat / edges.sum(2, keepdim=True).clamp(min=1)
    return x @ hat.mT


class GraphConv(nn.Module):
    """Graph convolution over a dense adjacency: a weight on what the neighbours give; with `root` also on the node's own.

    With `root` the weight has 2 * in_channels columns: the neighbours', then the node's own.
    """

    def __init__(self, in_channels, out_channels, aggregate="gcn", self_loops=True, root=False, bias=True):
        super().__init__()
        self.aggregate, self.self_loops, self.root = aggregate, self_loops, root
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels * (2 if root else 1)))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, adjacency, nodes=None):
        y = neighbours(x, adjacency, nodes, self.aggregate, self.self_loops)
        if self.root:
            y = torch.cat([y, x if nodes is None else x.masked_fill(~nodes[:, None], 0)], 1)
        y = self.weight @ y
        if self.bias is not None:
            y = y + self.bias[:, None]
        return y if nodes is None else y.masked_fill(~nodes[:, None], 0)


def graph_pool(x, adjacency, nodes=None, mode="max"):
    """The greatest or the mean of each node's features and its neighbours'."""
    y = neighbours(x, adjacency, nodes, mode)
    return y if nodes is None else y.masked_fill(~nodes[:, None], 0)


def graph_readout(x, nodes, mode="sum"):
    """The sum, mean or maximum of the nodes that are there; 0 for a graph without any."""
    if mode == "max":
        most = x.masked_fill(~nodes[:, None], float("-inf")).amax(2)
        return most.masked_fill(~nodes.any(1, keepdim=True), 0)
    total = x.masked_fill(~nodes[:, None], 0).sum(2)
    return total / nodes.sum(1, keepdim=True).clamp(min=1) if mode == "mean" else total
