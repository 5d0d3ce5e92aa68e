"""Networks that pictures are tested with."""

from __future__ import annotations

from pathlib import Path

from convspec import api
from convspec.elaborate.module import Module

EXAMPLES = Path(__file__).parents[2] / "examples"

RESIDUAL = """## A block <with> "odd" & text ]]> in its documentation.
block Residual(x: tensor, width: int) {
    return x + (x -> conv1: conv(width, 3x3, pad = 1) -> batchnorm -> relu -> conv2: conv(width, 3x3, pad = 1)) -> relu
}

## Three residual blocks.
model Net(width: int = 8) {
    input image: float32[N, 3, 8*h, 8*w]
    x = image -> stem: conv(width, 3x3, pad = 1) -> relu
    for i in 0..3 { x = x -> "stage.{i}": Residual(width) }
    output x -> head: conv(2, 1x1)
}
"""
PARALLEL = """block Expert(x: tensor, width: int) { return x -> conv(width, 1x1) -> gelu -> conv(x.channels, 1x1) }
model Parallel {
    input x: float32[1, 4, 8, 8]
    y = sum([x -> "expert{i}": Expert(8) for i in 0..4])
    output z = concat([y -> "branch{i}": [conv(3, 3x3) -> relu] for i in 0..3])
}
"""
TAPPED = """model Tapped {
    input x: float32[1, 4, 8, 8]
    ys = []
    for i in 0..3 {
        x = x -> "a{i}": [conv(4, 3x3, pad = 1) -> relu]
        ys = ys + [x]
    }
    output y = concat(ys)
}
"""
SHARED = """model Shared {
    input a: float32[1, 4, 8, 8]
    input b: float32[1, 4, 8, 8]
    layer tower = [conv(4, 3x3, pad = 1) -> relu]
    output sum = (a -> tower) + (b -> tower)
}
"""
MANY = """model Heads {
    input x: float32[N, 4, 16, 16]
    trunk = x -> conv(8, 3x3, pad = 1) -> relu
    for i in 0..5 { output "p{i}" = trunk -> "head{i}": conv(2, 1x1) }
}
"""
GROWING = """model Growing {
    input x: float32[1, 4, 8, 8]
    for i in 0..4 { x = concat(x, x -> conv(4, 3x3, pad = 1) -> relu) }
    output x
}
"""
PASSED = "model Passed {\n    input x: float32[N, 4]\n    output x\n}\n"
TEXTS = {
    "residual": RESIDUAL,
    "parallel": PARALLEL,
    "tapped": TAPPED,
    "shared": SHARED,
    "many": MANY,
    "growing": GROWING,
    "passed": PASSED,
}
SHIPPED = ("zoo:resnet50", "zoo:googlenet", "zoo:ssd300", "zoo:c3d", "zoo:m5", "zoo:siamese", "zoo:wavenet")
SPECS = ("alexnet", "googlenet", "lenet5", "molecules", "resnet", "sequence", "text", "tiny_convnext", "unet", "vgg")
CHOSEN = {"resnet": "ResNet152", "unet": "UNet2D", "vgg": "VGG11", "text": "TextCNN"}
ALL = (*TEXTS, *SPECS, *SHIPPED)


def module(name: str) -> Module:
    """The module of a network that is named here."""
    if name in TEXTS:
        return api.loads(TEXTS[name], f"{name}.cnn").module
    if name in SPECS:
        return api.load(EXAMPLES / f"{name}.cnn", CHOSEN.get(name)).module
    return api.load(name).module
