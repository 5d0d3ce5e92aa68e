"""What the tests of running share: small specs, and what a user is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.diagnostics.render import render
from convspec.elaborate import Module, loads
from convspec.ir.types import Array
from convspec.runtime.base import Network
from convspec.runtime.signature import Signature, signature_of
from convspec.weights.init import initial_weights

SMALL = """model Small(classes: int = 4) {
    input image: float32[N, 1, 8, 8]
    logits = image -> conv(3, 3x3, pad = 1) -> relu -> maxpool(2x2) -> flatten -> fc: linear(classes)
    output logits
}
"""
TWO = """model Two {
    input left: float32[N, 2, 2*h, 2*w]
    input right: float32[N, 2, 2*h, 2*w]
    output sum = left + right
    output "max.0" = left -> maxpool(2x2)
}
"""


def module(text: str) -> Module:
    return loads(text, name="net.cnn")


def network(text: str, seed: int = 0) -> Network:
    made = module(text)
    return Network(made, initial_weights(made.graph, seed))


def signature(*inputs: str, body: str = "") -> Signature:
    """The interface of a model with these input declarations; each goes out through relu."""
    names = [line.split(":")[0] for line in inputs]
    lines = [f"    input {line}" for line in inputs] + [f"    output o{i} = {n} -> relu" for i, n in enumerate(names)]
    return signature_of(module("model Net {\n" + "\n".join(lines) + "\n}\n").graph)


def told(action: Callable[[], Any]) -> str:
    """What a user is told when `action` fails, without the lines that quote the spec."""
    with pytest.raises(Failure) as caught:
        action()
    lines = render(caught.value.diagnostics).splitlines()
    return "\n".join(line for line in lines if line.startswith(("error", "  =")))


def codes(action: Callable[[], Any]) -> list[str]:
    with pytest.raises(Failure) as caught:
        action()
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def array(dtype: str, values: Any) -> Array:
    return np.array(values, dtype)


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
