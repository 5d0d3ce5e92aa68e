"""Layers whose results nobody needs are left out, with their stored tensors: what an output is not made of, it does without."""

from __future__ import annotations

from convspec.passes.base import Pass
from convspec.passes.draft import Draft


def run(draft: Draft) -> None:
    """From the last layer to the first, so that what only dead layers read is dead too. Inputs of the network stay."""
    for node in reversed(list(draft.nodes())):
        if not any(draft.users(value) or draft.is_output(value) for value in node.outputs):
            draft.rewrite([node], note="nothing needs its result")


PASS = Pass("remove_dead", "a layer left out whose result nobody needs", run)
