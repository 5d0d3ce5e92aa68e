"""The rules on windows against the reference: a cell or weight that is called unseen is changed, and nothing may follow."""

from __future__ import annotations

import random

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.elaborate.module import Module
from convspec.lint import warnings
from convspec.runtime.reference import evaluate

CASES = range(100)


def random_model(seed: int) -> tuple[str, Module | None]:
    """A convolution or pooling over one axis, of sizes that often do not fit well; None where it fits not at all."""
    pick = random.Random(seed)
    kernel, stride, dilation = pick.randint(1, 4), pick.randint(1, 3), pick.randint(1, 3)
    pads, size = [pick.randint(0, 4), pick.randint(0, 4)], pick.randint(1, 9)
    settings = f"stride = {stride}, pad = [{pads}]"
    pool = f"lppool({kernel}, {settings}, ceil = {str(pick.random() < 0.5).lower()})"
    layer = pool if pick.random() < 0.3 else f"conv(1, {kernel}, {settings}, dilation = {dilation})"
    try:
        return layer, loads(f"model Net {{ input x: float32[1, 1, {size}]\noutput x -> {layer} }}")
    except Failure:
        assert (kernel - 1) * dilation + 1 > size + sum(pads), layer
        return layer, None


def run(module: Module, x: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    (made,) = evaluate(module.graph, weights, {"x": x}).outputs.values()
    return np.asarray(made)


def unseen(module: Module) -> tuple[bool, bool, bool]:
    """By changing one number at a time: is the last cell unseen by a window wide enough, an output empty, a weight idle?"""
    (node,) = module.graph.nodes
    size = node.input_types[0].shape[2]
    assert isinstance(size, int)
    x = np.random.default_rng(0).uniform(1, 2, (1, 1, size))
    weights = {name: np.full(stored.shape, 1.5) for name, stored in module.graph.parameters().items()}
    before = run(module, x, weights)
    a = node.attrs
    extent = (a.kernel[0] - 1) * getattr(a, "dilation", (1,))[0] + 1
    last = not np.any(run(module, x + np.eye(1, x.shape[2], x.shape[2] - 1), weights) != before)
    empty = bool(np.any(run(module, x + 1, weights)[0, 0] == before[0, 0]))
    idle = False
    for name, stored in weights.items():
        for place in np.ndindex(stored.shape) if name.endswith("weight") else ():
            changed = stored.copy()
            changed[place] += 1
            idle = idle or not np.any(run(module, x, {**weights, name: changed}) != before)
    return last and extent >= a.stride[0], empty, idle


@pytest.mark.parametrize("seed", CASES)
def test_what_is_said_of_a_window_is_so(seed: int) -> None:
    layer, module = random_model(seed)
    if module is None:
        return  # there is no window to speak of, as `random_model` has made sure
    codes = {each.code for each in warnings(module)}
    last, empty, idle = unseen(module)
    gaps = getattr(module.graph.nodes[0].attrs, "dilation", (1,))[0] > 1
    assert ("CNN115" in codes) <= last, layer
    assert ("CNN111" in codes) <= (empty or idle), layer
    if not gaps:  # between the taps of a dilated window, more may be lost than the rule speaks of
        assert ("CNN115" in codes) == (last and module.graph.nodes[0].attrs.stride[0] > 1), layer
        assert ("CNN111" in codes) == (empty or idle), layer


def test_the_cases_are_of_every_kind() -> None:
    found: set[str] = set()
    for seed in CASES:
        _, module = random_model(seed)
        if module is not None:
            found |= {each.code for each in warnings(module)} or {"none"}
    assert {"none", "CNN111", "CNN115"} <= found
