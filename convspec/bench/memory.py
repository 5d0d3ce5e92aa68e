"""How much memory this process has taken at most."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_memory() -> int | None:
    """The most bytes of memory this process has had resident since it began; None where the system does not tell.

    On Linux this is VmHWM. `ru_maxrss` of a process that another one started begins with what the other one had.
    """
    if (status := Path("/proc/self/status")).exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def resident_memory() -> int | None:
    """The bytes of memory this process has resident now; None where the system does not tell."""
    try:
        with Path("/proc/self/statm").open() as file:
            pages = int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    import resource

    return pages * resource.getpagesize()


__all__ = ["peak_memory", "resident_memory"]
