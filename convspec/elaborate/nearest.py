"""The name that was probably meant, for hints."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

COMPARED = 500
"""Names that are compared: comparing takes time, and no file that a person wrote has more."""


def did_you_mean(name: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """The hint that offers the nearest of the known names; where none is near, `otherwise`."""
    near = get_close_matches(name, islice(known, COMPARED), 1)
    return f"did you mean `{near[0]}`?" if near and near[0] != name else otherwise
