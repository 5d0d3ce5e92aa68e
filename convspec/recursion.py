"""Room for recursion as deep as the limits allow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ROOM = 50_000


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Raise Python's recursion limit for a while; calls between Python functions take no C stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _ROOM))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
