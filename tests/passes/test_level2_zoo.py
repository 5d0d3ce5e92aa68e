"""Level 2 over networks of the zoo, in float64 at their smallest sizes: what comes out stays, and what should merge does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import convspec
from convspec import api
from convspec.passes import optimise
from convspec.weights.randomised import randomised
from tests.passes.proving import EXACT, difference

ZOO = Path(convspec.__file__).parent / "zoo"

NETWORKS = {
    "RepVGG": ("repvgg", {"depths": [1, 2, 1, 1], "widths": [8, 8, 12, 16], "published": [0, 0], "classes": 5}),
    "MobileOne": ("mobileone", {"widths": [6, 8, 10, 12], "published": 0.0, "branches": 2, "classes": 5}),
    "ShuffleNetV2_x0_5": ("shufflenet_v2", {}),
    "LRASPP_MobileNetV3_Large": ("lraspp", {}),
    "DenseNet121": ("densenet", {}),
    "SqueezeNet1_1": ("squeezenet", {}),
    "GhostNet": ("ghostnet", {}),
}
EXPECTED = {
    "RepVGG": {"merge_branches": 6},
    "MobileOne": {"merge_branches": 43, "pad_widths": 13},
    "ShuffleNetV2_x0_5": {},
    "LRASPP_MobileNetV3_Large": {"move_pointwise": 1},
    "DenseNet121": {"move_pointwise": 3},
    "SqueezeNet1_1": {},
    "GhostNet": {},
}
PASSES = ("merge_branches", "merge_successive", "merge_siblings", "move_pointwise", "pad_widths")


def check(name: str) -> None:
    file, settings = NETWORKS[name]
    text = (ZOO / f"{file}.cnn").read_text().replace("float32", "float64")
    net = api.loads(text, model=name, settings=settings)
    weights = randomised(net.module.graph, 3)
    found = optimise(net.module, weights, 2)
    done = Counter(change.name for change in found.report.changes if change.name in PASSES)
    assert done == EXPECTED[name]
    assert difference(net.module, weights, found) < EXACT


@pytest.mark.parametrize("name", ["RepVGG", "MobileOne"])
def test_small_forms(name: str) -> None:
    check(name)


@pytest.mark.zoo
@pytest.mark.parametrize("name", [name for name, (_, settings) in NETWORKS.items() if not settings])
def test_whole_networks(name: str) -> None:
    check(name)
