"""What PyTorch says in two ways: functions that are also modules, and arguments that may be left out.

`tests/targets/pytorch/test_equivalents.py` holds these tables against the torch that is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from convspec.ir.lowering import Arg, Call
from convspec.targets.source.merge import Rules

MODULES = {
    "torch.relu": "nn.ReLU",
    "torch.sigmoid": "nn.Sigmoid",
    "torch.tanh": "nn.Tanh",
    "torch.softmax": "nn.Softmax",
    "F.relu6": "nn.ReLU6",
    "F.leaky_relu": "nn.LeakyReLU",
    "F.gelu": "nn.GELU",
    "F.silu": "nn.SiLU",
    "F.hardsigmoid": "nn.Hardsigmoid",
    "F.hardswish": "nn.Hardswish",
    "F.softmax": "nn.Softmax",
    "F.log_softmax": "nn.LogSoftmax",
    **{f"F.{name.lower()}": f"nn.{name}" for name in ("ELU", "CELU", "SELU", "Mish", "Hardtanh", "Threshold", "GLU")},
    **{f"F.{name.lower()}": f"nn.{name}" for name in ("LogSigmoid", "Softplus", "Softsign")},
    "F.local_response_norm": "nn.LocalResponseNorm",
    **{f"F.{kind}_pool{n}d": f"nn.{kind.title()}Pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)},
    **{f"F.adaptive_{kind}_pool{n}d": f"nn.Adaptive{kind.title()}Pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)},
}
"""Function → module that does the same with the function's other arguments, which have the same names in both."""

FUNCTIONS = {module: function for function, module in MODULES.items() if function != "F.softmax"}

_CONV = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True, "padding_mode": "zeros"}
DEFAULTS: dict[str, Mapping[str, Any]] = {
    **{f"nn.Conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"nn.ConvTranspose{n}d": {**_CONV, "output_padding": 0} for n in (1, 2, 3)},
    **{f"F.max_pool{n}d": {"padding": 0, "dilation": 1, "ceil_mode": False} for n in (1, 2, 3)},
    **{f"F.avg_pool{n}d": {"padding": 0, "ceil_mode": False, "count_include_pad": True} for n in (1, 2, 3)},
    **{f"nn.BatchNorm{n}d": {"eps": 1e-5, "momentum": 0.1} for n in (1, 2, 3)},
    **{f"helpers.BiasBatchNorm{n}d": {"eps": 1e-5, "momentum": 0.1} for n in (1, 2, 3)},
    **{f"nn.InstanceNorm{n}d": {"eps": 1e-5, "affine": False} for n in (1, 2, 3)},
    "nn.GroupNorm": {"eps": 1e-5, "affine": True},
    "nn.LayerNorm": {"eps": 1e-5, "elementwise_affine": True},
    "nn.RMSNorm": {"elementwise_affine": True},
    "nn.Linear": {"bias": True},
    "F.pad": {"mode": "constant", "value": None},
    "F.gelu": {"approximate": "none"},
    "F.interpolate": {"mode": "nearest", "align_corners": None},
}
"""Keyword arguments that may be left out, and what they are then."""

SAME_PER_AXIS = ("Conv", "Pool", "_pool")
"""Functions and modules with these in their names read an integer as that number for every axis."""

_SINGLE = ("groups", "bias", "ceil_mode", "count_include_pad")
"""Their arguments that are one value and never one per axis; so are the channels of a convolution, its first two, and the
input of a function."""


def as_module(call: Call) -> tuple[str, tuple[Any, ...], Mapping[str, Any]] | None:
    """The module (name, arguments, keywords) that does what `call` does to its one input, if there is one."""
    if not call.args or call.args[0] != Arg(0):
        return None
    if call.fn == ".flatten" and call.args[1:] == (1,) and not call.kwargs:
        return "nn.Flatten", (), {}
    module = MODULES.get(call.fn)
    return (module, call.args[1:], call.kwargs) if module else None


def as_function(
    module: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[str, tuple[Any, ...], Mapping[str, Any]] | None:
    """The function and its arguments after the input that do what a module without weights does, if there is one."""
    if module == "nn.Flatten":
        return (".flatten", (1,), {}) if not args and not kwargs else None
    function = FUNCTIONS.get(module)
    return (function, args, kwargs) if function else None


def canonical(fn: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """A key that is equal for two calls that mean the same: defaults left out, equal numbers per axis as one."""
    kwargs = _without_same(fn, args, kwargs)
    defaults = dict(_defaults(fn))
    if "_pool" in fn and fn[-2:-1].isdigit() and len(args) > 1:
        defaults["stride"] = _argument(fn, 1, args[1])
    named = {name: _argument(fn, name, value) for name, value in kwargs.items()}
    kept = {name: value for name, value in named.items() if name not in defaults or value != defaults[name]}
    return fn, tuple(_argument(fn, place, arg) for place, arg in enumerate(args)), tuple(sorted(kept.items()))


@cache
def _defaults(fn: str) -> Mapping[str, Any]:
    """The defaults of a function's keywords, as `canonical` has arguments."""
    return {name: _argument(fn, name, value) for name, value in DEFAULTS.get(fn, {}).items()}


def _argument(fn: str, place: int | str, value: Any) -> Any:
    """An argument, by its position or name. A list is one number only where torch reads it so: one for each axis, all equal."""
    found = _canonical(value)
    if not isinstance(value, tuple | list) or not any(part in fn for part in SAME_PER_AXIS) or not fn[-2:-1].isdigit():
        return found
    if place in _SINGLE or ("Conv" in fn and place in (0, 1)) or ("_pool" in fn and place == 0):
        return found
    is_one_for_all = len(value) == int(fn[-2]) and len(set(found)) == 1 and found[0][0] == "int"
    return found[0] if is_one_for_all else found


def _without_same(fn: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """`padding="same"` of a convolution as numbers, where it is the same number on both sides."""
    if kwargs.get("padding") != "same" or not fn.startswith("nn.Conv") or len(args) < 3 or kwargs.get("stride", 1) != 1:
        return kwargs
    rank = int(fn[-2])
    kernel, dilation = (
        each if isinstance(each, tuple | list) else (each,) * rank for each in (args[2], kwargs.get("dilation", 1))
    )
    reaches = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return kwargs if any(reach % 2 for reach in reaches) else {**kwargs, "padding": tuple(reach // 2 for reach in reaches)}


def _canonical(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(_canonical(item) for item in value)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__, value
    if isinstance(value, int):
        return "int", int(value)
    if isinstance(value, float):
        return "float", float.__repr__(value)
    return value


# ── how calls are laid over each other ───────────────────────────────────────────────────────────────────────

ORDER = ("stride", "padding", "output_padding", "dilation", "groups", "bias", "padding_mode", "ceil_mode", "count_include_pad")
"""In which order a person writes keywords."""


def _other_default(call: Any, name: str) -> Any:
    """The stride of a pool is its kernel. KeyError for what may not be left out."""
    if name == "stride" and "_pool" in call.fn:
        return call.args[1]
    raise KeyError(name)


_NATIVE = ("nn.Conv", "nn.MaxPool", "nn.AvgPool", "F.max_pool", "F.avg_pool", "F.lp_pool", "F.max_unpool", "F.adaptive_")
"""Of those, torch's own: a helper's arguments are what the lowering says, a number for each axis."""

RULES = Rules(DEFAULTS, _NATIVE, _other_default, lambda fn: ORDER)
