"""Networks that between them use every construct of the language, as text."""

from __future__ import annotations

from tests.targets.pytorch.odd_specs import FALLBACKS
from tests.targets.pytorch.odd_specs import SPECS as ODD

SPECS: dict[str, str] = dict(ODD)

SPECS["lenet"] = """
## LeNet-5 as the TensorFlow MNIST tutorial trains it.
model LeNet5(classes: int = 10) {
    input image: float32[N, 1, 28, 28]
    logits = image
        -> conv(8, 5x5, pad = same) -> relu -> maxpool(2x2)
        -> conv(16, 5x5, pad = same) -> relu -> maxpool(2x2)
        -> flatten -> linear(32) -> relu -> dropout(0.5)
        -> linear(classes)
    output logits
}
"""

SPECS["densenet"] = """
## One layer of a dense block: its output is put beside its input.
block DenseLayer(x: tensor, growth: int) {
    y = x -> norm1: batchnorm -> relu -> conv1: conv(4 * growth, 1x1, bias = false)
    z = y -> norm2: batchnorm -> relu -> conv2: conv(growth, 3x3, pad = 1, bias = false)
    return concat(x, z)
}

block Transition(x: tensor) {
    return x -> norm: batchnorm -> relu -> conv: conv(x.channels // 2, 1x1, bias = false) -> avgpool(2x2)
}

model DenseNet(growth: int = 4, depths: list = [2, 3]) {
    input image: float32[N, 3, 8*h, 8*w]
    x = image -> stem: conv(2 * growth, 3x3, pad = 1, bias = false)
    for i, depth in depths {
        for j in 0..depth {
            x = x -> "denseblock{i + 1}.denselayer{j + 1}": DenseLayer(growth)
        }
        if i < len(depths) - 1 {
            x = x -> "transition{i + 1}": Transition
        }
    }
    output x -> norm: batchnorm -> relu -> global_avgpool -> flatten -> fc: linear(10)
}
"""

SPECS["dense_list"] = """
## A dense block that keeps a list.
model DenseList(growth: int = 4, layers: int = 3) {
    input x: float32[N, 6, 10, 10]
    features = [x]
    for i in 0..layers {
        new = concat(features) -> "layer{i}": conv(growth, 3x3, pad = 1) -> relu
        features = features + [new]
    }
    total = sum([features[1], features[-1]])
    output y = concat(features[1..len(features)]) + concat([total, total, total])
}
"""

SPECS["siamese"] = """
block Tower(x: tensor, width: int) {
    return x -> conv(width, 3x3, pad = 1) -> relu -> conv(width, 3x3, pad = 1) -> global_avgpool -> flatten
}

model Siamese(width: int = 6) {
    input left: float32[N, 3, 12, 12]
    input right: float32[N, 3, 12, 12]
    layer tower = Tower(width)
    layer head = linear(4)
    a = left -> tower -> head
    b = right -> tower -> head
    output distance = (a - b) * (a - b) -> score: linear(1) -> sigmoid
}
"""

SPECS["stages"] = """
block Unit(x: tensor, width: int, norm: stage = batchnorm, act: stage = relu) {
    return x -> conv(width, 3x3, pad = 1, bias = false) -> norm -> act
}

model Stages {
    input image: float32[N, 3, 9, 9]
    output image
        -> a: Unit(4)
        -> b: Unit(4)
        -> c: Unit(6, act = leaky_relu(0.2))
        -> d: Unit(6, norm = batchnorm(eps = 0.001), act = [conv(6, 1x1) -> tanh])
        -> global_avgpool -> flatten -> fc: linear(3)
}
"""

SPECS["conditional"] = """
let divisible(v, by = 8) = max(by, int(v + by / 2) // by * by)

## Inverted residual (Sandler et al. 2018).
block Inverted(x: tensor, out: int, expand: int = 6, stride: int = 1, squeeze: int = x.channels // 2) {
    hidden = x.channels * expand
    y = x
    if expand != 1 {
        y = y -> expand: conv(hidden, 1x1, bias = false) -> expand_bn: batchnorm -> relu6
    }
    y = y
        -> depthwise: conv(hidden, 3x3, stride = stride, pad = 1, groups = hidden, bias = false)
        -> depthwise_bn: batchnorm -> relu6
    gate = y -> global_avgpool -> reduce: conv(squeeze, 1x1) -> relu -> restore: conv(hidden, 1x1) -> sigmoid
    y = y * gate -> project: conv(out, 1x1, bias = false) -> project_bn: batchnorm
    if stride == 1 and x.channels == out {
        y = y + x
    }
    return y
}

let ROWS = [[1, 8, 1, 1], [6, 12, 2, 2], [6, 16, 2, 1]]

model Mobile(width: float = 1.0, classes: int = 7) {
    input image: float32[N, 3, 32*h, 32*w]
    x = image -> stem: conv(divisible(8 * width), 3x3, stride = 2, pad = 1, bias = false) -> stem_bn: batchnorm -> relu6
    for i, [expand, channels, count, stride] in ROWS {
        for j in 0..count {
            x = x -> "stage{i}.{j}": Inverted(divisible(channels * width, 4), expand, stride = if j == 0 then stride else 1)
        }
    }
    output x -> global_avgpool -> flatten -> dropout(0.2) -> fc: linear(classes)
}
"""

