"""The examples carry torchvision's names: its weights load by name and give its outputs."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import convspec
from convspec.elaborate import load
from tests.examples.networks import EXAMPLES, scaled_error

# A CPU build of torch does not load torchvision's compiled operators. The models use none of them, but the import wants them
# declared, so that it can attach shape rules.
_DECLARED = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@pytest.fixture(scope="module")
def models() -> ModuleType:
    """`torchvision.models`."""
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _DECLARED:
        if not hasattr(torch.ops.torchvision, schema.partition("(")[0]):
            library.define(schema)
    import torchvision.models

    module: ModuleType = torchvision.models
    return module


NAMED = {
    "AlexNet": ("alexnet.cnn", "alexnet", {}),
    **{f"VGG{depth}": ("vgg.cnn", f"vgg{depth}", {}) for depth in (11, 13, 16, 19)},
    **{f"VGG{depth}BN": ("vgg.cnn", f"vgg{depth}_bn", {}) for depth in (11, 13, 16, 19)},
    **{f"ResNet{depth}": ("resnet.cnn", f"resnet{depth}", {}) for depth in (18, 34, 50, 101, 152)},
    "GoogLeNet": ("googlenet.cnn", "googlenet", {"aux_logits": False, "init_weights": False}),
}


@pytest.mark.parametrize("model", NAMED)
def test_names_and_shapes(model: str, models: ModuleType) -> None:
    file, function, options = NAMED[model]
    with torch.device("meta"):
        theirs = getattr(models, function)(weights=None, **options).state_dict()
    expected = {name: tuple(value.shape) for name, value in theirs.items() if not name.endswith("num_batches_tracked")}
    parameters = load(EXAMPLES / file, model).graph.parameters()
    assert {name: parameter.shape for name, parameter in parameters.items()} == expected


@pytest.mark.parametrize("model", ["AlexNet", "VGG11BN", "ResNet18", "ResNet50", "GoogLeNet"])
def test_its_weights_load_by_name_and_give_its_outputs(model: str, models: ModuleType, tmp_path: Path) -> None:
    file, function, options = NAMED[model]
    torch.manual_seed(0)
    network = getattr(models, function)(weights=None, **options).eval()
    _unsettle(network)
    path = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), path)

    image = np.random.default_rng(0).standard_normal((2, 3, 224, 224), np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(image)).numpy()
    net = convspec.load(EXAMPLES / file, model, weights=path)
    for runtime in ("onnxruntime", "pytorch"):
        (found,) = net.run(image, runtime=runtime).values()
        assert scaled_error(found, expected) < 1e-5, runtime


def _unsettle(network: Any) -> None:
    """Give batch norms statistics that matter; freshly made ones are the identity."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            bounds = {"running_mean": (-0.2, 0.2), "running_var": (0.5, 1.5), "weight": (0.5, 1.0), "bias": (-0.2, 0.2)}
            for name, (low, high) in bounds.items():
                torch.nn.init.uniform_(getattr(module, name), low, high)
