"""Holds a network of the zoo against one that others wrote: names and shapes of what they store, then outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

import convspec
from convspec.ir.graph import Graph
from convspec.ir.types import Array
from tests.examples.networks import scaled_error
from tests.zoo.torchvision_models import shapes_of, stored, weights_of

RUNTIMES = ("onnxruntime", "pytorch")


def image(*shape: int, seed: int = 0) -> Array:
    """Standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def agrees(file: str, model: str, network: Any, batch: Array, settings: Mapping[str, object] | None = None) -> None:
    """The state of a PyTorch network loads by name, and gives its outputs."""
    with torch.no_grad():
        expected = network(torch.from_numpy(batch)).numpy()
    gives(file, model, weights_of(network), batch, expected, settings)


def named_alike(graph: Graph, make: Callable[[], Any]) -> None:
    """Names and shapes of what a PyTorch network stores, and the epsilons of its norms, which outputs are too rough to show."""
    with torch.device("meta"):
        theirs = make()
    assert stored(graph) == shapes_of(lambda: theirs)
    norms = {name: module.eps for name, module in theirs.named_modules() if hasattr(module, "eps")}
    assert norms
    same_epsilons(graph, norms)


def same_epsilons(graph: Graph, norms: Mapping[str, float]) -> None:
    """`norms` are all that the network has, by our labels."""
    found = {node.path: node.attrs.eps for node in graph.nodes if "norm" in node.op.name}
    assert found == pytest.approx(dict(norms), rel=1e-6)


def gives(
    file: str,
    model: str,
    weights: Mapping[str, Array],
    batch: Array,
    expected: Array,
    settings: Mapping[str, object] | None = None,
) -> None:
    """The spec with these weights gives the expected outputs."""
    net = convspec.load(f"zoo:{file}", model, settings or {}, weights=dict(weights))
    for runtime in RUNTIMES:
        (found,) = net.run(batch, runtime=runtime).values()
        assert scaled_error(found, expected) < 1e-5, runtime
