"""One use of each op that is not spatial, for tests that go over all of them."""

from __future__ import annotations

from typing import Any

SAMPLES: list[tuple[str, dict[str, Any], int]] = [
    *((name, {}, 1) for name in ("relu", "relu6", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "hardsigmoid", "hardswish")),
    *((name, {}, 1) for name in ("softmax", "neg", "flatten", "dropout", "batchnorm")),
    *(
        (name, {}, 1)
        for name in ("elu", "celu", "selu", "mish", "hardtanh", "logsigmoid", "softplus", "softsign", "log_softmax")
    ),
    *((name, {}, 1) for name in ("prelu", "layernorm", "rmsnorm", "l2norm", "instancenorm")),
    ("celu", {"alpha": 0.3}, 1),
    ("threshold", {"threshold": 0.1, "value": 20}, 1),
    ("glu", {"axis": "height"}, 1),
    ("maxout", {"pieces": 3}, 1),
    ("layernorm", {"axes": "all"}, 1),
    ("rmsnorm", {"axes": ["height", "width"]}, 1),
    ("groupnorm", {"groups": 3}, 1),
    ("instancenorm", {"affine": True}, 1),
    ("linear", {"features": 4, "axis": "channels"}, 1),
    ("split", {"parts": [1, 2]}, 1),
    ("concat", {}, 3),
    *((name, {}, 2) for name in ("add", "sub", "mul", "div")),
    ("div", {"left": 0.3}, 1),
    *((name, {}, 1) for name in ("exp", "abs", "sum", "mean", "max", "min")),
    *((name, {"axes": "channels", "keep": False}, 1) for name in ("sum", "mean", "max", "min")),
    *((name, {}, 2) for name in ("maximum", "minimum", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal")),
    ("maximum", {"number": 0.3}, 1),
    ("clip", {"min": -0.3, "max": 0.5}, 1),
    ("clip", {"max": 0.5}, 1),
    ("pow", {"right": 2.0}, 1),
    ("pow", {"left": 2.0}, 1),
    ("matmul", {"transpose_b": True}, 2),
]
"""Name, attributes, number of inputs of rank 4."""
