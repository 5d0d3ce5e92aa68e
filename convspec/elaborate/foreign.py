"""Words of other frameworks and languages, and what they are called here: for hints only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from re import fullmatch, sub

from convspec.diagnostics import Guess
from convspec.elaborate.nearest import COMPARED, did_you_mean
from convspec.ir.types import DTYPES

_SAME = {
    "dense": "linear", "fullyconnected": "linear", "fc": "linear",
    "batchnormalization": "batchnorm", "bn": "batchnorm", "localresponsenorm": "lrn",
    "maxpooling": "maxpool", "averagepool": "avgpool", "averagepooling": "avgpool",
    "globalaveragepool": "global_avgpool", "globalaveragepooling": "global_avgpool", "adaptiveavgpool": "global_avgpool",
    "globalmaxpooling": "global_maxpool", "adaptivemaxpool": "global_maxpool",
    "convolution": "conv", "convtransposed": "conv_transpose", "transposedconv": "conv_transpose", "deconv": "conv_transpose",
    "cat": "concat", "concatenate": "concat", "chunk": "split", "swish": "silu", "hardswish": "hardswish",
    "upsampling": "upsample", "zeropadding": "pad", "logistic": "sigmoid", "lrelu": "leaky_relu",
}  # fmt: skip
_NAMED = {
    "kernel_size": "kernel", "pool_size": "kernel", "out_channels": "filters", "out_planes": "filters",
    "out_features": "features", "units": "features", "use_bias": "bias", "padding": "pad", "padding_mode": "pad_mode",
    "strides": "stride", "dilation_rate": "dilation", "p": "rate", "drop_prob": "rate", "num_groups": "groups",
    "epsilon": "eps", "dim": "axis", "scale_factor": "factor", "negative_slope": "slope", "ceil_mode": "ceil",
    "return_indices": "indices", "kernel_initializer": "init", "depth_multiplier": "multiplier",
}  # fmt: skip
"""Parameters of layers elsewhere."""
_UNWRITTEN = ("in_channels", "in_features", "in_planes", "num_features", "num_channels", "input_shape", "input_dim", "in_dim")
_NEED_CHANNELS = r"(Conv(Transpose)?[123]d|Linear|BatchNorm[123]d|InstanceNorm[123]d)"
"""Layers of PyTorch to which the channels that come in are given first."""
_PYTHON = {
    "range": "a range is written a..b, the end excluded",
    "enumerate": "`for i, x in xs` counts",
    "print": "`convspec summary` shows sizes and parameters",
    "str": 'a string interpolates: "{n}"',
    "float": "arithmetic turns integers into floats where it has to",
    "Sequential": "stages stand in brackets: [a -> b]",
}  # fmt: skip


_DTYPES = {
    "float": "float32", "f32": "float32", "fp32": "float32", "single": "float32", "double": "float64", "f64": "float64",
    "half": "float16", "f16": "float16", "fp16": "float16", "bf16": "bfloat16", "int": "int64", "long": "int64", "i64": "int64",
    "i32": "int32", "byte": "uint8", "u8": "uint8", "boolean": "bool",
}  # fmt: skip
"""Element types elsewhere: of C, NumPy and PyTorch."""


def hint_for_dtype(name: str) -> str | None:
    """What to write in place of an element type that does not exist."""
    known = f"known: {', '.join(DTYPES)}"
    meant = _DTYPES.get(name.lower().removeprefix("torch."))
    return Guess(name, meant) if meant is not None else did_you_mean(name, DTYPES, known)


def hint_for_callable(name: str, known: Iterable[str]) -> str | None:
    """What the author may have meant by a layer, block or function that does not exist."""
    if name in _PYTHON:
        return _PYTHON[name]
    plain = {_plain(each): each for each in islice(known, COMPARED)}
    same = _SAME.get(_plain(name)) or plain.get(_plain(name))
    from difflib import get_close_matches  # only where something is wrong

    near = [same] if same else [plain[each] for each in get_close_matches(_plain(name), plain, 1)]
    if near and fullmatch(_NEED_CHANNELS, name):
        return Guess(
            name, near[0], f"did you mean `{near[0]}`? The channels that come in are not written: they follow from the tensor"
        )
    return Guess(name, near[0]) if near else None


def hint_for_parameter(name: str, known: Sequence[str], layer: str, signature: str) -> str:
    """What the author may have meant by a parameter that a layer does not have."""
    if name in _UNWRITTEN:
        return "what comes in is not written: it follows from the tensor"
    if name in ("activation", "act") and layer != "batchnorm":
        return f"an activation is a stage of its own: -> {layer}(…) -> relu"
    if _NAMED.get(name) in known:
        return Guess(name, _NAMED[name])
    return did_you_mean(name, known, signature) or signature


def _plain(name: str) -> str:
    """`Conv2d`, `MaxPooling2D` and `leaky_relu` without what sets them apart: case, dimensions, underscores."""
    return sub(r"[123]d$", "", name.lower().replace("_", "")) or name
