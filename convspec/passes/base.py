"""What a pass is, and which level asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from convspec.passes.draft import Draft

LEVELS = (0, 1, 2)
"""0: as written. 1: never more work than before, each layer for itself. 2: layers merged and reshaped across branches."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One way to rewrite a network. The file `convspec/passes/<name>.py` holds it as `PASS`.

    It must be exact up to rounding for every input and every size, and linear in the number of nodes. Where its condition
    does not hold it leaves the network as it is.
    """

    name: str
    """A verb and what it acts on: `fold_batchnorm`."""
    summary: str
    """What a report says of one use, in the past tense: `batchnorm folded into the convolution before it`."""
    run: Callable[[Draft], None]
