"""What Keras says in two ways: arguments that may be left out, and one number for a tuple of equal ones.

`tests/targets/tensorflow/test_equivalents.py` holds the table against the Keras that is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    "helpers.BatchNorm": {"momentum": 0.9, "epsilon": 1e-5},
}
"""Keyword arguments that may be left out, and what they are then."""

ONE_FOR_ALL_AXES = ("Conv", "Pooling", "ZeroPadding", "Cropping", "UpSampling", "subsample")
"""Layers and functions with these in their names read an integer as that number for every axis."""


def canonical(fn: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """A key that is equal for two calls that mean the same: defaults left out, equal numbers per axis as one."""
    squash = any(part in fn for part in ONE_FOR_ALL_AXES)
    defaults = {name: _canonical(value, squash) for name, value in DEFAULTS.get(fn, {}).items()}
    if "Pooling" in fn and args:
        defaults["strides"] = _canonical(args[0], squash)  # None stands for the window's size
    named = {name: _canonical(value, squash) for name, value in kwargs.items()}
    kept = {name: value for name, value in named.items() if name not in defaults or value != defaults[name]}
    return fn, tuple(_canonical(arg, squash) for arg in args), tuple(sorted(kept.items()))


def _canonical(value: Any, squash: bool) -> Any:
    match value:
        case tuple() | list():
            items = tuple(_canonical(item, squash) for item in value)
            return items[0] if squash and items and len(set(items)) == 1 else items
        case bool() | None | str():
            return type(value).__name__, value
        case int():
            return "int", int(value)
        case float():
            return "float", float.__repr__(value)
    return value
