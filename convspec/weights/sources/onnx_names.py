"""The names that the onnx target gives tensors: a parameter's own, or with the layout in which it is stored behind it.

`norm.weight/32x1x1` is `norm.weight` reshaped to 32 x 1 x 1, `fc.weight/1,0` is transposed, `w/8x4/1,0` is both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIZES, _AXES = r"\d{1,18}(?:x\d{1,18})*", r"\d{1,2}(?:,\d{1,2})+"
_FORM = re.compile(rf"(?P<base>.+?)(?:/(?P<reshape>{_SIZES}))?(?:/(?P<permute>{_AXES}))?", re.ASCII | re.DOTALL)
_CONSTANT = re.compile(r"constant_\d+(_\d+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Form:
    """A parameter that is stored reshaped, then with its axes permuted."""

    parameter: str
    reshape: tuple[int, ...] | None
    permute: tuple[int, ...] | None


def form(name: str) -> Form | None:
    """What a name says of a layout; None where it says nothing."""
    found = _FORM.fullmatch(name)
    if found is None or found["base"] == name:
        return None
    reshape, permute = found["reshape"], found["permute"]
    return Form(
        found["base"],
        tuple(map(int, reshape.split("x"))) if reshape else None,
        tuple(map(int, permute.split(","))) if permute else None,
    )


def is_constant(name: str) -> bool:
    """Whether the onnx target names its constants so."""
    return _CONSTANT.fullmatch(name) is not None


__all__ = ["Form", "form", "is_constant"]
