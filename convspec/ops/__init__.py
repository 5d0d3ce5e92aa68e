"""The layers, one file each. An op is imported when it is first used: `find("conv")` imports `convspec/ops/conv.py`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from convspec.ir.opdef import OpDef


@cache
def names() -> tuple[str, ...]:
    """The names of all ops, sorted. File name = op name; files that begin with `_` are helpers."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))


@cache
def find(name: str) -> OpDef | None:
    """The op called `name`, or None."""
    if name not in names():
        return None
    op: OpDef = import_module(f"convspec.ops.{name}").OP
    return op
