"""Convolution. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import torch
from torch import nn
from torch.nn import functional as F


class SeparableConv(nn.Module):
    """A convolution of each channel by itself, then one of kernel 1 over all channels."""

    layer: type

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        multiplier=1,
        bias=True,
        padding_mode="zeros",
    ):
        super().__init__()
        between = in_channels * multiplier
        window = {
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": in_channels,
            "bias": False,
            "padding_mode": padding_mode,
        }
        self.depthwise = self.layer(in_channels, between, kernel_size, **window)
        self.pointwise = self.layer(between, out_channels, 1, bias=bias)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class SeparableConv1d(SeparableConv):
    layer = nn.Conv1d


class SeparableConv2d(SeparableConv):
    layer = nn.Conv2d


class SeparableConv3d(SeparableConv):
    layer = nn.Conv3d


class WSConv(nn.Module):
    """A convolution whose weight is standardised first: each filter has mean 0 and variance 1 over its cells."""

    layer: type

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        eps=1e-5,
    ):
        super().__init__()
        like = self.layer(in_channels, out_channels, kernel_size, groups=groups, bias=bias)
        self.weight, self.bias = like.weight, like.bias
        self.stride, self.padding, self.dilation, self.groups, self.eps = stride, padding, dilation, groups, eps

    def forward(self, x):
        convolve = (F.conv1d, F.conv2d, F.conv3d)[x.dim() - 3]
        weight = F.layer_norm(self.weight, self.weight.shape[1:], eps=self.eps)
        return convolve(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class WSConv1d(WSConv):
    layer = nn.Conv1d


class WSConv2d(WSConv):
    layer = nn.Conv2d


class WSConv3d(WSConv):
    layer = nn.Conv3d


class DeformConv2d(nn.Module):
    """A convolution that reads each cell of each window at a place of its own, bilinearly; outside of the input is 0."""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        offset_groups=1,
        bias=True,
    ):
        super().__init__()
        like = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.weight, self.bias = like.weight, like.bias
        self.kernel_size, self.stride, self.padding, self.dilation = like.kernel_size, like.stride, like.padding, like.dilation
        self.groups, self.offset_groups = groups, offset_groups

    def forward(self, x, offset, mask=None):
        n, channels = x.shape[:2]
        sizes = offset.shape[2:]
        moved = offset.reshape(n, self.offset_groups, *self.kernel_size, 2, *sizes)
        moved = moved.to(torch.promote_types(x.dtype, torch.float32))
        down = moved[:, :, :, :, 0] + self.places(0, moved)[:, None, :, None]
        right = moved[:, :, :, :, 1] + self.places(1, moved)[:, None, :]
        read = self.read(x, down.reshape(n, self.offset_groups, 1, -1), right.reshape(n, self.offset_groups, 1, -1))
        if mask is not None:
            read = read * mask.reshape(n, self.offset_groups, 1, -1)
        read = read.reshape(n, self.groups, channels // self.groups, -1, *sizes)
        weight = self.weight.reshape(self.groups, -1, *read.shape[2:4])
        y = torch.einsum("ngckij,gfck->ngfij", read, weight).reshape(n, -1, *sizes)
        return y if self.bias is None else y + self.bias[:, None, None]

    def places(self, axis, like):
        """Where the cells are read that are not moved: (kernel, outputs)."""
        cells = torch.arange(self.kernel_size[axis], dtype=like.dtype, device=like.device) * self.dilation[axis]
        windows = torch.arange(like.shape[5 + axis], dtype=like.dtype, device=like.device) * self.stride[axis]
        return cells[:, None] + windows - self.padding[axis]

    def read(self, x, down, right):
        """The values between cells: (batch, parts, channels / parts, places)."""
        height, width = x.shape[2:]
        cells = x.reshape(x.shape[0], self.offset_groups, -1, height * width)
        total = 0
        for row, of_row in ((down.floor(), 1 - (down - down.floor())), (down.floor() + 1, down - down.floor())):
            for column, of_column in ((right.floor(), 1 - (right - right.floor())), (right.floor() + 1, right - right.floor())):
                inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
                share = torch.where(inside, of_row * of_column, torch.zeros_like(row))
                index = row.clamp(0, height - 1).long() * width + column.clamp(0, width - 1).long()
                total = total + cells.gather(3, index.expand(-1, -1, cells.shape[2], -1)) * share.to(x.dtype)
        return total
