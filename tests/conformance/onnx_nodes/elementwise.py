"""Operators that work element by element."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from tests.conformance.onnx_nodes.fates import MASK, TRAINING
from tests.conformance.onnx_nodes.sheet import Impossible, Node, Translator, number

_FLOATS = ("float32", "float64", "float16", "bfloat16")


def unary(layer: str, node: Node) -> str:
    node.lifted(1 - node.rank())
    return node.let(f"{node.tensor()} -> {layer}")


def with_alpha(layer: str, default: float, node: Node) -> str:
    node.lifted(1 - node.rank())
    return node.let(f"{node.tensor()} -> {layer}({number(node.get('alpha', default))})")


def binary(symbol: str, node: Node) -> str:
    a, b = node.operands()
    return node.let(f"{a} {symbol} {b}")


def pair(layer: str, node: Node) -> str:
    a, b = node.operands()
    return node.let(f"{a} -> {layer}({b})")


def quotient(node: Node) -> str:
    """Of integers: the quotient of floats, cut off, which is exact for numbers so small."""
    a, b = node.operands()
    dtype = node.dtype()
    if dtype in _FLOATS or dtype not in ("int32", "int64", "uint8"):
        return node.let(f"{a} / {b}")
    assert all(np.abs(node.known(index)).max() < 2**50 for index in (0, 1))
    return node.let(f"(({a} -> cast(float64)) / ({b} -> cast(float64))) -> cast({dtype})")


def power(node: Node) -> str:
    """Integers are raised as doubles; the result has the type of the base."""
    a, b = node.operands()
    base, exponent = node.dtype(0), node.dtype(1)
    if base == exponent and base in _FLOATS:
        return node.let(f"{a} ** {b}")
    wide = base if base in _FLOATS else "float64"
    found = f"({_cast(a, base, wide)}) ** ({_cast(b, exponent, wide)})"
    return node.let(found if wide == base else f"({found}) -> cast({base})")


def _cast(x: str, dtype: str, wanted: str) -> str:
    return x if dtype == wanted else f"{x} -> cast({wanted})"


def extreme(layer: str, node: Node) -> str:
    """Bytes are compared as int32."""
    first, *others = node.operands()
    bytes_ = node.dtype() == "uint8"
    found = node.let(f"{first} -> cast(int32)") if bytes_ else first
    for other in others:
        found = node.let(f"{found} -> {layer}({other}{' -> cast(int32)' if bytes_ else ''})")
    if bytes_:
        return node.let(f"{found} -> cast(uint8)")
    return found if others else node.let(f"{found} -> identity")


def total(node: Node) -> str:
    values = node.operands()
    return node.let(f"sum([{', '.join(values)}])" if len(values) > 1 else f"{values[0]} -> identity")


def average(node: Node) -> str:
    return node.let(f"{total(node)} / {len(node.indices)}")


def exclusive_or(node: Node) -> str:
    a, b = node.operands()
    return node.let(f"{a} != {b}")


def where(node: Node) -> str:
    condition, a, b = node.operands()
    return node.let(f"where({condition}, {a}, {b})")


def cast(node: Node) -> str:
    from onnx import helper

    node.lifted(1 - node.rank())
    return node.let(f"{node.tensor()} -> cast({helper.tensor_dtype_to_np_dtype(node.get('to')).name})")


def reciprocal(node: Node) -> str:
    return node.let(f"1 / {node.tensor()}")


def clip(node: Node) -> str:
    """A least value above the greatest is no `clip` here; the operator then gives the greatest."""
    node.lifted(1 - node.rank())
    x = node.tensor()
    least = node.known(1) if node.opset >= 11 else node.get("min")
    greatest = node.known(2) if node.opset >= 11 else node.get("max")
    bounds = {"min": least, "max": greatest}
    given = {name: number(value) for name, value in bounds.items() if value is not None}
    if not given:
        return node.let(f"{x} -> identity")
    if len(given) == 2 and float(given["min"]) > float(given["max"]):
        return node.let(f"{x} -> maximum(number = {given['min']}) -> minimum(number = {given['max']})")
    return node.let(f"{x} -> clip({', '.join(f'{name} = {value}' for name, value in given.items())})")


def hard_sigmoid(node: Node) -> str:
    """Ours has the slope 1/6; any other is a line between two bounds."""
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-7 and beta == 0.5:
        return unary("hardsigmoid", node)
    return node.let(f"{number(alpha)} * {node.tensor()} + {number(beta)} -> clip(0, 1)")


def selu(node: Node) -> str:
    """Ours has the constants of the paper; any other is a multiple of `elu`."""
    alpha, gamma = node.get("alpha"), node.get("gamma")
    if alpha is None and gamma is None:
        return unary("selu", node)
    alpha, gamma = alpha or 1.67326319217681884765625, gamma or 1.05070102214813232421875
    return node.let(f"{number(gamma)} * ({node.tensor()} -> elu({number(alpha)}))")


def swish(node: Node) -> str:
    alpha = node.get("alpha", 1.0)
    if alpha == 1.0:
        return unary("silu", node)
    return node.let(f"{node.tensor()} * ({number(alpha)} * {node.tensor()} -> sigmoid)")


def gelu(node: Node) -> str:
    tanh = node.get("approximate", "none") == "tanh"
    return unary("gelu(approx = tanh)" if tanh else "gelu", node)


def thresholded(node: Node) -> str:
    return node.let(f"{node.tensor()} -> threshold({number(node.get('alpha', 1.0))}, 0)")


def prelu(node: Node) -> str:
    """A slope for every channel, or one for all, is a layer; slopes over other axes are a tensor."""
    slope, rank = node.known(1), node.rank()
    channels = node.shape()[1] if rank > 1 else 0
    per_channel = node.opset < 7 or slope.shape == (channels, *[1] * (rank - 2))
    if slope.size == 1 and per_channel:
        return node.layer(node.tensor(), "prelu(per = one)", weight=slope.reshape(1))
    if slope.size == channels and per_channel:
        return node.layer(node.tensor(), "prelu", weight=slope.reshape(-1))
    x, slopes = node.operands(0, 1)
    return node.let(f"where({x} > 0, {x}, {x} * {slopes})")


def identity(node: Node) -> str:
    return unary("identity", node)


def dropout(node: Node) -> str:
    """Only in inference, where nothing is dropped; there is no mask to have."""
    training = node.known(2)
    if training is not None and bool(training):
        raise Impossible(TRAINING)
    if len(node.outputs) > 1:
        raise Impossible(MASK)
    ratio = node.known(1) if node.opset >= 12 else node.get("ratio")
    rate = 0.5 if ratio is None else float(ratio)
    return node.let(f"{node.tensor()} -> dropout({number(rate)})")


_UNARY = {
    **{"Abs": "abs", "Exp": "exp", "HardSwish": "hardswish", "Log": "log", "Mish": "mish", "Neg": "neg"},
    **{"Not": "logical_not", "Relu": "relu", "Sigmoid": "sigmoid", "Softplus": "softplus", "Softsign": "softsign"},
    **{"Sqrt": "sqrt", "Tanh": "tanh"},
}
_SYMBOLS = {
    **{"Add": "+", "Sub": "-", "Mul": "*", "Equal": "==", "Greater": ">", "GreaterOrEqual": ">="},
    **{"Less": "<", "LessOrEqual": "<="},
}
TABLE: Mapping[str, Translator] = {
    **{op_type: partial(unary, layer) for op_type, layer in _UNARY.items()},
    **{op_type: partial(binary, symbol) for op_type, symbol in _SYMBOLS.items()},
    "And": partial(pair, "logical_and"),
    "Or": partial(pair, "logical_or"),
    "Xor": exclusive_or,
    "Celu": partial(with_alpha, "celu", 1.0),
    "Elu": partial(with_alpha, "elu", 1.0),
    "LeakyRelu": partial(with_alpha, "leaky_relu", 0.01),
    "Cast": cast,
    "Clip": clip,
    "Div": quotient,
    "Dropout": dropout,
    "Gelu": gelu,
    "HardSigmoid": hard_sigmoid,
    "Identity": identity,
    "Max": partial(extreme, "maximum"),
    "Mean": average,
    "Min": partial(extreme, "minimum"),
    "PRelu": prelu,
    "Pow": power,
    "Reciprocal": reciprocal,
    "Selu": selu,
    "Sum": total,
    "Swish": swish,
    "ThresholdedRelu": thresholded,
    "Where": where,
}
