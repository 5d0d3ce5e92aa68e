"""Whole networks at both levels give what they gave before: random ones, the examples, and a few of the zoo, in float64."""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from convspec.analysis.cost import node_cost
from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.elaborate.module import Module
from convspec.ir import dims
from convspec.ir.graph import Graph
from convspec.ir.types import Array
from convspec.passes import optimise
from convspec.runtime.reference import evaluate
from convspec.verify import sizes
from convspec.verify.compare import scaled_error
from convspec.verify.inputs import draw, nudged
from convspec.weights.randomised import randomised
from convspec.zoo import resolve
from tests.fuzz import chance
from tests.fuzz.specs import Spec, specs

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.cnn"))
FEW = 25
"""Random networks by default; `CONVSPEC_FUZZ=500` runs so many new ones."""
COUNT = int(os.environ.get("CONVSPEC_FUZZ", "0"))
EXACT, ROUNDED = 1e-10, 1e-5
"""Scaled errors: where all numbers are float64, and where a layer makes float32 of integers and weights are stored so."""
QUICK = 1.5e8
"""Multiply-accumulates of an example that the reference runs by default."""
DEEP = 600
NUDGE = 1e-13
"""By how much weights are moved to see how well an output is conditioned, and how far it may move for that."""


def wide(text: str, model: str | None = None) -> Module:
    """The network of a spec, its floats declared as float64."""
    return loads(text.replace("float32", "float64"), model=model)


def is_wide(graph: Graph) -> bool:
    return all(of.dtype != "float32" for node in graph.nodes for of in node.output_types)


def check(module: Module, level: int, *choices: dict[str, int]) -> Counter[str]:
    """All outputs at all `choices` of sizes. How often each pass did something."""
    weights = randomised(module.graph, 1)
    found = optimise(module, weights, level)
    assert not optimise(found.module, found.weights, level).report.changes, "nothing is left to do"
    gate = EXACT if is_wide(module.graph) else ROUNDED
    for number, at in enumerate(choices):
        arrays = draw(module.graph, at, number)
        expected = evaluate(module.graph, weights, arrays).outputs
        outputs = evaluate(found.module.graph, found.weights, arrays).outputs
        assert list(outputs) == list(expected)
        for name, array in expected.items():
            if not close(outputs[name], array, gate):
                moved = evaluate(module.graph, nudged(weights, NUDGE, 0), arrays).outputs[name]
                assert not close(moved, array, gate), f"{name} differs"
    return Counter(change.name for change in found.report.changes)


def close(found: Array, expected: Array, gate: float) -> bool:
    """Whether two tensors are one up to rounding; NaN and infinity are at the same places."""
    assert found.shape == expected.shape and found.dtype == expected.dtype
    if expected.dtype.kind != "f":
        return np.array_equal(found, expected)
    sound = np.isfinite(expected)
    if not np.array_equal(np.isfinite(found), sound):
        return False
    return not sound.any() or scaled_error(np.where(sound, found, 0), np.where(sound, expected, 0)) < gate


@pytest.mark.parametrize("level", [1, 2])
def test_random_networks(level: int) -> None:
    tally: Counter[str] = Counter()

    @settings(
        max_examples=COUNT or FEW,
        backend=chance.NAME,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(specs())
    def run(spec: Spec) -> None:
        try:
            module = wide(spec.text, spec.model)
        except Failure:
            tally["refused"] += 1
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # overflow in a random network
            tally.update(check(module, level, *map(dict, spec.sizes)))

    (run if COUNT else seed(level)(run))()
    assert sum(tally.values()) - tally["refused"] > (COUNT or FEW), "the passes found something to do"


LEVELS = [pytest.param(1, marks=pytest.mark.zoo), 2]
"""The second has all passes of the first, so that it alone runs by default."""


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_examples(path: Path, level: int) -> None:
    text = path.read_text()
    for model in models(text):
        module = wide(text, model)
        least = sizes.for_outputs(module.graph)[0]
        if macs(module.graph, least) < QUICK and len(module.graph.nodes) < DEEP:
            check(module, level, least)


def models(text: str) -> list[str]:
    """The models of a spec that need no settings, at most two."""
    found = re.findall(r"^model (\w+) ?(?:\(([^\n]*)\) \{|=|\{)", text, re.MULTILINE)
    return [name for name, parameters in found if parameters.count("=") == parameters.count(":")][:2]


def macs(graph: Graph, at: dict[str, int]) -> int:
    return sum(dims.evaluate(node_cost(node).macs, at) for node in graph.nodes)


SMALL = "LeNet5 MobileNetV3Small ShuffleNetV2_x0_5 SqueezeNet1_1 TextCNN GhostNet ESPCN M5 LRASPP_MobileNetV3_Large MobileOneS0"
LARGE = (
    "ResNet50 ResNet50V2 DenseNet121 EfficientNetB0 InceptionV3 NASNetMobile Xception RepVGGA0 ConvNeXtTiny RegNetY_400MF "
    "YOLOv8n UNet2D SlowFast WaveNet InceptionResNetV2 VGG11BN DCGANGenerator"
)


def zoo(name: str, level: int) -> Counter[str]:
    path, model = resolve(f"zoo:{name}", None)
    module = wide(Path(path).read_text(), model)
    return check(module, level, sizes.for_outputs(module.graph)[0])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", SMALL.split())
def test_small_networks_of_the_zoo(name: str, level: int) -> None:
    zoo(name, level)


@pytest.mark.zoo
@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("name", LARGE.split())
def test_large_networks_of_the_zoo(name: str, level: int) -> None:
    assert zoo(name, level)
