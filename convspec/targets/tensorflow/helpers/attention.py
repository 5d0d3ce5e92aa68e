"""Attention. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
from keras import layers, ops


class Attention(layers.Layer):
    """Multi-head attention of the positions of (batch, positions…, channels) to each other, or to those of a context.

    `allowed` is true where a query may attend: (batch, keys) or (batch, keys, queries). A query that may attend to nothing
    gets 0.
    """

    def __init__(self, heads, features, filters, use_bias=True, causal=False, scale=None, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.features, self.filters, self.use_bias = heads, features, filters, use_bias
        self.causal, self.scale = causal, scale

    def build(self, x_shape, context_shape=None, allowed_shape=None):
        own, other = x_shape[-1], (context_shape or x_shape)[-1]
        self.query_kernel = self.add_weight(name="query_kernel", shape=(own, self.features))
        self.query_bias = self.bias_of("query", self.features)
        self.key_kernel = self.add_weight(name="key_kernel", shape=(other, self.features))
        self.value_kernel = self.add_weight(name="value_kernel", shape=(other, self.features))
        self.value_bias = self.bias_of("value", self.features)
        self.out_kernel = self.add_weight(name="out_kernel", shape=(self.features, self.filters))
        self.out_bias = self.bias_of("out", self.filters)

    def bias_of(self, name, size):
        return self.add_weight(name=f"{name}_bias", shape=(size,), initializer="zeros") if self.use_bias else None

    def call(self, x, context=None, allowed=None):
        context = x if context is None else context
        query = self.split(x, self.query_kernel, self.query_bias)
        key = self.split(context, self.key_kernel, None)
        value = self.split(context, self.value_kernel, self.value_bias)
        scale = (self.features // self.heads) ** -0.5 if self.scale is None else self.scale
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) * scale
        scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
        allowed, seen = self.mask_of(scores, allowed)
        if allowed is not None:
            scores = ops.where(allowed, scores, float("-inf"))
        weights = ops.cast(ops.softmax(scores, axis=-1), value.dtype)
        if seen is not None:
            weights = weights * ops.cast(seen, value.dtype)
        y = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        y = ops.matmul(ops.reshape(y, (ops.shape(x)[0], -1, self.features)), self.out_kernel)
        y = y if self.out_bias is None else y + self.out_bias
        return ops.reshape(y, (*ops.shape(x)[:-1], self.filters))

    def split(self, x, kernel, bias):
        """(batch, positions…, channels) projected, as (batch, heads, positions, features of a head)."""
        y = ops.matmul(ops.reshape(x, (ops.shape(x)[0], -1, x.shape[-1])), kernel)
        y = y if bias is None else y + bias
        y = ops.reshape(y, (ops.shape(x)[0], -1, self.heads, self.features // self.heads))
        return ops.transpose(y, (0, 2, 1, 3))

    def mask_of(self, scores, allowed):
        """What each query may attend to (all, if there is nothing), and whether there is anything."""
        if allowed is not None:
            allowed = allowed[:, None, None] if len(allowed.shape) == 2 else ops.transpose(allowed, (0, 2, 1))[:, None]
        if self.causal:
            number = ops.cumsum(ops.ones_like(scores[0, 0, 0], dtype="int32"))
            order = ops.greater_equal(number[:, None], number)
            if allowed is None:
                return order, None
            allowed = ops.logical_and(allowed, order)
        if allowed is None:
            return None, None
        seen = ops.any(allowed, axis=-1, keepdims=True)
        return ops.logical_or(allowed, ops.logical_not(seen)), seen

    def compute_output_shape(self, x_shape, context_shape=None, allowed_shape=None):
        return (*x_shape[:-1], self.filters)

    def get_config(self):
        own = ("heads", "features", "filters", "use_bias", "causal", "scale")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
