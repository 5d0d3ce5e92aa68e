"""What transformers need besides attention. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import torch
from torch import nn


class DropPath(nn.Module):
    """Stochastic depth: in training sets whole examples to 0 with probability `p`, and divides the others by 1 - p."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        kept = x.new_empty(len(x), *[1] * (x.dim() - 1)).bernoulli_(1 - self.p)
        return x * (kept / (1 - self.p))


class ToFloat(nn.Module):
    """Elements as floats, in the precision that the module has (float32 unless it is changed by `.double()`, say)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("example", torch.empty(0), persistent=False)

    def forward(self, x):
        return x.to(self.example.dtype)


def normalize(x, mean, std, scale=255.0):
    """(x / scale - mean) / std; mean and std are numbers, or lists of one per channel."""
    shape = (-1, *[1] * (x.dim() - 2))
    scale, mean, std = (torch.tensor(n, dtype=x.dtype, device=x.device).reshape(shape) for n in (scale, mean, std))
    return (x / scale - mean) / std
