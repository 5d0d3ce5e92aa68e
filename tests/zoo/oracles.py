"""Holds a network of the zoo against its paper written out in PyTorch, with the same names: what is stored, then outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

import convspec
from convspec.ir.types import Array
from convspec.weights.randomised import randomised
from tests.examples.networks import scaled_error
from tests.zoo.outputs import GATE, RUNTIMES, tensors
from tests.zoo.torchvision_models import shapes_of, stored

Settings = Mapping[str, object]


def stores(file: str, model: str, make: Callable[[], Any], settings: Settings | None = None) -> None:
    """Names and shapes are those of the module, whose memory is not taken."""
    assert stored(convspec.load(f"zoo:{file}", model, settings or {}).module.graph) == shapes_of(make)


def holds(file: str, model: str, theirs: Any, inputs: Mapping[str, Array], settings: Settings | None = None) -> None:
    """With weights under which every layer matters, the spec gives on a batch of two or more what the module gives."""
    graph = convspec.load(f"zoo:{file}", model, settings or {}).module.graph
    weights = randomised(graph, seed=1)
    net = convspec.load(f"zoo:{file}", model, settings or {}, weights=weights)
    _take(theirs, weights)
    with torch.no_grad():
        expected = tensors(theirs.eval()(*map(torch.from_numpy, inputs.values())))
    names = [output.name for output in net.module.graph.outputs]
    assert all(scaled_error(array[:1], array[1:2]) > 1e-3 for array in expected), "the examples must differ, to tell anything"
    for runtime in RUNTIMES:
        found = net.run(dict(inputs), runtime=runtime)
        for name, array in zip(names, expected, strict=True):
            assert scaled_error(found[name], array) < GATE, (runtime, name)


def _take(theirs: Any, weights: Mapping[str, Array]) -> None:
    """Load the weights into the module: all that it has, and no others."""
    state = {name: torch.from_numpy(array) for name, array in weights.items()}
    missing, unknown = theirs.load_state_dict(state, strict=False)
    assert not unknown
    assert all(name.endswith("num_batches_tracked") for name in missing), missing


__all__ = ["Settings", "holds", "stores"]
