"""The oracle of windows: the input cells that the gradient of a unit reaches, in the generated PyTorch module, in float64.

Weights, biases and inputs are positive, so that no activation is dead; layers that choose one of several cells are made to add
them, since any may be the chosen one. What lies outside a window then has a gradient of zero, exactly, and what lies at its
border has another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from math import inf
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F

from convspec.api import Net
from convspec.ir.dims import substitute
from convspec.ir.graph import Node
from convspec.ir.types import FLOATS, TensorType

Cells = set[int]


class Oracle:
    """One forward pass of a network; gradients of units with respect to its inputs, as often as one likes."""

    def __init__(self, net: Net, sizes: Mapping[str, int], seed: int = 0) -> None:
        self.graph, self.sizes = net.module.graph, sizes
        generator = torch.Generator().manual_seed(seed)
        model = net.to_torch().double().eval()
        _positive(model, generator)
        model.requires_grad_(False)
        self.outputs: dict[str, Any] = {}
        self.calls: dict[str, int] = {}
        for name, module in model.named_modules():
            module.register_forward_hook(self._hook(name))
        self.inputs = {
            each.value.name: _numbers(
                each.value.type, tuple(int(str(substitute(size, sizes))) for size in each.value.type.shape), generator
            )
            for each in self.graph.inputs
        }
        self.leaves = [(name, 2, tensor) for name, tensor in self.inputs.items() if tensor.requires_grad]
        """The tensors whose gradients tell what is seen: the input's name, and the first axis of space. Of a row of indices it
        is the row of vectors that they become."""
        with _adding():
            model(*self.inputs.values())

    def _hook(self, name: str) -> Any:
        rows = [node for node in self.graph.nodes if node.path == name and node.op.name == "embedding"]

        def keep(module: Any, given: Any, made: Any) -> Any:
            call = self.calls.get(name, 0)
            if rows and isinstance(module, torch.nn.Embedding):
                made = made.detach().requires_grad_()
                source = rows[min(call, len(rows) - 1)].inputs[0].name
                self.leaves += [(source, 1, made)] if source in self.inputs and made.ndim == 3 else []
            self.outputs[name] = made
            self.calls[name] = call + 1
            return made

        return keep

    def stages(self) -> list[Node]:
        """The layers whose result the module shows as it is: those with a module of their own; of a shared one the last."""
        last = {node.path: node for node in self.graph.nodes}
        times = Counter(node.path for node in self.graph.nodes)
        return [node for path, node in last.items() if self.calls.get(path) == times[path] and self._shows(node)]

    def _shows(self, node: Node) -> bool:
        """Whether the module gives one tensor, in the order of axes that the spec has."""
        made = self.outputs[node.path]
        wanted = tuple(int(str(substitute(size, self.sizes))) for size in node.outputs[0].type.shape)
        return isinstance(made, torch.Tensor) and made.requires_grad and tuple(made.shape) == wanted

    def seen(self, node: Node, place: Sequence[int]) -> dict[tuple[str, int], Cells]:
        """The cells that the unit at `place` in space sees, by input and axis (batch 0); all its channels together."""
        unit = self.outputs[node.path][(0, slice(None), *place)].sum()
        found = torch.autograd.grad(unit, [leaf for _, _, leaf in self.leaves], retain_graph=True, allow_unused=True)
        seen: dict[tuple[str, int], Cells] = {}
        for (name, first, leaf), gradient in zip(self.leaves, found, strict=True):
            for axis in range(first, leaf.ndim if first == 2 else 2):
                seen[name, axis] = seen.get((name, axis), set()) | _projected(gradient, axis)
        return seen


def _projected(gradient: Any, axis: int) -> Cells:
    if gradient is None:
        return set()
    others = [i for i in range(gradient.ndim) if i != axis]
    return set(torch.nonzero(gradient.abs().amax(others)).flatten().tolist())


def _numbers(of: TensorType, shape: tuple[int, ...], generator: torch.Generator) -> Any:
    if of.dtype not in FLOATS:
        return torch.ones(shape, dtype=getattr(torch, of.dtype))
    return (torch.rand(shape, generator=generator, dtype=torch.float64) + 0.5).requires_grad_()


def _positive(model: Any, generator: torch.Generator) -> None:
    """Weights whose sum over what one unit reads is below one, so that numbers stay small through any depth."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            fan = parameter[0].numel() if parameter.ndim > 1 else 100 if name.endswith("bias") else 3
            parameter.copy_((torch.rand(parameter.shape, generator=generator, dtype=torch.float64) + 0.5) / max(1, fan))
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.zero_()


def _through(original: Any) -> Any:
    """The function itself on plain numbers, such as weights of a resize; the identity on what depends on the input."""
    return lambda x, *args, **kwargs: x if x.requires_grad else original(x, *args, **kwargs)


@contextmanager
def _adding() -> Iterator[None]:
    """Pools and maxima add what they would choose from; what cuts numbers off lets them through."""
    patches = [patch.object(F, f"max_pool{rank}d", _pool(rank)) for rank in (1, 2, 3)]
    patches += [patch.object(F, f"adaptive_max_pool{rank}d", getattr(F, f"adaptive_avg_pool{rank}d")) for rank in (1, 2, 3)]
    patches += [patch.object(torch, name, torch.add) for name in ("maximum", "minimum", "sub")]
    patches += [patch.object(torch, name, torch.mean) for name in ("amax", "amin")]
    patches += [patch.object(F, name, _through(getattr(F, name))) for name in ("relu6", "hardtanh", "hardsigmoid", "hardswish")]
    patches += [patch.object(F, "pad", _border(F.pad))]
    patches += [patch.object(of, "clamp", _through(of.clamp)) for of in (torch, torch.Tensor)]
    with ExitStack() as stack:
        for each in patches:
            stack.enter_context(each)
        yield


def _border(original: Any) -> Any:
    """Zeros around a tensor where a pool's own border is below all numbers: it would swallow the sum."""
    return lambda x, pad, mode="constant", value=None: original(x, pad, mode, None if value == -inf else value)


def _pool(rank: int) -> Any:
    original = getattr(F, f"max_pool{rank}d")

    def pool(
        x: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        """The mean over each window of a max pool, with as many windows; the indices are the pool's own."""
        kernel, step, pads, spread = (
            [value] * rank if isinstance(value, int) else list(value)
            for value in (kernel_size, stride or kernel_size, padding, dilation)
        )
        chosen = original(x, kernel_size, stride, padding, dilation, ceil_mode, True)
        sizes = chosen[0].shape[2:]
        extra: list[int] = []
        for n, m, k, s, p, d in zip(x.shape[2:], sizes, kernel, step, pads, spread, strict=True):
            extra = [p, max(0, (m - 1) * s + d * (k - 1) + 1 - n - p), *extra]
        x = F.pad(x, extra)
        channels = x.shape[1]
        ones = torch.ones((channels, 1, *kernel), dtype=x.dtype)
        mean = getattr(F, f"conv{rank}d")(x, ones, None, step, 0, spread, channels)
        mean = mean[(slice(None), slice(None), *(slice(0, m) for m in sizes))] / ones[0].numel()
        return (mean, chosen[1]) if return_indices else mean

    return pool
