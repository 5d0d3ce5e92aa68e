"""What the tests of the PyTorch target share: networks, weights, live modules of both printers, inputs."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from convspec.elaborate import Module, loads
from convspec.ir.dims import Dim, evaluate
from convspec.ir.types import Array
from convspec.targets.pytorch.package import import_text
from convspec.targets.pytorch.source import Source, generate
from convspec.weights.init import initial_weights
from tests.targets.pytorch.specs import ALL

MODELS = {"model_as_block": "Outer"}
"""The model to compile, for specs that hold several."""

torch: Any = import_module("torch")


@cache
def module(name: str) -> Module:
    return loads(ALL[name], f"{name}.cnn", model=MODELS.get(name))


@cache
def source(name: str, straight: bool = False) -> Source:
    return generate(module(name), name, straight=straight)


def live(made: Source, weights: dict[str, Array]) -> Any:
    """The class of a generated file, with weights, in inference mode."""
    network = getattr(import_text(made.text), made.class_name)()
    network.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in weights.items()})
    return network.eval()


def random_weights(of: Module, seed: int = 0) -> dict[str, Array]:
    """Weights away from their initial zeros and ones, so that no layer is the identity by accident."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, array in initial_weights(of.graph, seed).items():
        noise = rng.uniform(-0.3, 0.3, array.shape)
        start = np.ones_like(array) if name.endswith("running_var") else array
        found[name] = (start + noise).astype(array.dtype)
    return found


def inputs(of: Module, batch: int = 2, size: int = 2, seed: int = 0) -> dict[str, Array]:
    """An array for each input; every symbolic name but the batch is `size`, or its least value if that is more."""
    rng = np.random.default_rng(seed)
    found = {}
    for graph_input in of.graph.inputs:
        shape = tuple(_extent(extent, batch, size) for extent in graph_input.value.type.shape)
        found[graph_input.value.name] = rng.standard_normal(shape).astype(graph_input.value.type.dtype)
    return found


def _extent(extent: int | Dim, batch: int, size: int) -> int:
    from convspec.ir.dims import minima

    if isinstance(extent, int):
        return extent
    return evaluate(extent, {name: batch if name == "N" else max(size, least) for name, least in minima(extent).items()})


def run(network: Any, arrays: dict[str, Array]) -> list[Array]:
    with torch.no_grad():
        result = network(*(torch.from_numpy(array) for array in arrays.values()))
    tensors = list(result.values()) if isinstance(result, dict) else [result]
    return [tensor.numpy() for tensor in tensors]
