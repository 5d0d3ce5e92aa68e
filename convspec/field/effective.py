"""How much each cell of the input counts for a unit: the mean size of its gradient over seeded inputs.

After Luo, Li, Urtasun and Zemel 2016, "Understanding the effective receptive field in deep convolutional neural networks": the
gradient of a unit, here of the sum over its channels, with respect to the input; its absolute values, summed over the input's
channels, averaged over inputs drawn from a normal distribution. Computed by PyTorch, in float64, in inference mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from convspec.analysis.places import Unit
from convspec.analysis.window import InputWindow, unit_windows
from convspec.diagnostics import error, fail
from convspec.ir.dims import substitute
from convspec.ir.graph import Graph, GraphOutput
from convspec.ir.types import FLOATS, Array
from convspec.records import dataclass

if TYPE_CHECKING:
    from convspec.api import Net

HELD = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Effective:
    """What a unit's gradient says of one input. `map` has the input's axes of space, and sums to 1."""

    unit: Unit
    window: InputWindow
    map: Array
    samples: int
    seed: int

    @property
    def inside(self) -> float:
        """The share of the gradient inside the theoretical window: 1, or one of both is wrong."""
        cut = tuple(slice(axis.low, axis.high + 1) for axis in self.window.axes)
        return float(self.map[cut].sum())

    @property
    def spread(self) -> tuple[float, ...]:
        """For each axis the standard deviation of where the gradient lies, in cells: the width of a Gaussian like it."""
        import numpy as np

        found = []
        for axis, size in enumerate(self.map.shape):
            mass = self.map.sum(tuple(other for other in range(self.map.ndim) if other != axis))
            cells = np.arange(size)
            centre = float((mass * cells).sum())
            found.append(float(np.sqrt((mass * (cells - centre) ** 2).sum())))
        return tuple(found)

    @property
    def held(self) -> tuple[int, ...]:
        """The sides of `held_box`."""
        return tuple(high - low + 1 for low, high in self.held_box)

    @property
    def held_box(self) -> tuple[tuple[int, int], ...]:
        """First and last cell, for each axis, of the smallest box about the middle of the window that holds 95 %.

        It grows alike on all sides until it meets the window's own.
        """
        axes = self.window.axes
        for twice in range(max(axis.high - axis.low for axis in axes) + 1):
            sums = [axis.low + axis.high for axis in axes]
            box = [
                (max(axis.low, -((twice - both) // 2)), min(axis.high, (both + twice) // 2))
                for axis, both in zip(axes, sums, strict=True)
            ]
            if self.map[tuple(slice(low, high + 1) for low, high in box)].sum() >= HELD:
                return tuple(box)
        return tuple((axis.low, axis.high) for axis in axes)


def effective_field(net: Net, unit: Unit, sizes: Mapping[str, int], samples: int = 16, seed: int = 0) -> list[Effective]:
    """The effective field of a unit, for every input of real numbers that it sees.

    Failure CNN303 without torch, CNN401 where the unit sees no input of real numbers, or its gradient is zero.
    """
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        raise fail(error("CNN303", "the effective field needs PyTorch", hint="pip install 'convspec[torch]'"))
    graph = net.module.graph
    windows = {window.name: window for window in unit_windows(graph, unit.value, unit.position, sizes) if window.axes}
    real = [each.value.name for each in graph.inputs if each.value.type.dtype in FLOATS and each.value.name in windows]
    if not real:
        hint = "--at alone gives its window; indices have no gradient"
        raise fail(error("CNN401", f"{unit} sees no input of real numbers, and gradients are of such", hint=hint))
    totals = _gradients(net, unit, sizes, real, samples, seed)
    return [Effective(unit, windows[name], _normed(total, unit), samples, seed) for name, total in totals.items()]


def _normed(total: Array, unit: Unit) -> Array:
    mass = total.sum()
    if not mass > 0:
        hint = "more --samples, other --weights, or a unit in the middle"
        raise fail(error("CNN401", f"the gradient of {unit} is zero for every input that was drawn", hint=hint))
    result: Array = total / mass
    return result


def _gradients(net: Net, unit: Unit, sizes: Mapping[str, int], names: list[str], samples: int, seed: int) -> dict[str, Array]:
    import numpy as np
    import torch

    model = _cut(net, unit).to_torch().double().eval()
    rng = np.random.default_rng(seed)
    totals: dict[str, Array] = {}
    for _ in range(samples):
        inputs = {each.value.name: _drawn(each.value, sizes, rng) for each in net.module.graph.inputs}
        tensors = {name: torch.from_numpy(array).requires_grad_(name in names) for name, array in inputs.items()}
        made: Any = model(*tensors.values())
        made[(0, slice(None), *unit.space)].sum().backward()
        for name in names:
            gradient = tensors[name].grad
            found = np.zeros(inputs[name].shape) if gradient is None else gradient.abs().numpy()
            totals[name] = totals.get(name, 0) + found.sum((0, 1))
    return totals


def _drawn(value: Any, sizes: Mapping[str, int], rng: Any) -> Array:
    shape = (1, *(int(str(substitute(size, sizes))) for size in value.type.shape[1:]))
    result: Array = rng.normal(size=shape) if value.type.dtype in FLOATS else rng.integers(0, 2, shape)
    return result


def _cut(net: Net, unit: Unit) -> Net:
    """The network up to the unit's tensor, which becomes its only output."""
    from convspec.api import Net
    from convspec.passes.optimise import run_passes
    from convspec.passes.remove_dead import PASS

    whole = net.module.graph
    graph = Graph(
        whole.name, "", list(whole.inputs), [GraphOutput("unit", unit.value, whole.outputs[0].span)], list(whole.nodes)
    )
    made = run_passes(replace(net.module, graph=graph), net.weights, [PASS])
    return Net(replace(made.module, rewritten="cut off behind a layer"), made.weights, reports=(made.report,))
