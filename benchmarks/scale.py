"""How the compiler's cost grows with the number of layers: the slope of a line through log(seconds) over log(layers).

1 is linear. Networks of a loop with two layers a turn, and of nested loops over a residual block; seconds are those of the
process, the least of a few, since other work only ever adds to them. What a network costs before its first layer (imports,
tables) is paid before the clock starts.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.figures import Figure, figure, main
from convspec.bench.processes import fresh

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
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
    "elaboration": ("chain", "blocks"),
    "shapes of every layer": ("blocks",),
    "onnx": ("chain", "blocks"),
    "pytorch": ("blocks",),
    "pytorch, straight": ("chain",),
    "tensorflow": ("blocks",),
    "tensorflow, straight": ("chain",),
    "optimize 1": ("blocks",),
    "optimize 2": ("blocks",),
}
"""What is measured, on which networks."""


def text(network: str, layers: int) -> str:
    """A spec of about so many layers."""
    return NETWORKS[network].format(max(1, layers // LAYERS[network]))


def seconds(step: str, network: str, layers: int, repeats: int) -> tuple[int, float]:
    """How many layers there are, and the process time of one step: the least of `repeats`."""
    from convspec import loads
    from convspec.collector import collector_off
    from convspec.limits import Limits

    limits = Limits(nodes=10**7, list_length=10**7, steps=10**8)
    loaded = loads(text(network, layers), limits=limits)
    _step(step, loads(text(network, 100), limits=limits), "", limits)()
    found = []
    for _ in range(repeats):
        work = _step(step, loaded, text(network, layers), limits)
        with collector_off():
            begun = time.process_time()
            work()
            found.append(time.process_time() - begun)
    return len(loaded.module.graph.nodes), min(found)


def _step(step: str, net: Any, source: str, limits: Any) -> Callable[[], object]:
    from convspec import loads
    from convspec.passes import optimise
    from convspec.targets.base import find_target
    from convspec.weights.init import drawn_weights, initial_weights

    if step == "elaboration":
        return lambda: loads(source or "model M { input x: float32[N] output x -> relu }", limits=limits)
    if step == "shapes of every layer":
        return lambda: [n.op.infer(n.attrs, *n.input_types) for n in net.module.graph.nodes]
    if step.startswith("optimize"):
        weights = initial_weights(net.module.graph)
        return lambda: optimise(net.module, weights, int(step[-1]), "onnx")
    name, _, form = step.partition(", ")
    target = find_target(name)
    options = target.options(**({"straight": True} if form else {}))
    return lambda: target.emit(net.module, drawn_weights(net.module.graph), options)


def slope(points: list[tuple[int, float]]) -> float:
    """Of the least-squares line through the logarithms."""
    xs, ys = [math.log(layers) for layers, _ in points], [math.log(taken) for _, taken in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum((x - mean_x) ** 2 for x in xs)


def figures(quick: bool) -> list[Figure]:
    """A slope for each step and network, each size in a process of its own."""
    found = []
    for step, networks in STEPS.items():
        for network in networks:
            points = []
            for layers in QUICK if quick else SIZES:
                repeats = 3 if layers <= 10_000 else 1
                request = {"step": step, "network": network, "layers": layers, "repeats": repeats}
                count, taken = fresh("benchmarks.scale:seconds", request).value
                points.append((count, taken))
                print(f"  {step}, {network}: {count:,} layers in {taken:.2f} s", file=sys.stderr, flush=True)
            note = ", ".join(f"{taken:.2g} s for {count:,}" for count, taken in (points[0], points[-1]))
            found.append(figure(f"growth of {step} ({network})", slope(points), GOAL, direction="at most", note=note))
    return found


if __name__ == "__main__":
    sys.exit(main("scale", figures))
