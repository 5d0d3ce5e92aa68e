"""Convolution. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

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
        window = {"stride": stride, "padding": padding, "dilation": dilation, "padding_mode": padding_mode}
        self.depthwise = self.layer(in_channels, between, kernel_size, groups=in_channels, bias=False, **window)
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
