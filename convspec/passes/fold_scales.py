"""Numbers that a layer's channels are multiplied by, or that are added to them, go into the weights of a neighbour.

Such are x · c, x + c, -x and the like with a plain number or a learned tensor of one value a channel (layer scale), and
`normalize` of floats. The conditions are those of `fold_batchnorm`.
"""

from __future__ import annotations

from convspec.passes._affine import affine_of
from convspec.passes._folding import fold
from convspec.passes.base import Pass
from convspec.passes.draft import Draft


def run(draft: Draft) -> None:
    """Fold every scale and shift that can be, into the layer before it where both can."""
    for node in draft.nodes():
        if node.op.name != "batchnorm" and (affine := affine_of(draft, node)) is not None:
            fold(draft, node, affine)


PASS = Pass("fold_scales", "a scale or shift of channels folded into a layer's weights", run)
