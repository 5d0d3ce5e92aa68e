"""What autograd of PyTorch keeps in the forward pass of generated code: the oracle of what is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convspec.elaborate import Module
from convspec.ir.dims import evaluate
from convspec.targets.pytorch import to_torch
from convspec.weights.init import initial_weights


def kept_by_autograd(module: Module, sizes: Mapping[str, int], inputs_learn: bool = False) -> int:
    """Bytes of every storage that is saved for the backward pass, each once, without parameters and buffers.

    A dropout's mask is a float on a CPU, and counts here as the byte that it is on CUDA. `inputs_learn`: inputs need gradients,
    as a layer's do in the middle of a network.
    """
    import torch
    from torch import nn

    net = to_torch(module, initial_weights(module.graph, 0)).train()
    own = {tensor.untyped_storage().data_ptr() for tensor in [*net.parameters(), *net.buffers()]}
    kept: dict[int, Any] = {}
    masks = [0]

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept.setdefault(storage.data_ptr(), storage)
        return tensor

    def mask(layer: Any, inputs: Any, output: Any) -> None:
        masks[0] += 3 * output.numel() if layer.p else 0

    for each in net.modules():
        if isinstance(each, nn.Dropout):
            each.register_forward_hook(mask)
    tensors = []
    for given in module.graph.inputs:
        shape = [evaluate(size, sizes) for size in given.value.type.shape]
        dtype = getattr(torch, given.value.type.dtype)
        floats = dtype.is_floating_point
        tensors.append(
            torch.rand(shape, dtype=dtype, requires_grad=inputs_learn) if floats else torch.zeros(shape, dtype=dtype)
        )
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        net(*tensors)
    return int(sum(storage.nbytes() for storage in kept.values())) - masks[0]
