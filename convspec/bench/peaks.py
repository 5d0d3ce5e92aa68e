"""The most that a device computes and moves in a second: of a known GPU by its data sheet, of a CPU measured on the spot."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).with_name("gpus.json")
_EDGE = 1536
"""Rows of the square factors: large enough that reading them takes no time beside the product."""
_MOST_BYTES = 256 * 2**20
"""The largest array of the triad; three are made."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """A device's peaks at one precision: floating-point operations and bytes of its memory, each a second."""

    device: str
    precision: str
    flops: float
    bandwidth: float
    source: str

    @property
    def ridge(self) -> float:
        """Flops a byte from which on computing, not memory, is what a layer waits for."""
        return self.flops / self.bandwidth


def gpu_peaks(name: str, precision: str) -> Peaks | None:
    """The peaks of a GPU by the name its driver gives it; None where the table has not got it, or not that precision.

    A part of a GPU (MIG) has another name, and is not in the table.
    """
    row = _table().get(name.strip().lower())
    if row is None or precision not in row:
        return None
    return Peaks(row["model"], precision, row[precision] * 1e12, row["bandwidth"] * 1e9, row["source"])


@cache
def _table() -> dict[str, Any]:
    rows = json.loads(_TABLE.read_text())["gpus"]
    return {name.lower(): row for row in rows for name in row["names"]}


def cpu_peaks(precision: str = "fp32", threads: int | None = None, seconds: float = 0.5) -> Peaks | None:
    """The peaks of this machine's CPU, measured for about twice `seconds`; None for a precision nothing here can measure.

    Computing: the best of several square matrix products, by NumPy in fp32 and by PyTorch, where it is installed, in bf16 and
    fp16. Memory: the best of several stream triads (a = b + s * c) on arrays that no cache holds, in `threads` threads.
    """
    product = _numpy_product() if precision == "fp32" else _torch_product(precision)
    if product is None:
        return None
    flops = 2 * _EDGE**3 / best(product, seconds)
    source = (
        f"measured here: a {_EDGE}x{_EDGE} matrix product by {'NumPy' if precision == 'fp32' else 'PyTorch'}, a stream triad"
    )
    return Peaks("CPU", precision, flops, bandwidth(threads, seconds), source)


def measure(precisions: Sequence[str], threads: int | None = None, seconds: float = 0.5) -> list[dict[str, Any]]:
    """The peaks of this CPU at each precision that can be measured, as JSON, for a process of its own with its own threads.

    A CPU without instructions for a narrow float computes it as fp32, so fp32's peak is the least that it can do.
    """
    fp32 = cpu_peaks("fp32", threads, seconds)
    assert fp32 is not None
    found = [fp32, *(each for name in precisions if name != "fp32" and (each := cpu_peaks(name, threads, seconds)))]
    top = max(each.bandwidth for each in found)
    return [asdict(replace(each, flops=max(each.flops, fp32.flops), bandwidth=top)) for each in found]


def best(function: Callable[[], object], seconds: float, clock: Callable[[], float] = time.perf_counter) -> float:
    """The shortest of the calls that fit into `seconds`, after one that does not count; at least three."""
    function()
    times: list[float] = []
    end = clock() + seconds
    while len(times) < 3 or clock() < end:
        start = clock()
        function()
        times.append(clock() - start)
    return min(times)


def bandwidth(threads: int | None = None, seconds: float = 0.5, largest: int = _MOST_BYTES) -> float:
    """Bytes a second that a stream triad moves, counted as STREAM counts them: what is read and what is written.

    NumPy takes two passes (a = s * c, a = a + b), which together read three arrays and write two.
    """
    import numpy as np

    count = threads or available_cpus()
    size = min(largest, max(4 * cache_bytes(), 32 * 2**20)) // 8 // count
    parts = [tuple(np.full(size, value) for value in (0.0, 1.0, 2.0)) for _ in range(count)]

    def one(part: tuple[Any, Any, Any]) -> None:
        a, b, c = part
        np.multiply(c, 3.0, out=a)
        np.add(a, b, out=a)

    with ThreadPoolExecutor(count) as pool:
        fastest = best(lambda: list(pool.map(one, parts)), seconds)
    return 5 * 8 * size * count / fastest


def available_cpus() -> int:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_bytes() -> int:
    """The size of the largest cache of the first CPU; 32 MiB where the system does not tell."""
    units = {"K": 2**10, "M": 2**20, "G": 2**30}
    found = [32 * 2**20]
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = path.read_text().strip()
        if text[-1:] in units and text[:-1].isdigit():
            found.append(int(text[:-1]) * units[text[-1]])
    return max(found)


def _numpy_product() -> Callable[[], object]:
    import numpy as np

    generator = np.random.default_rng(0)
    one, other = (generator.random((_EDGE, _EDGE), np.float32) for _ in range(2))
    result = np.empty_like(one)
    return partial(np.matmul, one, other, out=result)


def _torch_product(precision: str) -> Callable[[], object] | None:
    try:
        import torch
    except (ImportError, OSError):
        return None
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
    if dtype is None:
        return None
    one, other = (torch.rand(_EDGE, _EDGE).to(dtype) for _ in range(2))
    return partial(torch.mm, one, other)


__all__ = ["Peaks", "available_cpus", "bandwidth", "best", "cache_bytes", "cpu_peaks", "gpu_peaks", "measure"]
