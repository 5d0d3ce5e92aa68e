"""A network of the zoo held against one that others wrote: the same weights by name, the same outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

import convspec
from convspec.ir.types import Array
from tests.examples.networks import scaled_error
from tests.zoo.torchvision_models import stored, unsettled, weights_of

RUNTIMES = ("onnxruntime", "pytorch")
GATE = 1e-5


def check_outputs(
    network: str,
    theirs: Any,
    *shape: int,
    settings: Mapping[str, object] | None = None,
    outputs: Sequence[str] | None = None,
) -> None:
    """`theirs` on one picture of `shape` against `zoo:{network}` with its weights. `outputs` are our names, in its order."""
    for module in unsettled(theirs).modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d) and module.bias is not None:
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
    weights = weights_of(theirs)
    net = convspec.load(f"zoo:{network}", settings=settings, weights=weights)
    assert stored(net.module.graph) == {name: array.shape for name, array in weights.items()}
    image = np.random.default_rng(0).standard_normal(shape, np.float32)
    with torch.no_grad():
        expected = tensors(theirs(torch.from_numpy(image)))
    names = list(outputs or [output.name for output in net.module.graph.outputs])
    assert len(names) == len(expected)
    for runtime in RUNTIMES:
        found = net.run(image, runtime=runtime)
        for name, tensor in zip(names, expected, strict=True):
            assert scaled_error(found[name], tensor) < GATE, (runtime, name)


def tensors(found: Any) -> list[Array]:
    """One tensor, a sequence of them or a dictionary, as arrays."""
    values = found.values() if isinstance(found, Mapping) else [found] if isinstance(found, torch.Tensor) else found
    return [value.detach().numpy() for value in values]


def learnable(network: Any) -> int:
    """The elements that training changes."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
