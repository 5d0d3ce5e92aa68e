"""Small networks that between them use every way in which a Keras model can be put together."""

from __future__ import annotations

LENET = """
## LeNet-5, small.
model LeNet(classes: int = 10) {
    ## A digit.
    input image: float32[N, 1, 28, 28]
    output logits = image
        -> c1: conv(6, 5x5, pad = 2) -> tanh -> avgpool(2x2)
        -> c3: conv(16, 5x5) -> tanh -> avgpool(2x2)
        -> flatten -> f5: linear(120) -> relu -> dropout(0.5)
        -> f6: linear(classes)
}
"""

RESNET = """
default conv(bias = false)

## Residual bottleneck.
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

## A small residual network.
model ResNet(depths: list = [2, 1], classes: int = 5) {
    input image: float32[N, 3, 8*h, 8*w]
    x = image
        -> conv1: conv(8, 7x7, stride = 2, pad = 3) -> bn1: batchnorm -> relu
        -> maxpool(3x3, stride = 2, pad = 1)
    for i, depth in depths {
        for j in 0..depth {
            x = x -> "layer{i + 1}.{j}": Bottleneck(4 * 2 ** i, stride = if i > 0 and j == 0 then 2 else 1)
        }
    }
    output x -> global_avgpool -> flatten -> fc: linear(classes)
}
"""

UNET = """
block Double(x: tensor, width: int) {
    return x -> 2 * [conv(width, 3, pad = 1, bias = false) -> batchnorm -> relu]
}

## Down and up again.
block UNet(x: tensor, width: int, depth: int, classes: int) {
    skips = []
    for i in 0..depth {
        x = x -> "down{i}": Double(width * 2 ** i)
        skips = skips + [x]
        x = x -> maxpool(2)
    }
    x = x -> bottom: Double(width * 2 ** depth)
    for i in reversed(0..depth) {
        x = x -> "up{i}": conv_transpose(width * 2 ** i, 2, stride = 2)
        x = concat(skips[i], x) -> "merge{i}": Double(width * 2 ** i)
    }
    return x -> head: conv(classes, 1)
}

model UNet2D(width: int = 4) {
    input image: float32[N, 1, 4*h, 4*w]
    output logits = image -> UNet(width, 2, 2)
}

model UNet3D(width: int = 4) {
    input volume: float32[N, 1, 2*d, 2*h, 2*w]
    output logits = volume -> UNet(width, 1, 3)
}
"""

INCEPTION = """
block BasicConv(x: tensor, filters: int, kernel: size, pad: int = 0) {
    return x -> conv: conv(filters, kernel, pad = pad, bias = false) -> bn: batchnorm(eps = 0.001) -> relu
}

## Four branches side by side.
block Inception(x: tensor, one: int, three: list, five: list, pool: int) {
    a = x -> branch1: BasicConv(one, 1x1)
    b = x -> branch2: [BasicConv(three[0], 1x1) -> BasicConv(three[1], 3x3, pad = 1)]
    c = x -> branch3: [BasicConv(five[0], 1x1) -> BasicConv(five[1], 5x5, pad = 2)]
    d = x -> branch4: [maxpool(3x3, stride = 1, pad = 1) -> BasicConv(pool, 1x1)]
    return concat(a, b, c, d)
}

model Inceptions {
    input image: float32[N, 3, 12, 12]
    x = image -> first: Inception(4, [3, 5], [2, 3], 2) -> second: Inception(3, [2, 4], [2, 2], 3)
    output x -> maxpool(3x3, stride = 2, ceil = true) -> flatten -> fc: linear(4)
}
"""

SHARED = """
block Tower(x: tensor, width: int) {
    return x -> conv1: conv(width, 3x3, pad = 1) -> bn: batchnorm -> relu -> conv2: conv(width, 3x3)
}

## Two pictures through one tower.
model Siamese {
    input left: float32[N, 3, 6, 6]
    input right: float32[N, 3, 6, 6]
    layer tower = Tower(4)
    layer embed = linear(7)
    a = left -> tower -> flatten -> embed
    b = right -> tower -> flatten -> embed
    output difference = a - b
    output "left.features" = left -> tower
    output sum = (a + b) * 0.5
}
"""

SEQUENCE = """
## Two dilated convolutions beside the input.
block Residual(x: tensor, dilation: int) {
    residual = x
        -> conv(x.channels, 3, pad = dilation, dilation = dilation, bias = false) -> batchnorm -> relu
        -> conv(x.channels, 3, pad = dilation, dilation = dilation, bias = false) -> batchnorm
    return residual + x -> relu
}

model Sequence(levels: int = 3) {
    input signal: float32[N, 4, L >= 8]
    x = signal -> stem: conv(6, 7, pad = 3) -> relu
    for i in 0..levels {
        x = x -> "level{i}": Residual(2 ** i)
    }
    output x -> global_avgpool -> flatten -> fc: linear(3)
}
"""

STAGES = """
let WIDTHS = [4, 8]
let twice(v, by = 2) = v * by

block Cell(x: tensor, width: int, norm: stage = batchnorm, act: stage = leaky_relu(0.1)) {
    return x -> conv(width, 3x3, pad = 1) -> norm -> act
}

## Stages as arguments, lists of tensors, splits, groups and constants.
model Stages(sigmoid_end: bool = true) {
    input image: float32[N, 4, 6, 6]
    cells = [image -> "cell{i}": Cell(width, act = if i == 0 then silu else hardswish) for i, width in WIDTHS]
    a, b = cells[1] -> split(2)
    x = concat([cells[0], a, b]) -> body: [conv(twice(6), 1x1) -> relu -> conv(12, 3x3, groups = 3, pad = 1)]
    x = x -> pad([[0, 1], [1, 0]]) -> upsample(2) -> tail: 2 * conv(6, 3x3, stride = 2)
    y = if sigmoid_end then (x -> sigmoid) else (x -> tanh)
    output features = y
    output scores = -y * 2.0 + 1.0 -> global_maxpool -> flatten -> linear(3) -> softmax
    output total = sum([a, b, cells[0]])
}
"""

