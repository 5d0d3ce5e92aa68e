"""How the compiler's cost grows with the number of layers: the slope of a line through log(seconds) over log(layers).

1 is linear. Networks of a loop with two layers a turn, and of nested loops over a residual block; seconds are those of the
process, the least of a few, since other work only ever adds to them. What a network costs before its first layer (imports,
tables) is paid before the clock starts.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.figures import Figure, figure, main
from convspec.bench.processes import fresh

SIZES = (1_000, 10_000, 100_000)
QUICK = (1_000, 3_000)
GOAL = 1.05

NETWORKS = {
    "chain": """
        model M {{
            input x: float32[N, 4, h, w]
            y = x
            for i in 0..{0} {{ y = y -> conv(4, 1x1) -> relu }}
            output z = y
        }}
    """,
    "blocks": """
        block Part(x: tensor, width: int) {{
            y = x -> conv(width, 1x1) -> batchnorm -> relu -> conv(width, 1x1) -> batchnorm
            return x + y -> relu
        }}
        model M {{
            input x: float32[N, 4, h, w]
            y = x
            for stage in 0..{0} {{ for i in 0..10 {{ y = y -> Part(4) }} }}
            output z = y
        }}
    """,
}
LAYERS = {"chain": 2, "blocks": 70}
"""Of one turn of the outermost loop."""

STEPS = {
    "chain": ("elaboration", "onnx", "pytorch, straight", "tensorflow, straight"),
    "blocks": ("elaboration", "shapes", "onnx", "pytorch", "tensorflow", "optimize 1", "optimize 2"),
}
"""What is measured, by network."""


def text(network: str, layers: int) -> str:
    """A spec of about so many layers."""
    return NETWORKS[network].format(max(1, layers // LAYERS[network]))


def seconds(network: str, layers: int, repeats: int, steps: tuple[str, ...] = ()) -> tuple[int, dict[str, float]]:
    """How many layers there are, and the process time of each step: the least of `repeats`."""
    from convspec import loads
    from convspec.collector import collector_off

    small, source = text(network, 100), text(network, layers)
    loaded = loads(source, limits=_limits())
    found: dict[str, float] = {}
    for step in steps or STEPS[network]:
        _step(step, loads(small, limits=_limits()), small)()
        for _ in range(repeats):
            work = _step(step, loaded, source)
            gc.collect()
            with collector_off():
                begun = time.process_time()
                work()
                taken = time.process_time() - begun
            found[step] = min(taken, found.get(step, taken))
    return len(loaded.module.graph.nodes), found


def _limits() -> Any:
    from convspec.limits import Limits

    return Limits(nodes=10**7, list_length=10**7, steps=10**8)


def _step(step: str, net: Any, source: str) -> Callable[[], object]:
    """One step of compiling a network, ready to run."""
    from convspec import loads
    from convspec.passes import optimise
    from convspec.targets.base import find_target
    from convspec.weights.init import drawn_weights, initial_weights

    graph = net.module.graph
    if step == "elaboration":
        return lambda: loads(source, limits=_limits())
    if step == "shapes":
        return lambda: [node.op.infer(node.attrs, *node.input_types) for node in graph.nodes]
    if step.startswith("optimize"):
        weights = initial_weights(graph)
        return lambda: optimise(net.module, weights, int(step[-1]), "onnx")
    name, _, form = step.partition(", ")
    target = find_target(name)
    given: dict[str, Any] = {"straight": True} if form else {}
    options = target.options(**given)
    return lambda: target.emit(net.module, drawn_weights(graph), options)


def slope(points: list[tuple[int, float]]) -> float:
    """Of the least-squares line through the logarithms."""
    xs, ys = [math.log(layers) for layers, _ in points], [math.log(taken) for _, taken in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum((x - mean_x) ** 2 for x in xs)


def figures(quick: bool) -> list[Figure]:
    """A slope for each step and network; each network of each size has a process of its own."""
    found = []
    for network, steps in STEPS.items():
        measured: list[tuple[int, dict[str, float]]] = []
        for layers in QUICK if quick else SIZES:
            request = {"network": network, "layers": layers, "repeats": 3 if layers <= 10_000 else 1}
            count, taken = fresh("benchmarks.scale:seconds", request).value
            measured.append((count, taken))
            print(f"  {network} of {count:,}: {sum(taken.values()):.1f} s", file=sys.stderr, flush=True)
        for step in steps:
            points = [(count, taken[step]) for count, taken in measured]
            note = ", ".join(f"{taken:.2g} s for {count:,}" for count, taken in (points[0], points[-1]))
            name = f"growth of {step} with the layers ({network})"
            found.append(figure(name, slope(points), GOAL, direction="at most", note=note))
    return found


if __name__ == "__main__":
    sys.exit(main("scale", figures))
