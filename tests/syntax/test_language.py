"""The two long examples of the language's description, parsed, with the structure that they mean."""

from __future__ import annotations

from convspec.syntax import ast
from tests.syntax.helpers import file, short

LENET = """
## LeNet-5 as the TensorFlow MNIST tutorial trains it.
model LeNet5(classes: int = 10) {
    input image: float32[N, 1, 28, 28]

    logits = image
        -> conv(32, 5x5, pad = same) -> relu -> maxpool(2x2)
        -> conv(64, 5x5, pad = same) -> relu -> maxpool(2x2)
        -> flatten -> linear(512) -> relu -> dropout(0.5)
        -> linear(classes)

    output logits
}
"""

RESNET = """
default conv(bias = false)

## Residual bottleneck (He et al. 2015; stride on the 3x3, "v1.5").
block Bottleneck(x: tensor, width: int, stride: int = 1) {
    shortcut = x
    if stride > 1 or x.channels != 4 * width {
        shortcut = x -> downsample: [conv(4 * width, 1x1, stride = stride) -> batchnorm]
    }
    residual = x
        -> conv1: conv(width, 1x1) -> bn1: batchnorm -> relu
        -> conv2: conv(width, 3x3, stride = stride, pad = 1) -> bn2: batchnorm -> relu
        -> conv3: conv(4 * width, 1x1) -> bn3: batchnorm
    return residual + shortcut -> relu
}

model ResNet(depths: list = [3, 4, 6, 3], classes: int = 1000) {
    input image: float32[N, 3, 32*h, 32*w]

    x = image
        -> conv1: conv(64, 7x7, stride = 2, pad = 3) -> bn1: batchnorm -> relu
        -> maxpool(3x3, stride = 2, pad = 1)
    for i, depth in depths {
        for j in 0..depth {
            x = x -> "layer{i + 1}.{j}": Bottleneck(64 * 2 ** i, stride = if i > 0 and j == 0 then 2 else 1)
        }
    }

    output x -> global_avgpool -> flatten -> fc: linear(classes)
    assert params < 62M
}

model ResNet50 = ResNet(depths = [3, 4, 6, 3])
model ResNet152 = ResNet(depths = [3, 8, 36, 3])
"""


def test_lenet() -> None:
    (model,) = file(LENET).items
    assert isinstance(model, ast.Block)
    assert model.kind == "model"
    assert model.doc == "LeNet-5 as the TensorFlow MNIST tutorial trains it."
    assert [short(statement) for statement in model.body.statements] == [
        "input image: float32[N, 1, 28, 28]",
        "logits = <image -> conv(32, 5x5, pad=same) -> relu -> maxpool(2x2)"
        " -> conv(64, 5x5, pad=same) -> relu -> maxpool(2x2)"
        " -> flatten -> linear(512) -> relu -> dropout(0.5) -> linear(classes)>",
        "output logits",
    ]


def test_resnet() -> None:
    tree = file(RESNET)
    default, block, model, *configurations = tree.items
    assert short(default) == "default conv(bias=false)"
    assert isinstance(block, ast.Block)
    assert block.doc == 'Residual bottleneck (He et al. 2015; stride on the 3x3, "v1.5").'
    assert short(block) == (
        "block Bottleneck(x: tensor, width: int, stride: int = 1) { shortcut = x; "
        "if (or (> stride 1) (!= (. x channels) (* 4 width))) "
        '{ shortcut = <x -> "downsample": [conv((* 4 width), 1x1, stride=stride) -> batchnorm]> }; '
        'residual = <x -> "conv1": conv(width, 1x1) -> "bn1": batchnorm -> relu'
        ' -> "conv2": conv(width, 3x3, stride=stride, pad=1) -> "bn2": batchnorm -> relu'
        ' -> "conv3": conv((* 4 width), 1x1) -> "bn3": batchnorm>; '
        "return <(+ residual shortcut) -> relu> }"
    )
    assert isinstance(model, ast.Block)
    assert [type(statement).__name__ for statement in model.body.statements] == ["Input", "Assign", "For", "Output", "Assert"]
    assert short(model.body.statements[2]) == (
        "for i, depth in depths { for j in (.. 0 depth) { "
        'x = <x -> "layer{(+ i 1)}.{j}": Bottleneck((* 64 (** 2 i)), '
        "stride=(if (and (> i 0) (== j 0)) 2 1))> } }"
    )
    assert short(model.body.statements[3]) == 'output <x -> global_avgpool -> flatten -> "fc": linear(classes)>'
    assert [short(configuration) for configuration in configurations] == [
        "model ResNet50 = ResNet(depths=[3, 4, 6, 3])",
        "model ResNet152 = ResNet(depths=[3, 8, 36, 3])",
    ]
