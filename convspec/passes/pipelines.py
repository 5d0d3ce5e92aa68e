"""Which passes a level runs, in order. The order matters: each line makes room for the next."""

from __future__ import annotations

from convspec.passes.base import Pass
from convspec.passes.fold_batchnorm import PASS as FOLD_BATCHNORM
from convspec.passes.fold_constants import PASS as FOLD_CONSTANTS
from convspec.passes.fold_inputs import PASS as FOLD_INPUTS
from convspec.passes.fold_pads import PASS as FOLD_PADS
from convspec.passes.fold_scales import PASS as FOLD_SCALES
from convspec.passes.merge_branches import PASS as MERGE_BRANCHES
from convspec.passes.merge_common import PASS as MERGE_COMMON
from convspec.passes.merge_scales import PASS as MERGE_SCALES
from convspec.passes.merge_siblings import PASS as MERGE_SIBLINGS
from convspec.passes.merge_successive import PASS as MERGE_SUCCESSIVE
from convspec.passes.move_pointwise import PASS as MOVE_POINTWISE
from convspec.passes.pad_widths import PASS as PAD_WIDTHS
from convspec.passes.remove_dead import PASS as REMOVE_DEAD
from convspec.passes.remove_identities import PASS as REMOVE_IDENTITIES
from convspec.passes.simplify_clips import PASS as SIMPLIFY_CLIPS
from convspec.passes.simplify_views import PASS as SIMPLIFY_VIEWS

LEVEL_1: tuple[Pass, ...] = (
    REMOVE_DEAD,
    REMOVE_IDENTITIES,
    SIMPLIFY_VIEWS,
    SIMPLIFY_CLIPS,
    FOLD_CONSTANTS,
    MERGE_COMMON,
    FOLD_PADS,
    FOLD_INPUTS,
    FOLD_BATCHNORM,
    FOLD_SCALES,
    MERGE_SCALES,
)
"""Each of them leaves less to compute, wherever the network runs."""

LEVEL_2: tuple[Pass, ...] = (*LEVEL_1, MERGE_BRANCHES, MOVE_POINTWISE, MERGE_SUCCESSIVE, MERGE_SIBLINGS, PAD_WIDTHS)
"""Those too that merge layers across branches, or pay on one target alone."""

PIPELINES = {0: (), 1: LEVEL_1, 2: LEVEL_2}

ROUNDS = 8
"""A pipeline is repeated until nothing changes, and this often at most."""