SPECS["counts"] = """
block Res(x: tensor, width: int) {
    y = x -> conv(width, 3, pad = 1) -> relu -> conv(x.channels, 3, pad = 1)
    return y + x -> relu
}

model Counts(n: int = 3) {
    input x: float32[N, 4, 20]
    output x
        -> layer1: 2 * Res(8)
        -> layer2: [conv(6, 3, pad = 1) -> (n - 1) * Res(5)]
        -> 2 * Res(3)
        -> tail: 2 * [conv(4, 3, pad = 1) -> relu]
        -> 2 * [conv(5, 1) -> tanh]
        -> global_maxpool -> flatten -> fc: linear(2)
}
"""

SPECS["groups"] = """
model Groups {
    input x: float32[N, 3, 16, 16]
    y = x
        -> features: [
            conv(8, 3x3, pad = 1) -> norm: batchnorm -> relu -> maxpool(2x2)
            -> inner: [conv(8, 3x3, pad = 1) -> relu]
            -> one: [conv(8, 1x1)]
        ]
        -> [conv(4, 1x1) -> relu]
        -> "deep.er": [conv(4, 3x3, pad = 1) -> gelu]
    output y -> head: [flatten -> dropout(0.1) -> linear(5)]
}
"""

SPECS["outputs"] = """
model Pyramid(levels: int = 3) {
    input image: float32[N, 3, 16*h, 16*w]
    x = image -> stem: conv(8, 3x3, stride = 2, pad = 1)
    sides = []
    for i in 0..levels {
        x = x -> "down{i}": conv(8 * 2 ** i, 3x3, stride = 2, pad = 1) -> relu
        sides = sides + [x]
    }
    for i, side in sides {
        output "p{i}" = side -> "lateral{i}": conv(4, 1x1)
    }
    output top = x -> global_avgpool -> flatten -> fc: linear(3), x
}
"""

SPECS["two_outputs"] = """
model Two {
    input image: float32[N, 2, 8, 8]
    a, b = image -> conv(6, 3x3) -> split(2)
    output a -> left: conv(2, 1x1), right = b -> tanh
}
"""

SPECS["unpacking"] = """
block Halves(x: tensor, y: tensor) {
    a, b = x -> split([2, 4])
    c = concat(a, y)
    return c, b
}

model Unpack {
    input image: float32[N, 6, 7, 7]
    input other: float32[N, 3, 7, 7]
    p, q = image -> Halves(other)
    r, s = Halves(q -> conv(6, 1x1), p -> conv(3, 1x1))
    m, n = 2, 3
    m, n = n, m
    parts = concat(r, s) -> split(3)
    u = parts[0] * 0.5 + parts[1] / 2 - (1 - parts[2])
    output -u -> conv(m, 1x1) -> conv(n, 1x1) -> softmax
}
"""

SPECS["comprehension"] = """
model Branches(widths: list = [2, 3, 4]) {
    input x: float32[N, 4, 9, 9]
    sides = [x -> conv(w, 3x3, pad = 1) -> relu for w in widths]
    pooled = [global_avgpool(s) for s in sides]
    doubled = [w * 2 for i, w in widths]
    y = concat(sides) -> mix: conv(doubled[-1], 1x1)
    z = concat(pooled) -> squeeze: conv(y.channels, 1x1) -> sigmoid
    output y * z
}
"""

SPECS["inception"] = """
block Branch(x: tensor, rows: list) {
    for i, [width, kernel] in rows {
        x = x -> "conv{i}": conv(width, kernel, pad = (kernel - 1) // 2) -> relu
    }
    return x
}

block Mix(x: tensor, specs: list) {
    outs = []
    for i, rows in specs {
        outs = outs + [x -> "branch{i + 1}": Branch(rows)]
    }
    return concat(outs)
}

model Inception {
    input x: float32[N, 3, 11, 11]
    output x
        -> mix1: Mix([[[4, 1]], [[2, 1], [4, 3]]])
        -> mix2: Mix([[[4, 1]], [[3, 1], [5, 3], [6, 5]], [[2, 3]]])
        -> global_avgpool -> flatten -> fc: linear(3)
}
"""

