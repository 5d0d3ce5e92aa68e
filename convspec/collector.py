"""Python's cycle collector, put off while something large is built.

A network of 100,000 layers is millions of objects that all stay. The collector walks them again and again as they grow in
number and finds nothing, which costs as much as the building and makes the cost of a layer grow with the network.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_off() -> Iterator[None]:
    """No automatic collection inside. It is as before afterwards, whatever happens, and may be used inside itself.

    It holds for the process: threads that run beside it go without automatic collection too.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


__all__ = ["collector_off"]
