"""Attention. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Multi-head attention of the positions of (batch, channels, positions…) to each other, or to those of a context.

    `mask` is true where a query may attend: (batch, keys) or (batch, queries, keys). A query that may attend to nothing gets 0.
    """

    def __init__(
        self, channels, heads, context_channels=None, features=None, out_channels=None, bias=True, causal=False, scale=None
    ):
        super().__init__()
        features = features or channels
        self.heads, self.causal, self.scale = heads, causal, scale
        self.query = nn.Linear(channels, features, bias)
        self.key = nn.Linear(context_channels or channels, features, bias=False)
        self.value = nn.Linear(context_channels or channels, features, bias)
        self.out = nn.Linear(features, out_channels or channels, bias)

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        query, key, value = self.split(self.query, x), self.split(self.key, context), self.split(self.value, context)
        if mask is None:
            y = F.scaled_dot_product_attention(query, key, value, is_causal=self.causal, scale=self.scale)
        else:
            mask = mask[:, None, None] if mask.dim() == 2 else mask[:, None]
            if self.causal:
                mask = mask & torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=x.device).tril()
            seen = mask.any(-1, keepdim=True)
            y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask | ~seen, scale=self.scale) * seen
        y = self.out(y.transpose(1, 2).flatten(2)).transpose(1, 2)
        return y.reshape(len(x), -1, *x.shape[2:])

    def split(self, projection, x):
        """(batch, channels, positions…) projected, as (batch, heads, positions, features of a head)."""
        return projection(x.flatten(2).transpose(1, 2)).unflatten(2, (self.heads, -1)).transpose(1, 2)
