"""Networks whose parameters, MACs and receptive fields are known from the literature, as specs."""

from __future__ import annotations

LENET5 = """
model LeNet5 {
    input image: float32[N, 1, 32, 32]
    output image
        -> c1: conv(6, 5x5) -> tanh -> s2: avgpool(2x2)
        -> c3: conv(16, 5x5) -> tanh -> s4: avgpool(2x2)
        -> c5: conv(120, 5x5) -> tanh
        -> flatten -> f6: linear(84) -> tanh -> linear(10)
}
"""

ALEXNET = """
model AlexNet {
    input image: float32[N, 3, 224, 224]
    output image
        -> conv1: conv(64, 11x11, stride = 4, pad = 2) -> relu -> pool1: maxpool(3x3, stride = 2)
        -> conv2: conv(192, 5x5, pad = 2) -> relu -> pool2: maxpool(3x3, stride = 2)
        -> conv3: conv(384, 3x3, pad = 1) -> relu
        -> conv4: conv(256, 3x3, pad = 1) -> relu
        -> conv5: conv(256, 3x3, pad = 1) -> relu -> pool5: maxpool(3x3, stride = 2)
        -> flatten -> dropout -> linear(4096) -> relu -> dropout -> linear(4096) -> relu -> linear(1000)
}
"""

VGG16 = """
model VGG16 {
    input image: float32[N, 3, 224, 224]
    x = image
    for i, [depth, width] in [[2, 64], [2, 128], [3, 256], [3, 512], [3, 512]] {
        for j in 0..depth {
            x = x -> "conv{i + 1}_{j + 1}": conv(width, 3x3, pad = 1) -> relu
        }
        x = x -> "pool{i + 1}": maxpool(2x2)
    }
    output x -> flatten -> linear(4096) -> relu -> linear(4096) -> relu -> linear(1000)
}
"""

RESNET = """
default conv(bias = false)

block Basic(x: tensor, width: int, stride: int = 1, v1: bool = false) {
    shortcut = x
    if stride > 1 or x.channels != width {
        shortcut = x -> downsample: [conv(width, 1x1, stride = stride) -> batchnorm]
    }
    residual = x
        -> conv1: conv(width, 3x3, stride = stride, pad = 1) -> bn1: batchnorm -> relu
        -> conv2: conv(width, 3x3, pad = 1) -> bn2: batchnorm
    return residual + shortcut -> relu
}

block Bottleneck(x: tensor, width: int, stride: int = 1, v1: bool = false) {
    shortcut = x
    if stride > 1 or x.channels != 4 * width {
        shortcut = x -> downsample: [conv(4 * width, 1x1, stride = stride) -> batchnorm]
    }
    residual = x
        -> conv1: conv(width, 1x1, stride = if v1 then stride else 1) -> bn1: batchnorm -> relu
        -> conv2: conv(width, 3x3, stride = if v1 then 1 else stride, pad = 1) -> bn2: batchnorm -> relu
        -> conv3: conv(4 * width, 1x1) -> bn3: batchnorm
    return residual + shortcut -> relu
}

model ResNet(depths: list, deep: bool, v1: bool = false) {
    input image: float32[N, 3, 32*h, 32*w]
    x = image -> conv1: conv(64, 7x7, stride = 2, pad = 3) -> bn1: batchnorm -> relu -> maxpool(3x3, stride = 2, pad = 1)
    for i, depth in depths {
        for j in 0..depth {
            stride = if i > 0 and j == 0 then 2 else 1
            width = 64 * 2 ** i
            if deep {
                x = x -> "layer{i + 1}.{j}": Bottleneck(width, stride, v1)
            } else {
                x = x -> "layer{i + 1}.{j}": Basic(width, stride)
            }
        }
    }
    output x -> global_avgpool -> flatten -> fc: linear(1000)
}

model ResNet18 = ResNet(depths = [2, 2, 2, 2], deep = false)
model ResNet50 = ResNet(depths = [3, 4, 6, 3], deep = true)
model ResNet50v1 = ResNet(depths = [3, 4, 6, 3], deep = true, v1 = true)
"""
