"""Normalisation. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import torch.nn.functional as F
from torch import nn


class BiasBatchNorm1d(nn.BatchNorm1d):
    """Batch normalization that shifts its channels and does not scale them."""

    def __init__(self, channels, **options):
        super().__init__(channels, **options)
        self.register_parameter("weight", None)


class BiasBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization that shifts its channels and does not scale them."""

    def __init__(self, channels, **options):
        super().__init__(channels, **options)
        self.register_parameter("weight", None)


class BiasBatchNorm3d(nn.BatchNorm3d):
    """Batch normalization that shifts its channels and does not scale them."""

    def __init__(self, channels, **options):
        super().__init__(channels, **options)
        self.register_parameter("weight", None)


class ChannelLayerNorm(nn.LayerNorm):
    """Layer normalization over the channels at each position, channels first (Liu et al. 2022)."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class ChannelRMSNorm(nn.RMSNorm):
    """RMS normalization over the channels at each position, channels first."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class LayerNormAlong(nn.LayerNorm):
    """Layer normalization along the axes `dim`, of these sizes."""

    def __init__(self, sizes, dim, eps=1e-5):
        super().__init__(sizes, eps)
        self.dim = (dim,) if isinstance(dim, int) else tuple(dim)

    def forward(self, x):
        last = tuple(range(-len(self.dim), 0))
        return super().forward(x.movedim(self.dim, last)).movedim(last, self.dim)


class RMSNormAlong(nn.RMSNorm):
    """RMS normalization along the axes `dim`, of these sizes."""

    def __init__(self, sizes, dim, eps=1e-5):
        super().__init__(sizes, eps)
        self.dim = (dim,) if isinstance(dim, int) else tuple(dim)

    def forward(self, x):
        last = tuple(range(-len(self.dim), 0))
        return super().forward(x.movedim(self.dim, last)).movedim(last, self.dim)


def layer_norm(x, dim, eps=1e-5):
    """Layer normalization along the axes `dim`, without weights."""
    dim = (dim,) if isinstance(dim, int) else tuple(dim)
    last = tuple(range(-len(dim), 0))
    x = x.movedim(dim, last)
    return F.layer_norm(x, x.shape[-len(dim) :], eps=eps).movedim(last, dim)


def rms_norm(x, dim, eps):
    """RMS normalization along the axes `dim`, without weights."""
    dim = (dim,) if isinstance(dim, int) else tuple(dim)
    last = tuple(range(-len(dim), 0))
    x = x.movedim(dim, last)
    return F.rms_norm(x, x.shape[-len(dim) :], eps=eps).movedim(last, dim)
