"""What transformers need besides attention. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
from keras import layers, ops


class PaddedEmbedding(layers.Embedding):
    """An embedding whose vector at the index `padding` gets no gradient, and so stays as it is."""

    def __init__(self, input_dim, output_dim, padding, **kwargs):
        super().__init__(input_dim, output_dim, **kwargs)
        self.padding = padding

    def call(self, inputs):
        vectors = super().call(inputs)
        empty = ops.expand_dims(ops.equal(inputs, self.padding), -1)
        return ops.where(empty, ops.stop_gradient(vectors), vectors)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


class LearnedTensor(layers.Layer):
    """A learned tensor that is there by itself, such as a position embedding. The input's values are not read."""

    def __init__(self, *shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = shape

    def build(self, input_shape):
        self.weight = self.add_weight(name="weight", shape=self.shape, initializer="zeros")

    def call(self, inputs):
        return ops.copy(self.weight)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.shape, self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}

    @classmethod
    def from_config(cls, config):
        return cls(*config.pop("shape"), **config)


def to_float(x):
    """Elements as floats, in the precision that Keras is set to."""
    return ops.cast(x, keras.config.floatx())


def normalize(x, mean, std, scale=255.0):
    """(x / scale - mean) / std; mean and std are numbers, or lists of one per channel."""
    mean, std = (ops.convert_to_tensor(each, dtype=x.dtype) for each in (mean, std))
    return (x / scale - mean) / std
