"""Words of other frameworks and languages, and what they are called here: for hints only."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from re import sub

from convspec.diagnostics import Guess
from convspec.elaborate.nearest import COMPARED

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
_PYTHON = {
    "range": "a range is written a..b, the end excluded",
    "enumerate": "`for i, x in xs` counts",
    "print": "`convspec summary` shows sizes and parameters",
    "str": 'a string interpolates: "{n}"',
    "float": "arithmetic turns integers into floats where it has to",
    "Sequential": "stages stand in brackets: [a -> b]",
}  # fmt: skip


def hint_for_callable(name: str, known: Iterable[str]) -> str | None:
    """What the author may have meant by a layer, block or function that does not exist."""
    if name in _PYTHON:
        return _PYTHON[name]
    plain = {_plain(each): each for each in islice(known, COMPARED)}
    same = _SAME.get(_plain(name)) or plain.get(_plain(name))
    from difflib import get_close_matches  # only where something is wrong

    near = [same] if same else [plain[each] for each in get_close_matches(_plain(name), plain, 1)]
    return Guess(name, near[0]) if near else None


def _plain(name: str) -> str:
    """`Conv2d`, `MaxPooling2D` and `leaky_relu` without what sets them apart: case, dimensions, underscores."""
    return sub(r"[123]d$", "", name.lower().replace("_", "")) or name
