"""Batch norm, which in inference is a scale and a shift for each channel, goes into the weights of a neighbour.

Into the convolution or linear layer before it whatever the padding; into the one after it only where that pads with nothing,
or with copies of its input, or where there is no shift. Not where the neighbour's output is read by others, or its weights
are shared (Jacob et al. 2018, "Quantization and training of neural networks", section 3.2, for the layer before).
"""

from __future__ import annotations

from convspec.passes._affine import affine_of
from convspec.passes._folding import fold
from convspec.passes.base import Pass
from convspec.passes.draft import Draft


def run(draft: Draft) -> None:
    """Fold every batch norm that can be, into the layer before it where both can."""
    for node in draft.nodes():
        if node.op.name == "batchnorm" and (affine := affine_of(draft, node)) is not None:
            fold(draft, node, affine)


PASS = Pass("fold_batchnorm", "a batch norm folded into a layer's weights", run)
