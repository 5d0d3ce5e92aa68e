"""What Keras says in two ways: arguments that may be left out, and one number for a tuple of equal ones.

`tests/targets/tensorflow/test_equivalents.py` holds the table against the Keras that is installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from convspec.targets.source.merge import Rules

_CONV = {"strides": 1, "padding": "valid", "dilation_rate": 1, "groups": 1, "use_bias": True}
_DEPTHWISE = {"strides": 1, "padding": "valid", "depth_multiplier": 1, "dilation_rate": 1, "use_bias": True}
_TRANSPOSE = {"strides": 1, "padding": "valid", "output_padding": None, "dilation_rate": 1, "use_bias": True}

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    **{f"layers.Conv{n}D": _CONV for n in (1, 2, 3)},
    **{f"layers.DepthwiseConv{n}D": _DEPTHWISE for n in (1, 2)},
    **{f"layers.Conv{n}DTranspose": _TRANSPOSE for n in (1, 2, 3)},
    **{f"layers.{kind}Pooling{n}D": {"strides": None, "padding": "valid"} for kind in ("Max", "Average") for n in (1, 2, 3)},
    "layers.Dense": {"use_bias": True},
    "layers.concatenate": {"axis": -1},
    "ops.softmax": {"axis": -1},
    "ops.log_softmax": {"axis": -1},
    "ops.glu": {"axis": -1},
    "helpers.glu": {"axis": -1},
    "helpers.PRelu": {"shared_axes": None},
    "layers.LayerNormalization": {"axis": -1, "center": True, "scale": True},
    "layers.GroupNormalization": {"center": True, "scale": True},
    "layers.RMSNormalization": {"axis": -1},
    "helpers.BatchNorm": {"momentum": 0.9, "epsilon": 1e-5},
}
"""Keyword arguments that may be left out, and what they are then."""

ONE_FOR_ALL_AXES = ("Conv", "Pooling", "ZeroPadding", "Cropping", "UpSampling", "subsample")
"""Layers and functions with these in their names read an integer as that number for every axis."""

_PER_AXIS = ("kernel_size", "strides", "dilation_rate", "pool_size", "output_padding", "size", "steps")
"""Their arguments that may be one number for all axes."""


def _other_default(call: Any, name: str) -> Any:
    """The strides of a pool are its window's size."""
    if name == "strides" and "Pooling" in call.fn:
        return call.args[0]
    raise KeyError(name)


_TABLE = {fn: {k: v for k, v in found.items() if k != "strides" or "Pooling" not in fn} for fn, found in DEFAULTS.items()}
RULES = Rules(_TABLE, ONE_FOR_ALL_AXES, _other_default, lambda fn: list(DEFAULTS.get(fn, {})))


def canonical(fn: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """A key that is equal for two calls that mean the same: defaults left out, equal numbers per axis as one."""
    defaults = dict(_defaults(fn))
    if "Pooling" in fn and args:
        defaults["strides"] = _argument(fn, 0, args[0])  # None stands for the window's size
    named = {name: _argument(fn, name, value) for name, value in kwargs.items()}
    kept = {name: value for name, value in named.items() if name not in defaults or value != defaults[name]}
    return fn, tuple(_argument(fn, place, arg) for place, arg in enumerate(args)), tuple(sorted(kept.items()))


@cache
def _defaults(fn: str) -> Mapping[str, Any]:
    """The defaults of a function's keywords, as `canonical` has arguments."""
    return {name: _argument(fn, name, value) for name, value in DEFAULTS.get(fn, {}).items()}


def _argument(fn: str, place: int | str, value: Any) -> Any:
    """An argument, by its position or name. A list is one number only where Keras reads it so."""
    found = _canonical(value)
    if not any(part in fn for part in ONE_FOR_ALL_AXES) or "UpSampling1D" in fn:
        return found
    digits = re.findall(r"(\d)D", fn)
    axes = int(digits[0]) if digits else None
    if "ZeroPadding" in fn or "Cropping" in fn:
        return _sides(found, axes or 1)
    is_filters = place == 0 and "Conv" in fn and "Depthwise" not in fn
    if is_filters or (isinstance(place, str) and place not in _PER_AXIS) or not isinstance(value, tuple | list):
        return found
    is_one_for_all = axes in (None, len(value)) and len(set(found)) == 1 and found[0][0] == "int"
    return found[0] if is_one_for_all else found


def _sides(found: Any, axes: int) -> Any:
    """Padding or cropping as a pair for every axis, from an integer, integers per axis, or pairs; in 1-D from one pair."""
    if _is_integer(found):
        return ((found, found),) * axes
    if axes == 1:
        return (found,)
    return tuple((item, item) if _is_integer(item) else item for item in found)


def _is_integer(found: Any) -> bool:
    return isinstance(found, tuple) and len(found) == 2 and found[0] == "int"


def _canonical(value: Any) -> Any:
    match value:
        case tuple() | list():
            return tuple(_canonical(item) for item in value)
        case bool() | None | str():
            return type(value).__name__, value
        case int():
            return "int", int(value)
        case float():
            return "float", float.__repr__(value)
    return value
