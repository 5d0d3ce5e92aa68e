"""Convolution. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
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


def pad_by_cells(x, padding, mode):
    """Padding with cells of the input: "replicate" repeats the outermost one, "circular" goes on at the other end, and
    "reflect" mirrors them without the outermost one.

    `padding` is one pair (before, after) per spatial axis.
    """
    for axis, (before, after) in enumerate(padding, 1):

        def cells(*part, axis=axis, x=x):
            return x[(slice(None),) * axis + (slice(*part),)]

        if mode == "circular":
            sides = cells(-before, None), cells(after)
        elif mode == "reflect":
            sides = ops.flip(cells(1, before + 1), axis), ops.flip(cells(-after - 1, -1), axis)
        else:
            sides = ops.repeat(cells(1), before, axis=axis), ops.repeat(cells(-1, None), after, axis=axis)
        parts = [sides[0]] * (before > 0) + [x] + [sides[1]] * (after > 0)
        x = ops.concatenate(parts, axis=axis) if len(parts) > 1 else x
    return x


class WSConv(layers.Layer):
    """A convolution of any rank whose weight is standardised first: each filter has mean 0 and variance 1 over its cells."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        dilation_rate=1,
        groups=1,
        use_bias=True,
        epsilon=1e-5,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.strides, self.padding = filters, kernel_size, strides, padding
        self.dilation_rate, self.groups, self.use_bias, self.epsilon = dilation_rate, groups, use_bias, epsilon

    def build(self, input_shape):
        rank = len(input_shape) - 2
        size = (self.kernel_size,) * rank if isinstance(self.kernel_size, int) else tuple(self.kernel_size)
        self.kernel = self.add_weight(name="kernel", shape=(*size, input_shape[-1] // self.groups, self.filters))
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros") if self.use_bias else None

    def call(self, inputs):
        kernel = ops.convert_to_tensor(self.kernel)
        kernel = ops.cast(kernel, keras.backend.result_type(kernel.dtype, "float32"))
        cells = tuple(range(len(kernel.shape) - 1))
        kernel = kernel - ops.mean(kernel, axis=cells, keepdims=True)
        kernel = kernel / ops.sqrt(ops.mean(kernel * kernel, axis=cells, keepdims=True) + self.epsilon)
        kernel = ops.cast(kernel, inputs.dtype)
        y = ops.conv(inputs, kernel, self.strides, self.padding, dilation_rate=self.dilation_rate)
        return y if self.bias is None else y + self.bias

    def compute_output_shape(self, input_shape):
        return conv_output_shape(self, input_shape)

    def get_config(self):
        own = ("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "use_bias", "epsilon")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


class SeparableConv3D(layers.Layer):
    """A convolution of each channel by itself, then one of kernel 1 over all channels; Keras has it in 1-D and 2-D."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        dilation_rate=1,
        depth_multiplier=1,
        use_bias=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.strides, self.padding = filters, kernel_size, strides, padding
        self.dilation_rate, self.depth_multiplier, self.use_bias = dilation_rate, depth_multiplier, use_bias

    def build(self, input_shape):
        size = (self.kernel_size,) * 3 if isinstance(self.kernel_size, int) else tuple(self.kernel_size)
        between = input_shape[-1] * self.depth_multiplier
        self.depthwise_kernel = self.add_weight(name="depthwise_kernel", shape=(*size, 1, between))
        self.pointwise_kernel = self.add_weight(name="pointwise_kernel", shape=(1, 1, 1, between, self.filters))
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros") if self.use_bias else None

    def call(self, inputs):
        x = ops.conv(inputs, self.depthwise_kernel, self.strides, self.padding, dilation_rate=self.dilation_rate)
        y = ops.conv(x, self.pointwise_kernel)
        return y if self.bias is None else y + self.bias

    def compute_output_shape(self, input_shape):
        return conv_output_shape(self, input_shape)

    def get_config(self):
        own = ("filters", "kernel_size", "strides", "padding", "dilation_rate", "depth_multiplier", "use_bias")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def conv_output_shape(layer, input_shape):
    """The shape that a convolution gives, channels last; None for a size that is not known."""
    sizes = []
    for axis, n in enumerate(input_shape[1:-1]):
        attributes = layer.kernel_size, layer.strides, layer.dilation_rate
        size, step, dilation = (a if isinstance(a, int) else a[axis] for a in attributes)
        reach = 1 if layer.padding == "same" else dilation * (size - 1) + 1
        sizes.append(None if n is None else (n - reach) // step + 1)
    return (input_shape[0], *sizes, layer.filters)


class DeformConv2D(layers.Layer):
    """A convolution that reads each cell of each window at a place of its own, bilinearly; outside of the input is 0."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding=0,
        dilation_rate=1,
        groups=1,
        offset_groups=1,
        use_bias=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.strides, self.padding = filters, kernel_size, strides, padding
        self.dilation_rate, self.groups, self.offset_groups, self.use_bias = dilation_rate, groups, offset_groups, use_bias

    def build(self, x_shape, offset_shape=None, mask_shape=None):
        size = (self.kernel_size,) * 2 if isinstance(self.kernel_size, int) else tuple(self.kernel_size)
        self.kernel = self.add_weight(name="kernel", shape=(*size, x_shape[-1] // self.groups, self.filters))
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros") if self.use_bias else None

    def call(self, x, offset, mask=None):
        n, rows, columns = ops.shape(offset)[:3]
        parts, size, channels = self.offset_groups, self.kernel.shape[:2], x.shape[-1]
        moved = ops.reshape(offset, (n, rows, columns, parts, *size, 2))
        moved = ops.cast(moved, keras.backend.result_type(x.dtype, "float32"))
        # Not `+`: what has one size other than 1 on its right, Keras may take for a bias of other axes.
        down = moved[..., 0] - -self.places(0, rows, moved)[:, None, None, :, None]
        right = moved[..., 1] - -self.places(1, columns, moved)[:, None, None, :]
        read = self.read(x, down, right)
        if mask is not None:
            read = read * ops.reshape(mask, (n, rows, columns, parts, *size, 1))
        read = ops.reshape(
            ops.transpose(read, (0, 1, 2, 4, 5, 3, 6)), (n, rows, columns, -1, self.groups, channels // self.groups)
        )
        kernel = ops.reshape(self.kernel, (size[0] * size[1], channels // self.groups, self.groups, -1))
        y = ops.reshape(ops.einsum("nijkgc,kcgf->nijgf", read, kernel), (n, rows, columns, self.filters))
        return y if self.bias is None else y + self.bias

    def places(self, axis, outputs, like):
        """Where the cells are read that are not moved: (outputs, kernel)."""
        attributes = self.strides, self.padding, self.dilation_rate
        step, before, dilation = (a if isinstance(a, int) else a[axis] for a in attributes)
        cells = ops.cast(ops.arange(self.kernel.shape[axis], dtype="int32"), like.dtype) * dilation
        windows = ops.cast(ops.arange(outputs, dtype="int32"), like.dtype) * step
        return windows[:, None] + cells - before

    def read(self, x, down, right):
        """The values between cells: (batch, rows, columns, parts, kernel…, channels / parts)."""
        n, height, width = ops.shape(x)[:3]
        parts, each = self.offset_groups, x.shape[-1] // self.offset_groups
        cells = ops.transpose(ops.reshape(x, (n, height * width, parts, each)), (0, 2, 1, 3))
        down, right = (ops.transpose(place, (0, 3, 1, 2, 4, 5)) for place in (down, right))
        last, end = ops.cast(height - 1, down.dtype), ops.cast(width - 1, down.dtype)
        total = 0
        for row, of_row in ((ops.floor(down), 1 - (down - ops.floor(down))), (ops.floor(down) + 1, down - ops.floor(down))):
            for column, of_column in (
                (ops.floor(right), 1 - (right - ops.floor(right))),
                (ops.floor(right) + 1, right - ops.floor(right)),
            ):
                inside = (row >= 0) & (row <= last) & (column >= 0) & (column <= end)
                share = ops.cast(ops.where(inside, of_row * of_column, ops.zeros_like(row)), x.dtype)
                rows = ops.cast(ops.clip(row, 0, last), "int32")
                index = rows * width + ops.cast(ops.clip(column, 0, end), "int32")
                found = ops.take_along_axis(cells, ops.reshape(index, (n, parts, -1, 1)), axis=2)
                total = total + found * ops.reshape(share, (n, parts, -1, 1))
        shape = ops.shape(down)
        return ops.transpose(ops.reshape(total, (*shape, each)), (0, 2, 3, 1, 4, 5, 6))

    def compute_output_shape(self, x_shape, offset_shape=None, mask_shape=None):
        return (*offset_shape[:3], self.filters)

    def get_config(self):
        own = ("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "offset_groups", "use_bias")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