EVERY_OP = """
## Each op at least once, most of them twice: as Keras has it, and as it has not.
model EveryOp {
    input x: float32[N, 4, 12, 12]
    a = x -> conv(6, 3x3, stride = 2, dilation = 2, pad = 2) -> lrn(3) -> relu6
    b = x -> conv(8, 3x3, groups = 4, pad = same) -> gelu -> avgpool(2x2, pad = 1, count_pad = false)
    b = b -> conv(8, 3x3, groups = 8)
    c = x -> conv_transpose(4, 3x3, stride = 2, pad = 1, output_padding = 1, groups = 2) -> silu -> maxpool(3x3, stride = 4)
    d = x -> maxpool(3x3, dilation = 2, stride = 1) -> hardsigmoid -> pad(1, value = 0.5) -> leaky_relu(0.2) -> hardswish
    e = x -> upsample(2, mode = linear) -> linear(3, axis = channels) -> avgpool(3x3, pad = 1, stride = 2)
    f = x -> conv_transpose(4, 2x2, stride = 2, bias = false) -> batchnorm(eps = 0.01, momentum = 0.2) -> upsample(2)
    p, q, r = x -> split([1, 2, 1])
    output "a.1" = -a / 2.0 - 1.0
    output b = 1.0 - b * 3.0
    output c = 2.0 / (c * c + 1.0)
    output d = (d - (d -> global_maxpool)) / (d + 3.0)
    output e = e -> tanh -> sigmoid
    output f = f -> global_avgpool -> flatten -> linear(6) -> softmax
    output g = concat(p, q, r, r) -> softmax
}
"""

NORMS = """
block Normed(x: tensor, width: int, norm: stage = layernorm, act: stage = prelu) {
    x = x -> conv(width, 3x3, stride = 2, pad = 1) -> norm -> act -> conv(width, 1x1) -> groupnorm(width // 2)
    return x -> act -> rmsnorm -> maxout(2)
}

## Norms and activations, some of them layers of ours, with weights that lie over more than the channels.
model Norms {
    input x: float32[N, 4, 16, 16]
    y = x -> Normed(8) -> Normed(12, norm = groupnorm(4, eps = 1e-3), act = celu(0.3))
    y = y -> rmsnorm(axes = all) -> layernorm(axes = all) -> instancenorm -> instancenorm(affine = true) -> prelu(per = one)
    output y = y -> elu -> selu -> mish -> hardtanh -> softplus(beta = 2) -> logsigmoid -> softsign -> threshold(-1, 2)
    z = x -> rmsnorm(affine = false) -> layernorm(affine = false) -> groupnorm(2, affine = false) -> glu -> softplus
    output z = z -> flatten -> layernorm -> prelu -> l2norm -> linear(6) -> log_softmax
}
"""

CONVOLUTIONS = """
## Convolutions of every kind, with padding of every kind.
model Convolutions {
    input x: float32[N, 4, 9, 10]
    input volume: float32[N, 4, 5, 6, 5]
    y = x -> conv(6, 3, pad = 2, pad_mode = reflect) -> conv(6, 3, pad = [[1, 0], [0, 2]], pad_mode = replicate)
    y = y -> conv(6, 3, pad = 1, pad_mode = circular) -> depthwise_conv(3, 2, pad = same)
    y = y -> separable_conv(6, 3, stride = 2, pad = 1) -> ws_conv(6, 3, pad = 1, groups = 2) -> relu
    output y = y -> conv_transpose(4, 3, stride = 2, pad = same)
    output w = x -> deform_conv(x -> conv(18, 3, pad = 1), 5, 3, pad = 1)
    z = volume -> separable_conv(6, 2, pad = 1, pad_mode = reflect) -> ws_conv(4, 3, pad = 1) -> depthwise_conv(2)
    output z = z -> pad(1, mode = circular) -> conv_transpose(4, 2, stride = 4, pad = same)
}
"""

SPECS = {
    "lenet": (LENET, "LeNet", ({"N": 3},)),
    "resnet": (RESNET, "ResNet", ({"N": 2, "h": 4, "w": 2}, {"N": 1, "h": 1, "w": 3})),
    "unet2d": (UNET, "UNet2D", ({"N": 2, "h": 2, "w": 3}, {"N": 1, "h": 4, "w": 1})),
    "unet3d": (UNET, "UNet3D", ({"N": 1, "d": 2, "h": 2, "w": 3},)),
    "inception": (INCEPTION, "Inceptions", ({"N": 2},)),
    "shared": (SHARED, "Siamese", ({"N": 2},)),
    "sequence": (SEQUENCE, "Sequence", ({"N": 2, "L": 19}, {"N": 1, "L": 8})),
    "stages": (STAGES, "Stages", ({"N": 2},)),
    "every_op": (EVERY_OP, "EveryOp", ({"N": 2},)),
    "norms": (NORMS, "Norms", ({"N": 2},)),
    "convolutions": (CONVOLUTIONS, "Convolutions", ({"N": 2},)),
}
"""Name → spec, model, and the symbolic sizes to run it at."""
