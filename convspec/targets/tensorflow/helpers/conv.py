"""Convolution. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

from keras import layers, ops


def subsample(x, steps):
    """Every step-th position along each spatial axis. `steps` is one number, or one per axis."""
    steps = (steps,) * (len(x.shape) - 2) if isinstance(steps, int) else steps
    return x[(slice(None), *(slice(None, None, step) for step in steps))]


class ConvTranspose(layers.Layer):
    """Transposed convolution without padding, of any rank, with what Keras's own layers lack: groups, and dilation
    together with strides, in every precision and on every device.
    """

    def __init__(self, filters, kernel_size, strides=1, dilation_rate=1, groups=1, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.strides = filters, kernel_size, strides
        self.dilation_rate, self.groups, self.use_bias = dilation_rate, groups, use_bias

    def build(self, input_shape):
        rank = len(input_shape) - 2
        size = (self.kernel_size,) * rank if isinstance(self.kernel_size, int) else tuple(self.kernel_size)
        self.kernel = self.add_weight(name="kernel", shape=(*size, self.filters // self.groups, input_shape[-1]))
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros") if self.use_bias else None

    def call(self, inputs):
        kernels = ops.split(self.dilated_kernel(), self.groups, axis=-1)
        parts = zip(ops.split(inputs, self.groups, axis=-1), kernels, strict=True)
        y = ops.concatenate([ops.conv_transpose(part, kernel, self.strides) for part, kernel in parts], axis=-1)
        return y if self.bias is None else y + self.bias

    def dilated_kernel(self):
        """The kernel with zeros between its cells, and after them where it is smaller than the stride."""
        kernel = ops.convert_to_tensor(self.kernel)
        for axis, size in enumerate(self.kernel.shape[:-2]):
            step, dilation = (n if isinstance(n, int) else n[axis] for n in (self.strides, self.dilation_rate))
            cells = ops.expand_dims(kernel, axis + 1)
            cells = ops.pad(cells, [(0, dilation - 1 if i == axis + 1 else 0) for i in range(len(cells.shape))])
            shape = [n * dilation if i == axis else n for i, n in enumerate(kernel.shape)]
            reach = dilation * (size - 1) + 1
            kernel = ops.reshape(cells, shape)[(slice(None),) * axis + (slice(reach),)]
            kernel = ops.pad(kernel, [(0, max(step - reach, 0) if i == axis else 0) for i in range(len(shape))])
        return kernel

    def compute_output_shape(self, input_shape):
        sizes = []
        for axis, n in enumerate(input_shape[1:-1]):
            attributes = self.kernel_size, self.strides, self.dilation_rate
            size, step, dilation = (a if isinstance(a, int) else a[axis] for a in attributes)
            sizes.append(None if n is None else (n - 1) * step + max(dilation * (size - 1) + 1, step))
        return (input_shape[0], *sizes, self.filters)

    def get_config(self):
        own = ("filters", "kernel_size", "strides", "dilation_rate", "groups", "use_bias")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
