"""The name that was probably meant, for hints."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from convspec.diagnostics import Guess

COMPARED = 500
"""Names that are compared: comparing takes time, and no file that a person wrote has more."""


def did_you_mean(name: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """The hint that offers the nearest of the known names; where none is near, `otherwise`."""
    candidates = [each for each in islice(known, COMPARED) if each != name]
    longer = [each for each in candidates if len(each) >= 3 and (each.startswith(name) or name.startswith(each))]
    from difflib import get_close_matches  # only where something is wrong

    near = get_close_matches(name, candidates, 1, cutoff=0.7) or longer
    return Guess(name, near[0]) if near else otherwise