SPECS["same_pads"] = """
block Conv(x: tensor, width: int, kernel: size = 3x3, stride: int = 1, dilation: int = 1) {
    return x -> conv: conv(width, kernel, stride = stride, dilation = dilation, pad = same) -> bn: batchnorm -> silu
}

model Same {
    input x: float32[N, 3, 17, 20]
    output x
        -> a: Conv(4) -> b: Conv(5, 5x5) -> c: Conv(6, 3x3, stride = 2) -> d: Conv(6, 1x3) -> e: Conv(4, dilation = 2)
        -> global_avgpool -> flatten -> fc: linear(3)
}
"""

SPECS["attention_like"] = """
block Gate(x: tensor, skip: tensor) {
    pooled = x -> global_avgpool -> flatten -> linear(x.channels) -> sigmoid
    flat = skip -> flatten -> linear(3)
    wide = flat -> linear(x.channels)
    return pooled * wide
}

model Gates {
    input a: float32[N, 4, 6, 6]
    input b: float32[N, 2, 3, 3]
    x = a -> g1: Gate(b)
    y = (a -> maxpool(2x2)) -> g2: Gate(b)
    output x + y
}
"""

SPECS["three_d"] = """
model Volume {
    input v: float32[N, 2, 8*d, 8*h, 8*w]
    x = v -> conv(4, 3, stride = [1, 2, 2], pad = 1) -> batchnorm -> relu -> avgpool([1, 2, 2])
    y = x -> up: conv_transpose(3, [1, 2, 2], stride = [1, 2, 2]) -> upsample([1, 2, 2])
    output y
}
"""

SPECS["word_parameters"] = """
block Down(x: tensor, width: int, pool: string = max, bias: bool = true) {
    y = x -> conv(width, 3x3, pad = 1, bias = bias)
    if pool == "max" {
        y = y -> maxpool(2x2)
    } else {
        y = y -> avgpool(2x2)
    }
    return y
}

model Words {
    input x: float32[N, 2, 16, 16]
    output x -> a: Down(3) -> b: Down(4, pool = avg) -> c: Down(5, bias = false)
}
"""

SPECS["model_as_block"] = """
model Inner(width: int = 3) {
    input image: float32[N, 2, H, W]
    output image -> conv(width, 3x3, pad = 1) -> relu
}

model Wide = Inner(width = 5)

model Outer {
    input x: float32[N, 2, 9, 9]
    a = x -> first: Inner
    b = x -> second: Wide
    output concat(a, b) -> conv(2, 1x1)
}
"""

SPECS["hostile"] = '''
## Docs with """ and \\\\ and a quote at the end "
block nn(x: tensor, torch: int, self: int = 2, lambda: bool = true, F: string = "a\\"b") {
    forward = x -> class: conv(torch, 1x1) -> "def-1.0": conv(self, 1x1)
    x_channels = 3
    super = forward -> conv(x_channels, 1x1)
    return super
}

## Also """hostile""".
block add(x: tensor) {
    range = x -> conv(2, 1x1)
    return range + x -> None: conv(x.channels, 1x1) -> relu
}

let list = [1, 2]

model None(print: int = 4) {
    input image: float32[N, 2, 5, 5]
    input training: float32[N, 2, 5, 5]
    len = image -> add -> "0": nn(print) -> conv(2, 1x1)
    for in_channels in list {
        len = len -> "stage-{in_channels}.x": conv(2, 1x1)
    }
    output len + training
}
'''

SPECS["shared_in_loop"] = """
model Recurrent(steps: int = 3) {
    input x: float32[N, 4, 6, 6]
    layer cell = conv(4, 3x3, pad = 1)
    state = x
    for i in 0..steps {
        state = state -> cell -> tanh
        state = state + x
    }
    output state
}
"""

SPECS["zip_loops"] = """
model Zipped {
    input x: float32[N, 3, 16, 16]
    skips = []
    widths = [4, 6, 8]
    for width in widths {
        x = x -> "enc{len(skips)}": conv(width, 3x3, pad = 1) -> relu
        skips = skips + [x]
        x = x -> maxpool(2x2)
    }
    for i, [skip, width] in zip(reversed(skips), reversed(widths)) {
        x = x -> upsample(2)
        x = concat(skip, x) -> "dec{i}": conv(width, 3x3, pad = 1) -> relu
    }
    output x
}
"""

SPECS["conditional_tensor"] = """
block Maybe(x: tensor, width: int, project: bool = false) {
    skip = if project then (x -> proj: conv(width, 1x1)) else x
    y = x -> conv(width, 3x3, pad = 1)
    return y + skip
}

model Maybes {
    input x: float32[N, 4, 6, 6]
    output x -> a: Maybe(4) -> b: Maybe(6, project = true) -> c: Maybe(6)
}
"""

SPECS["low_precision"] = """
model Half {
    input x: float16[N, 2, 6, 6]
    output x -> conv(3, 3x3) -> batchnorm -> relu
}
"""

ALL = SPECS | FALLBACKS

__all__ = ["ALL", "FALLBACKS", "SPECS"]
