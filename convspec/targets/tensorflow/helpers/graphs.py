"""Graphs. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
from keras import ops


def only_nodes(x, nodes):
    """`x`, (batch, nodes, channels), with 0 where no node is."""
    return ops.where(ops.expand_dims(nodes, 2), x, 0)


def neighbours(x, adjacency, nodes=None, aggregate="gcn", self_loops=True, root=False):
    """What every node of `x`, (batch, nodes, channels), gets from its neighbours, with `root` and its own features behind it.

    Entry [n, j, i] of the adjacency, whose axes are (batch, from, to), weighs what node i hears from node j; `nodes` says which
    nodes are there.
    """
    dtype = keras.backend.result_type(x.dtype, "float32")
    own, hat = ops.cast(x, dtype), ops.cast(adjacency, dtype)
    if nodes is not None:
        own = only_nodes(own, nodes)
        hat = ops.where(ops.logical_and(ops.expand_dims(nodes, 1), ops.expand_dims(nodes, 2)), hat, 0)
    if self_loops:
        number = ops.cumsum(ops.ones_like(hat[:1, 0], dtype="int32"), axis=1)
        hat = hat + ops.cast(ops.equal(ops.expand_dims(number, 1), ops.expand_dims(number, 2)), dtype)
    edges = ops.not_equal(hat, 0)
    if aggregate == "max":
        messages = ops.expand_dims(hat, 3) * ops.expand_dims(own, 2)
        most = ops.max(ops.where(ops.expand_dims(edges, 3), messages, float("-inf")), axis=1)
        heard = ops.where(ops.expand_dims(ops.any(edges, axis=1), 2), most, 0)
    else:
        if aggregate == "gcn":
            degree = ops.sum(hat, axis=1)
            scale = ops.where(degree > 0, ops.rsqrt(ops.where(degree > 0, degree, 1)), 0)
            hat = ops.expand_dims(scale, 1) * hat * ops.expand_dims(scale, 2)
        if aggregate == "mean":
            hat = hat / ops.maximum(ops.sum(ops.cast(edges, dtype), axis=1, keepdims=True), 1)
        heard = ops.einsum("nji,njc->nic", hat, own)
    return ops.cast(ops.concatenate([heard, own], axis=2) if root else heard, x.dtype)


def graph_pool(x, adjacency, nodes=None, mode="max"):
    """The greatest or the mean of each node's features and its neighbours'."""
    y = neighbours(x, adjacency, nodes, mode)
    return y if nodes is None else only_nodes(y, nodes)


def graph_readout(x, nodes, mode="sum"):
    """The sum, mean or maximum of the nodes that are there; 0 for a graph without any."""
    there = ops.expand_dims(nodes, 2)
    if mode == "max":
        return ops.where(ops.any(there, axis=1), ops.max(ops.where(there, x, float("-inf")), axis=1), 0)
    total = ops.sum(ops.where(there, x, 0), axis=1)
    return total / ops.maximum(ops.sum(ops.cast(there, x.dtype), axis=1), 1) if mode == "mean" else total
