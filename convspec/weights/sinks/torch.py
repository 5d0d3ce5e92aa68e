"""A PyTorch `.pt` or `.pth`: a plain state_dict, which loads with strict=True into the module that the target writes."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

from convspec.elaborate.module import Module
from convspec.files import write_file
from convspec.targets.base import Weights
from convspec.weights.names import ignored


def write(path: Path, module: Module, weights: Weights) -> list[Path]:
    """Save `weights` in the module's own order, with the counters that its batch norms keep, at 0.

    Failure CNN303 without torch, CNN090 where the target cannot write the network, CNN400 where the file cannot be written.
    """
    from convspec.targets.pytorch import to_torch

    made = to_torch(module)
    import torch

    counters = {name: tensor for name, tensor in made.state_dict().items() if ignored(name) and name not in weights}
    state = OrderedDict((name, _tensor(torch, array)) for name, array in weights.items())
    for name, tensor in counters.items():
        state[name] = torch.zeros_like(tensor)
    names = [name for name in made.state_dict() if name in state]
    ordered = OrderedDict((name, state[name]) for name in names)
    return [write_file(path, lambda file: torch.save(ordered, file))]


def _tensor(torch: Any, array: Any) -> Any:
    """The array as a tensor; bfloat16 passes as bits, which NumPy has no type of its own for."""
    import numpy as np

    plain = np.array(array, order="C")  # a copy: what torch.save writes is the storage
    if plain.dtype.name == "bfloat16":
        return torch.from_numpy(plain.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(plain)


__all__ = ["write"]
