"""Every network of the zoo that torchvision has: its weights load by name, and its logits come out.

The families' own tests hold the names of all, and the outputs of a few, in the default run; here are the outputs of all.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import convspec
from convspec.zoo import Network, networks
from convspec.zoo.catalogue import plain
from tests.examples.networks import scaled_error
from tests.zoo.torchvision_models import torchvision, unsettled, weights_of

OTHERS = ("deeplab", "fcn", "fpn", "lraspp", "retinanet", "ssd")
"""Files whose networks give more than logits: test_segmentation.py and test_detection.py."""

FIXED = {"alexnet": 224, "vgg": 224, "googlenet": 224, "inception_v3": 299}
"""Pictures of another size are not taken, or not with auxiliary heads."""


def common() -> dict[str, Network]:
    """By torchvision's name."""
    theirs = {plain(name): name for name in torchvision().list_models()}
    own = [network for network in networks() if not network.library.removeprefix("zoo:").startswith(OTHERS)]
    return {theirs[plain(network.name)]: network for network in own if plain(network.name) in theirs}


def test_most_networks_are_looked_at() -> None:
    assert len(common()) > 60


@pytest.mark.zoo
@pytest.mark.parametrize("name", common())
def test_outputs(name: str) -> None:
    network = common()[name]
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    theirs = unsettled(torchvision().get_model(name, weights=None, **options))
    size = FIXED.get(network.library.removeprefix("zoo:"), 64)
    shape = (2, 3, 8, 32, 32) if network.library == "zoo:video_resnet" else (2, 3, size, size)
    batch = np.random.default_rng(0).standard_normal(shape, np.float32)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(batch)).numpy()
    net = convspec.load(f"zoo:{network.name}", weights=weights_of(theirs))
    first = net.module.graph.outputs[0].name
    for runtime in ("onnxruntime", "pytorch"):
        assert scaled_error(net.run(batch, runtime=runtime)[first], expected) < 1e-5, runtime
