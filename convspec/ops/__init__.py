"""The layers, one file each. An op is imported when it is first used: `find("conv")` imports `convspec/ops/conv.py`.

An installed package brings layers of its own through the entry point group `convspec.ops`: `swish3 = "package.module:OP"`,
an OpDef of that name. It cannot take the name of a layer that is here.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from os import listdir
from pathlib import Path
from typing import Any

from convspec.diagnostics import error, fail
from convspec.ir.opdef import OpDef

GROUP = "convspec.ops"


@cache
def built_in() -> tuple[str, ...]:
    """The names of the ops in this package, sorted. File name = op name; files that begin with `_` are helpers."""
    files = listdir(Path(__file__).parent)
    return tuple(sorted(file.removesuffix(".py") for file in files if file.endswith(".py") and not file.startswith("_")))


@cache
def _installed() -> dict[str, Any]:
    """The entry points of installed packages by name. Asked for only when a name is not here: finding them takes time."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP) if point.name not in built_in()}


@cache
def names() -> tuple[str, ...]:
    """The names of all ops, those of installed packages too, sorted."""
    return tuple(sorted({*built_in(), *_installed()}))


def known(name: str) -> bool:
    """Whether there is an op of that name; nothing is loaded."""
    return name in built_in() or name in _installed()


@cache
def find(name: str) -> OpDef | None:
    """The op called `name`, or None. Failure CNN027 where an installed package offers one that cannot be used."""
    if name in built_in():
        op: OpDef = import_module(f"convspec.ops.{name}").OP
        return op
    point = _installed().get(name)
    return None if point is None else _loaded(name, point)


def _loaded(name: str, point: Any) -> OpDef:
    try:
        found = point.load()
    except Exception as problem:  # whatever somebody else's package does when it is imported
        raise fail(error("CNN027", f"the layer `{name}` of `{point.value}` cannot be loaded: {problem}")) from problem
    if not isinstance(found, OpDef) or found.name != name:
        raise fail(error("CNN027", f"`{point.value}` is offered as the layer `{name}`, and is no OpDef of that name"))
    return found
