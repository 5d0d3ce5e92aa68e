"""One small use, or a few, of every block of the standard library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import convspec
from convspec.weights.randomised import randomised

IMAGE = "input x: float32[N, 4, 2*h, 2*w]"
MAPS = "input a: float32[N, 3, 4*h, 4*w]\ninput b: float32[N, 4, 2*h, 2*w]\ninput c: float32[N, 5, h, w]"


@dataclass(frozen=True)
class Sample:
    """`body` is that of a model which uses `block` of `std:{file}`; `sizes` are its symbolic sizes, the batch apart."""

    file: str
    block: str
    body: str
    sizes: Mapping[str, int] = field(default_factory=lambda: {"h": 3, "w": 4})

    def text(self) -> str:
        names = sorted({self.block, "ConvBNAct"} if "ConvBNAct" in self.body else {self.block})
        uses = [f'use {name} from "std:{"common" if name == "ConvBNAct" else self.file}"' for name in names]
        return "\n".join([*uses, f"model Sample {{\n{self.body}\n}}"])

    def net(self) -> convspec.Net:
        """The network with weights under which no layer is an identity."""
        weights = randomised(convspec.loads(self.text()).module.graph, seed=1)
        return convspec.loads(self.text(), weights=weights)

    def __str__(self) -> str:
        return self.body.splitlines()[-1].removeprefix("output ")


def on_image(file: str, *calls: str) -> list[Sample]:
    """Uses of blocks that take one tensor and give one, on an image of four channels."""
    return [Sample(file, call.partition("(")[0], f"{IMAGE}\noutput x -> b: {call}") for call in calls]


def on(file: str, block: str, declared: str, *body: str, **sizes: int) -> Sample:
    """A use on inputs of its own."""
    return Sample(file, block, "\n".join([declared, *body]), sizes)


SAMPLES: list[Sample] = [
    *on_image(
        "common",
        "ConvBNAct(6, stride = 2)",
        "ConvBNAct(6, 5, dilation = 2, groups = 2, act = leaky_relu(0.1))",
        "DepthwiseSeparable(6, stride = 2)",
    ),
    *on_image(
        "residual",
        "BasicBlock(4)",
        "BasicBlock(6, stride = 2)",
        "Bottleneck(2)",
        "Bottleneck(32, stride = 2, base_width = 4, groups = 2)",
        "BasicBlock(6, stride = 2, norm = groupnorm(2), bias = true)",
        "Bottleneck(2, stride = 2, norm = batchnorm(eps = 0.001), bias = true, stride_first = true)",
    ),
    *on_image(
        "residual", "PreActBlock(4)", "PreActBlock(6, stride = 2)", "PreActBottleneck(1)", "PreActBottleneck(3, stride = 2)"
    ),
    on("backbone", "ResNetBody", IMAGE, "p, q = x -> b: ResNetBody([1, 2], dilated = 1)", "output p, q", h=4, w=5),
    *on_image("dense", "DenseLayer(3)", "DenseBlock(2, growth = 3)", "Transition"),
    *on_image("dense", "DenseBlock(2, growth = 3, norm = groupnorm(1))", "Transition(3, norm = batchnorm(eps = 0.001))"),
    *on_image("repvgg", "RepVGGBlock(4)", "RepVGGBlock(6, stride = 2, groups = 2)", "RepVGGBlock(4, deployed = true)"),
    on("gated", "GatedConv", "input x: float32[N, 4, L]", "output x -> b: GatedConv(3)", L=7),
    on("gated", "GatedConv", IMAGE, "output x -> b: GatedConv(3, dilation = 2)", h=3, w=3),
    on(
        "gated",
        "CausalConvBlock",
        "input x: float32[N, 4, L]",
        "y, skip = x -> b: CausalConvBlock(3, dilation = 2, skip = 5)",
        "output y, skip",
        L=7,
    ),
    *on_image("inception", "BasicConv(3, 3x1, pad = 1x0)", "InceptionModule(2, [2, 3], [1, 2], 2)", "Fire(2)"),
    *on_image("unet", "DoubleConv(3)", "Down(3)"),
    on("unet", "DoubleConv", "input x: float32[N, 2, 3, H, 4]", "output x -> b: DoubleConv(3)", H=5),
    on(
        "unet",
        "Up",
        f"{IMAGE}\ninput skip: float32[N, 3, 4*h, 4*w]",
        "output x -> b: Up(skip, 5)",
        h=1,
        w=2,
    ),
    *on_image("mobile", "InvertedResidual(4)", "InvertedResidual(6, stride = 2, expand = 1)"),
    *on_image("mobile", "MobileNetV3Block(4, 8)", "MobileNetV3Block(6, 4, 5, stride = 2, se = false, act = relu)"),
    *on_image("mobile", "MBConv(4)", "MBConv(6, 5, stride = 2, expand = 2)"),
    *on_image("mobile", "GhostModule(6)", "ShuffleUnit(4)", "ShuffleUnit(8, stride = 2)"),
    *on_image("attention", "SqueezeExcite", "SqueezeExcite(squeeze = 2, gate = hardsigmoid)"),
    *on_image("attention", "CBAM(squeeze = 2, kernel = 3)", "ECA", "NonLocal"),
    on("attention", "CoordAttention", "input x: float32[N, 4, 5, 3]", "output x -> b: CoordAttention(squeeze = 3)"),
    on("attention", "NonLocal", "input x: float32[N, 4, L]", "output x -> b: NonLocal(3)", L=5),
    *on_image("pyramid", "ASPP(3, [1, 2])", "PPM([1, 2])", "PPM([2, 3], align_corners = true)"),
    on("pyramid", "FPN", MAPS, "p, q, r = [a, b, c] -> b: FPN(2)", "output p, q, r", h=1, w=2),
    on(
        "pyramid",
        "FPN",
        MAPS,
        'p, q, r, s, t = [a, b, c] -> b: FPN(2, extra = ["p6", "p7"])',
        "output p, q, r, s, t",
        h=2,
        w=3,
    ),
    on("pyramid", "PAN", MAPS, "p, q, r = [a, b, c] -> b: PAN", "output p, q, r", h=1, w=2),
    *on_image("yolo", "ConvUnit(3)", "Residual(4)", "Residual(3)", "CSP(4, depth = 2)", "C2f(6, 2, shortcut = true)"),
    *on_image("yolo", "SPP(3, [3, 5])", "SPPF(3, 3)"),
    *on_image("convnext", "ConvNeXtBlock(kernel = 3, scale = 0.5)"),
    on("convnext", "ConvNeXtBlock", "input x: float32[N, 4, L]", "output x -> b: ConvNeXtBlock(drop = 0.2)", L=9),
    on("transformer", "TransformerEncoderBlock", "input x: float32[N, 4, L]", "output x -> b: TransformerEncoderBlock(2)", L=5),
    *on_image("transformer", "TransformerEncoderBlock(2, 6, drop = 0.1, path = 0.2)", "Skipped(0.1, 0.3)"),
]
