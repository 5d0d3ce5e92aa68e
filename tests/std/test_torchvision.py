"""Where torchvision has a block of the standard library, its weights load by name and give its outputs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import convspec
from tests.examples.networks import scaled_error
from tests.std.samples import MAPS, Sample, on, on_image

_DECLARED = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@pytest.fixture(scope="module", autouse=True)
def _importable() -> None:
    """A CPU build of torch does not load torchvision's compiled operators, but the import wants them declared."""
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _DECLARED:
        if not hasattr(torch.ops.torchvision, schema.partition("(")[0]):
            library.define(schema)
    import_module("torchvision.models.segmentation")


def _of(name: str) -> Any:
    """`torchvision.models.resnet.BasicBlock` from "models.resnet.BasicBlock"."""
    module, _, attribute = f"torchvision.{name}".rpartition(".")
    return getattr(import_module(module), attribute)


def _downsample(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def _bottleneck(inputs: int, width: int, stride: int, groups: int, base_width: int) -> Any:
    shortcut = _downsample(inputs, 4 * width, stride)
    return _of("models.resnet.Bottleneck")(inputs, width, stride, shortcut, groups, base_width)


def _mobilenet_v3(inputs: int, kernel: int, hidden: int, outputs: int, se: bool, act: str, stride: int, dilation: int) -> Any:
    config = _of("models.mobilenetv3.InvertedResidualConfig")(
        inputs, kernel, hidden, outputs, se, act, stride, dilation, width_mult=1
    )
    return _of("models.mobilenetv3.InvertedResidual")(config, partial(nn.BatchNorm2d, eps=0.001, momentum=0.01))


def _mbconv(expand: int, kernel: int, stride: int, inputs: int, outputs: int) -> Any:
    config = _of("models.efficientnet.MBConvConfig")(expand, kernel, stride, inputs, outputs, 1)
    return _of("models.efficientnet.MBConv")(config, 0.0, nn.BatchNorm2d)


THEIRS: list[tuple[str, str, Callable[[], Any]]] = [
    ("residual", "BasicBlock(4)", lambda: _of("models.resnet.BasicBlock")(4, 4)),
    (
        "residual",
        "BasicBlock(6, stride = 2)",
        lambda: _of("models.resnet.BasicBlock")(4, 6, 2, _downsample(4, 6, 2)),
    ),
    ("residual", "Bottleneck(1)", lambda: _of("models.resnet.Bottleneck")(4, 1)),
    ("residual", "Bottleneck(2, stride = 2)", lambda: _bottleneck(4, 2, 2, 1, 64)),
    ("residual", "Bottleneck(32, groups = 2, base_width = 4)", lambda: _bottleneck(4, 32, 1, 2, 4)),
    ("dense", "DenseLayer(3)", lambda: _of("models.densenet._DenseLayer")(4, 3, 4, 0.0)),
    ("dense", "DenseBlock(3, growth = 2, bottleneck = 3)", lambda: _of("models.densenet._DenseBlock")(3, 4, 3, 2, 0.0)),
    ("dense", "Transition", lambda: _of("models.densenet._Transition")(4, 2)),
    (
        "inception",
        "InceptionModule(2, [2, 3], [1, 2], 3, five_kernel = 3)",
        lambda: _of("models.googlenet.Inception")(4, 2, 2, 3, 1, 2, 3),
    ),
    ("inception", "Fire(2)", lambda: _of("models.squeezenet.Fire")(4, 2, 8, 8)),
    ("attention", "SqueezeExcite(squeeze = 3)", lambda: _of("ops.SqueezeExcitation")(4, 3)),
    ("mobile", "InvertedResidual(4)", lambda: _of("models.mobilenetv2.InvertedResidual")(4, 4, 1, 6)),
    (
        "mobile",
        "InvertedResidual(6, stride = 2, expand = 1)",
        lambda: _of("models.mobilenetv2.InvertedResidual")(4, 6, 2, 1),
    ),
    ("mobile", "MobileNetV3Block(8, 24)", lambda: _mobilenet_v3(8, 3, 24, 8, True, "HS", 1, 1)),
    (
        "mobile",
        "MobileNetV3Block(16, 8, 5, stride = 2, se = false, act = relu)",
        lambda: _mobilenet_v3(8, 5, 8, 16, False, "RE", 2, 1),
    ),
    (
        "mobile",
        "MobileNetV3Block(16, 40, 5, stride = 2, dilation = 2)",
        lambda: _mobilenet_v3(8, 5, 40, 16, True, "HS", 2, 2),
    ),
    ("mobile", "MBConv(8)", lambda: _mbconv(6, 3, 1, 8, 8)),
    ("mobile", "MBConv(16, 5, stride = 2, expand = 1)", lambda: _mbconv(1, 5, 2, 8, 16)),
    ("pyramid", "ASPP(3, [1, 2])", lambda: _of("models.segmentation.deeplabv3.ASPP")(4, [1, 2], 3)),
    ("mobile", "ShuffleUnit(4)", lambda: _of("models.shufflenetv2.InvertedResidual")(4, 4, 1)),
    ("mobile", "ShuffleUnit(6, stride = 2)", lambda: _of("models.shufflenetv2.InvertedResidual")(4, 6, 2)),
]

WIDE = ("MobileNetV3Block", "MBConv")
"""torchvision makes the channels of these a multiple of 8."""


@pytest.mark.parametrize(("file", "call", "make"), THEIRS, ids=[call for _, call, _ in THEIRS])
def test_names_numbers_and_outputs(file: str, call: str, make: Callable[[], Any]) -> None:
    (sample,) = on_image(file, call)
    channels = 8 if call.startswith(WIDE) else 4
    check(sample, make, np.random.default_rng(0).standard_normal((2, channels, 8, 6), np.float32))


def test_feature_pyramid() -> None:
    sample = on("pyramid", "FPN", MAPS, "p, q, r = [a, b, c] -> b: FPN(2)", "output p, q, r")
    rng = np.random.default_rng(0)
    maps = [rng.standard_normal((2, c, 8 // 2**i, 16 // 2**i), np.float32) for i, c in enumerate((3, 4, 5))]

    class Listed(nn.Module):
        """torchvision's takes and gives a dictionary."""

        def __init__(self) -> None:
            super().__init__()
            self.fpn = _of("ops.FeaturePyramidNetwork")([3, 4, 5], 2)

        def forward(self, *maps: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(self.fpn({str(i): m for i, m in enumerate(maps)}).values())

    check(sample, Listed, *maps, rename=lambda key: key.removeprefix("fpn."))


def test_convnext_block() -> None:
    (sample,) = on_image("convnext", "ConvNeXtBlock")
    image = np.random.default_rng(0).standard_normal((2, 4, 8, 10), np.float32)

    class Scaled(nn.Module):
        """torchvision's learned scale begins near 0."""

        def __init__(self) -> None:
            super().__init__()
            self.cn = _of("models.convnext.CNBlock")(4, 1e-6, 0.0)
            self.cn.layer_scale = nn.Parameter(torch.randn(4, 1, 1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.cn(x)
            return found

    check(sample, Scaled, image, rename=lambda key: key.removeprefix("cn."))


def test_transformer_encoder_block() -> None:
    """torchvision has the positions at axis 1, and query, key and value in one weight; its keys' bias has no effect."""
    torch.manual_seed(0)
    theirs = _of("models.vision_transformer.EncoderBlock")(2, 4, 6, 0.0, 0.0, partial(nn.LayerNorm, eps=1e-6)).eval()
    unsettle(theirs)
    nn.init.normal_(theirs.self_attention.in_proj_bias)
    state = {f"b.{key}": value.detach() for key, value in theirs.state_dict().items()}
    for end in ("weight", "bias"):
        parts = state.pop(f"b.self_attention.in_proj_{end}").chunk(3)
        state |= {f"b.self_attention.{name}.{end}": part for name, part in zip(("query", "key", "value"), parts, strict=True)}
        state[f"b.self_attention.out.{end}"] = state.pop(f"b.self_attention.out_proj.{end}")
    del state["b.self_attention.key.bias"]
    body = "output x -> b: TransformerEncoderBlock(2, 6)"
    text = on("transformer", "TransformerEncoderBlock", "input x: float32[N, 4, L]", body).text()
    x = np.random.default_rng(0).standard_normal((2, 4, 5), np.float32)
    net = convspec.loads(text, weights={name: value.numpy() for name, value in state.items()})
    (found,) = net.run(x, runtime="reference").values()
    with torch.no_grad():
        expected = theirs(torch.from_numpy(x).mT).mT.numpy()
    assert scaled_error(found, expected) < 1e-5


def check(sample: Sample, make: Callable[[], Any], *arrays: Any, rename: Callable[[str], str] = str) -> None:
    """The block `b` of a sample against a module; `rename` gives our name for one of theirs."""
    torch.manual_seed(0)
    theirs = make().eval()
    unsettle(theirs)
    state = {f"b.{rename(key)}": value for key, value in theirs.state_dict().items() if not key.endswith("batches_tracked")}
    text = sample.text().replace("x: float32[N, 4", f"x: float32[N, {arrays[0].shape[1]}")
    parameters = convspec.loads(text).module.graph.parameters()
    assert {name: found.shape for name, found in parameters.items()} == {name: tuple(v.shape) for name, v in state.items()}
    net = convspec.loads(text, weights={name: value.detach().numpy() for name, value in state.items()})
    names = [graph_input.value.name for graph_input in net.module.graph.inputs]
    found = net.run(dict(zip(names, arrays, strict=True)), runtime="reference")
    with torch.no_grad():
        expected = theirs(*map(torch.from_numpy, arrays))
    for one, other in zip(found.values(), [expected] if isinstance(expected, torch.Tensor) else expected, strict=True):
        assert scaled_error(one, other.numpy()) < 1e-5


def unsettle(network: Any) -> None:
    """Numbers under which no layer is the identity."""
    for module in network.modules():
        for name in ("weight", "bias", "running_mean", "running_var"):
            tensor = getattr(module, name, None)
            if isinstance(module, nn.BatchNorm2d | nn.LayerNorm) and tensor is not None:
                nn.init.uniform_(tensor, *((0.5, 1.5) if name in ("weight", "running_var") else (-0.3, 0.3)))
