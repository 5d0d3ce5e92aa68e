"""Graphs. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
from keras import layers, ops


def neighbours(x, adjacency, nodes=None, aggregate="gcn", self_loops=True):
    """What every node of `x`, (batch, nodes, channels), gets from its neighbours; `nodes` says which nodes are there.

    Entry [n, j, i] of the adjacency, whose axes are (batch, from, to), weighs what node i hears from node j.
    """
    hat = ops.cast(adjacency, x.dtype)
    if nodes is not None:
        x = ops.where(nodes[:, :, None], x, 0)
        hat = ops.where(ops.logical_and(nodes[:, :, None], nodes[:, None]), hat, 0)
    if self_loops:
        number = ops.cumsum(ops.ones_like(adjacency[:1, 0], dtype="int32"), axis=1)
        hat = hat + ops.cast(ops.equal(number[:, :, None], number[:, None]), x.dtype)
    edges = ops.not_equal(hat, 0)
    if aggregate == "max":
        messages = ops.where(edges[..., None], hat[..., None] * x[:, :, None], float("-inf"))
        return ops.where(ops.any(edges, axis=1)[..., None], ops.max(messages, axis=1), 0)
    if aggregate == "gcn":
        degree = ops.sum(hat, axis=1)
        scale = ops.where(degree > 0, ops.rsqrt(ops.where(degree > 0, degree, 1)), 0)
        hat = scale[:, None] * hat * scale[:, :, None]
    if aggregate == "mean":
        hat = hat / ops.maximum(ops.sum(ops.cast(edges, x.dtype), axis=1, keepdims=True), 1)
    return ops.einsum("nji,njc->nic", hat, x)


class GraphConv(layers.Layer):
    """Graph convolution over a dense adjacency: a weight on what the neighbours give, with `root` another on the node's own."""

    def __init__(self, features, aggregate="gcn", self_loops=True, root=False, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.features, self.aggregate, self.self_loops = features, aggregate, self_loops
        self.root, self.use_bias = root, use_bias

    def build(self, x_shape, adjacency_shape=None, nodes_shape=None):
        shape = (x_shape[-1], self.features)
        self.kernel = self.add_weight(name="kernel", shape=shape)
        self.root_kernel = self.add_weight(name="root_kernel", shape=shape) if self.root else None
        self.bias = self.add_weight(name="bias", shape=(self.features,), initializer="zeros") if self.use_bias else None

    def call(self, x, adjacency, nodes=None):
        wide = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
        y = neighbours(wide, adjacency, nodes, self.aggregate, self.self_loops)
        y = ops.matmul(ops.cast(y, self.compute_dtype), self.kernel)
        if self.root:
            y = y + ops.matmul(x if nodes is None else ops.where(nodes[:, :, None], x, 0), self.root_kernel)
        if self.use_bias:
            y = y + self.bias
        return y if nodes is None else ops.where(nodes[:, :, None], y, 0)

    def compute_output_shape(self, x_shape, adjacency_shape=None, nodes_shape=None):
        return (*x_shape[:-1], self.features)

    def get_config(self):
        own = ("features", "aggregate", "self_loops", "root", "use_bias")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def graph_pool(x, adjacency, nodes=None, mode="max"):
    """The greatest or the mean of each node's features and its neighbours'."""
    y = neighbours(x, adjacency, nodes, mode)
    return y if nodes is None else ops.where(nodes[:, :, None], y, 0)


def graph_readout(x, nodes, mode="sum"):
    """The sum, mean or maximum of the nodes that are there; 0 for a graph without any."""
    there = nodes[:, :, None]
    if mode == "max":
        return ops.where(ops.any(there, axis=1), ops.max(ops.where(there, x, float("-inf")), axis=1), 0)
    total = ops.sum(ops.where(there, x, 0), axis=1)
    return total / ops.maximum(ops.sum(ops.cast(there, x.dtype), axis=1), 1) if mode == "mean" else total
