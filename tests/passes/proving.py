"""How passes are proven: the network before and after them, run by the float64 reference on the same inputs.

Specs are written with float64 inputs, so that nothing is rounded to float32 on the way: what differs by more than 1e-11 is
not the same function.
"""

from __future__ import annotations

import numpy as np

from convspec import api
from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.passes.base import Pass
from convspec.passes.optimise import Optimised, run_passes
from convspec.passes.pipelines import PIPELINES
from convspec.runtime.reference import evaluate
from convspec.verify import sizes
from convspec.verify.compare import scaled_error
from convspec.verify.inputs import draw
from convspec.weights.randomised import randomised

EXACT = 1e-11


def spec(body: str) -> str:
    """A spec whose model `T` has the lines of `body`, unless it is one already."""
    return body if "model " in body else "model T {\n" + body + "\n}\n"


def prove(text: str, *passes: Pass, target: str = "onnx", level: int = 0) -> Optimised:
    """Run `passes` (none: those of `level`) over the network of `text`; its outputs must stay, at every choice of sizes.

    `text` is a spec, or the body of a model.
    """
    net = api.loads(spec(text))
    weights = randomised(net.module.graph, 1)
    found = run_passes(net.module, weights, passes or PIPELINES[level], target, level)
    worst = difference(net.module, weights, found)
    assert worst < EXACT, f"outputs moved by {worst}"
    return found


def difference(module: Module, weights: dict[str, Array], found: Optimised) -> float:
    """The largest scaled difference of any output between a network and what passes made of it."""
    worst = 0.0
    for number, at in enumerate(sizes.for_outputs(module.graph)):
        arrays = draw(module.graph, at, number)
        expected = evaluate(module.graph, weights, arrays).outputs
        outputs = evaluate(found.module.graph, found.weights, arrays).outputs
        assert list(outputs) == list(expected)
        worst = max(worst, *(scaled_error(outputs[name], expected[name]) for name in expected))
        assert all(np.array_equal(np.isnan(outputs[name]), np.isnan(expected[name])) for name in expected)
    return worst


def ops(found: Optimised) -> list[str]:
    """The names of the ops that are left, in order."""
    return [node.op.name for node in found.module.graph.nodes]


def unchanged(found: Optimised) -> bool:
    """Whether no pass found anything to do."""
    return not found.report.changes
