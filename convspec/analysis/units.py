"""Numbers as people read them: thousands set apart, bytes in binary units beside the exact count, shares in percent."""

from __future__ import annotations

import re

from convspec.ir.dims import Size

_BINARY = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def grouped(size: Size | None) -> str:
    """A size with its long numbers set apart: `87,818,240*N*h*w`; `-` for None."""
    if size is None:
        return "-"
    return re.sub(r"(?<![\w.])\d{4,}(?!\w)", lambda match: f"{int(match[0]):,}", str(size))


def signed(number: int) -> str:
    """`+1,024`, `-3`, `0`."""
    return f"{number:+,}" if number else "0"


def binary(count: int) -> str:
    """`1.21 GiB`: three digits or more, of 1024 bytes and its powers; `512 B` below."""
    for unit, name in _BINARY:
        if abs(count) >= unit:
            return f"{count / unit:,.2f} {name}"
    return f"{count:,} B"


def exact_bytes(count: Size | None) -> str:
    """`1,234,567 bytes (1.18 MiB)`; a size that is not known yet as it is."""
    if not isinstance(count, int):
        return f"{grouped(count)} bytes"
    beside = f" ({binary(count)})" if abs(count) >= 1024 else ""
    return f"{count:,} bytes{beside}"


def percent(part: float, whole: float) -> str:
    """`12.5 %`; a share of nothing is none."""
    if not whole:
        return "-"
    share = 100 * part / whole
    return "< 0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


__all__ = ["binary", "exact_bytes", "grouped", "percent", "signed"]
