"""Shapes and numbers as short text, as they stand on edges and in boxes."""

from __future__ import annotations

import re

from convspec.ir.dims import Size
from convspec.ir.types import TensorType

_UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))
_BYTES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def shape_text(kind: TensorType) -> str:
    """`64×56×56`: the shape without the batch; a sum is set in brackets. `[N]` where there is nothing but a batch."""
    if kind.rank < 2:
        return f"[{', '.join(map(str, kind.shape))}]"
    return "×".join(map(size_text, kind.shape[1:]))


def size_text(size: Size) -> str:
    """One extent: `32h` for `32*h`, `(H + 1)` where it is a sum."""
    text = re.sub(r"(?<=\d)\*(?=[A-Za-z_])", "", _rounded_up(str(size)))
    return f"({text})" if " " in text and not _enclosed(text) else text


def _rounded_up(text: str) -> str:
    """`ceil(H/8)` for `(H + 7) // 8`."""

    def written(match: re.Match[str]) -> str:
        name, more, by = match.groups()
        return f"ceil({name}/{by})" if int(more) == int(by) - 1 else match[0]

    return re.sub(r"\((\w+) \+ (\d+)\) // (\d+)", written, text)


def _enclosed(text: str) -> bool:
    """Whether one pair of brackets holds all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    for place, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth == 0 and place < len(text) - 1:
            return False
    return True


def short(size: Size) -> str:
    """`25.6M`, three digits; as it is where sizes are open: `87.8M*N*h*w`."""
    if isinstance(size, int):
        return _scaled(size, _UNITS)
    return re.sub(r"(?<![\w.])\d{4,}(?!\w)", lambda match: _scaled(int(match[0]), _UNITS), _rounded_up(str(size)))


def short_bytes(size: Size) -> str:
    """`1.5 MiB`."""
    if not isinstance(size, int):
        return f"{short(size)} B"
    return _scaled(size, _BYTES, " ") if size >= 1024 else f"{size} B"


def _scaled(number: float, units: tuple[tuple[int, str], ...], space: str = "") -> str:
    for unit, letter in units:
        # What would be rounded up to a thousand of a unit is one of the next.
        if abs(number) >= unit * 0.9995:
            return f"{_digits(number / unit)}{space}{letter}"
    return str(int(number)) if float(number).is_integer() else _digits(number)


def _digits(number: float) -> str:
    places = 2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0
    text = f"{number:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number_text(number: float) -> str:
    """A plain number, three digits."""
    return _scaled(number, _UNITS)
