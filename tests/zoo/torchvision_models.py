"""torchvision's networks to compare with: imported where its compiled extension does not load, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import nn

from convspec.ir.graph import Graph

# A CPU build of torch does not load torchvision's compiled operators. The models use none of them, but the import wants them
# declared, so that it can attach shape rules.
_DECLARED = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@cache
def torchvision(name: str = "models") -> Any:
    """`torchvision.<name>`: "models", "models.segmentation", "models.detection", "models.video", "ops"."""
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _DECLARED:
        if not hasattr(torch.ops.torchvision, schema.partition("(")[0]):
            library.define(schema)
    return import_module(f"torchvision.{name}")


def shapes_of(make: Callable[[], Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what a network stores, without its memory."""
    with torch.device("meta"):
        state: Mapping[str, torch.Tensor] = make().state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def stored(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what a spec stores."""
    return {name: parameter.shape for name, parameter in graph.parameters().items()}


def unsettled(network: Any, seed: int = 0) -> Any:
    """The network in inference mode with numbers under which no layer is the identity: norms as fresh ones are not."""
    generator = torch.Generator().manual_seed(seed)
    ranges = {"running_mean": (-0.2, 0.2), "running_var": (0.5, 1.5), "weight": (0.5, 1.0), "bias": (-0.2, 0.2)}
    for module in network.modules():
        for name, (low, high) in ranges.items():
            tensor = getattr(module, name, None)
            if isinstance(module, nn.modules.batchnorm._BatchNorm | nn.LayerNorm | nn.GroupNorm) and tensor is not None:
                nn.init.uniform_(tensor, low, high, generator=generator)
    for name, tensor in network.named_parameters():
        if name.endswith("layer_scale"):
            nn.init.uniform_(tensor, 0.5, 1.0, generator=generator)
    return network.eval()


def weights_of(network: Any) -> dict[str, Any]:
    """What a network stores as arrays by name."""
    return {name: t.detach().numpy() for name, t in network.state_dict().items() if not name.endswith("num_batches_tracked")}
