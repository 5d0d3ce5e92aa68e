"""`normalize` of an input of integers, such as a picture's pixels, becomes a cast, and what the passes for scales then fold.

The cast is what `normalize` does with integers anyway. It is taken out only where one convolution or linear layer, which shares
no weights, is all that reads the result: then that takes the scale in, and the mean too where it pads nothing.
"""

from __future__ import annotations

from convspec.ir.types import INTEGERS
from convspec.ops.cast import Cast
from convspec.passes._folding import AFTER
from convspec.passes.base import Pass
from convspec.passes.draft import Draft


def run(draft: Draft) -> None:
    """Integers are cast to the type that `normalize` gives."""
    for node in draft.nodes():
        if node.op.name != "normalize" or node.inputs[0].type.dtype not in INTEGERS:
            continue
        layer = draft.only_user(node.outputs[0])
        if layer is None or layer.op.name not in AFTER or draft.shares_weights(layer):
            continue
        path = draft.fresh_path(f"{node.path or 'normalize'}_cast")
        cast = draft.apply("cast", Cast(dtype=node.outputs[0].type.dtype), node.inputs, node, path=path)
        draft.rewrite([node], [cast, draft.changed(node, inputs=cast.outputs)], note="integers are cast first")


PASS = Pass("fold_inputs", "the normalisation of an input made ready to be folded", run)
