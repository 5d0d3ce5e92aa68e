"""Each rule by small specs: `# ! CNN110` at the end of a line says that this line, and no other, has that warning."""

from __future__ import annotations

import re

import pytest

from convspec.diagnostics import Diagnostic
from convspec.elaborate import loads, opened_text
from convspec.lint import text_only, warnings

MARK = re.compile(r"# !((?: CNN\d+)+)$")


def found(text: str, *models: str) -> list[Diagnostic]:
    spec = opened_text(text)
    return warnings(*(spec.module(name) for name in models or spec.models()))


def check(text: str, *models: str) -> None:
    """The warnings of a spec are those it marks."""
    lines = text.splitlines()
    marked = [(number, code) for number, line in enumerate(lines, 1) if (m := MARK.search(line)) for code in m[1].split()]
    told = [(each.primary.span.line, each.code) for each in found(text, *models) if each.primary is not None]
    assert sorted(told) == sorted(marked)


def net(body: str, size: str = "N, 3, 32, 32") -> str:
    """A model with the input `x`, whose other lines are `body`."""
    return f"model Net {{\n    input x: float32[{size}]\n{body}\n}}\n"


HEAD = " -> global_avgpool -> flatten -> linear(10)"

NAMES = {
    "channels last": """
model Net {
    input a: float32[N, 32, 32, 3]  # ! CNN106
    input b: uint8[N, 16, 16, 16, 4]  # ! CNN106
    input c: float32[N, 32, 64, 3]
    input d: float32[N, 32, 32, 1]
    input e: float32[N, 3, 3, 3]
    input f: float32[N, H, H, 3]
    output a, b, c, d, e, f
}
""",
    "a product in place of a size": """
block U(x: tensor, k: int) { return x -> conv(8, 2*k) -> depthwise_conv(3x3) }
block V(x: tensor, avgpool: stage) { return x -> avgpool }
model Net {
    input x: float32[N, 3, 32, 32]
    y = x -> conv(2*4, 3*3, stride = 1, pad = 2*2)  # ! CNN107
    y = y -> conv(8, 3x3, dilation = 1 * 2) -> U(1)  # ! CNN107
    y = maxpool(y, kernel = 2*2, stride = 1) -> V([relu])  # ! CNN107
    output y -> conv(2*8, 2*2-1, groups = 2*2)
}
""",
    "a layer of one's own name takes what it wants": """
block conv(x: tensor, n: int, k: int) { return x -> linear(n * k, axis = channels) }
model Net { input x: float32[N, 3, 32, 32] output x -> conv(8, 3*3) }
""",
    "an import, a constant, a function and a block": """
use SqueezeExcite, ECA from "std:attention"  # ! CNN100
let A = 1
let B = A  # ! CNN101
let f(n) = 2 * n
let g(n) = f(n)  # ! CNN101
block Used(x: tensor) { return x -> ECA -> conv(f(8), 3x3) }
block Unused(x: tensor) { return x -> relu }  # ! CNN101
model Net { input x: float32[N, 8, 32, 32] output x -> Used }
""",
    "what only something unused takes is told once, at its user": """
block Inner(x: tensor) { return x -> relu }
block Outer(x: tensor) { return x -> Inner }  # ! CNN101
model Net { input x: float32[N, 8, 32, 32] output x -> tanh }
""",
    "a parameter of the same name hides what the file declares": """
let width = 8  # ! CNN101
block Unit(x: tensor, width: int) { return x -> conv(width, 3x3) }
model Net { input x: float32[N, 8, 32, 32] output x -> Unit(16) }
""",
    "a name that is read before it is bound is the file's": """
let width = 8
block Unit(x: tensor) {
    width = width * 2
    return x -> conv(width, 3x3)
}
model Net { input x: float32[N, 8, 32, 32] output x -> Unit }
""",
    "names in labels, asserts, sizes, defaults, lists, slices and configurations are used": """
let SIZE = 32
let RATE = 0.5
let WIDTHS = [8, 16]
let NAME = "stem"
let DEPTHS = [1]
let MOST = 5M
default dropout(rate = RATE)
block Unit(x: tensor, act: stage = relu, n: int = 1, m: int = n) {
    assert m > 0, "not {n}"
    return x -> act
}
model Base(depths: list) {
    input x: float32[N, 3, SIZE, SIZE]
    for i, w in WIDTHS[0..len(depths) + 1] { x = x -> "{NAME}{i}": conv(w, 3x3) -> Unit(act = tanh) -> dropout }
    assert params < MOST
    output x -> global_avgpool -> flatten -> linear(10)
}
model Net = Base(DEPTHS)
""",
    "parameters": """
let f(a, b = 2) = a  # ! CNN102
block Unit(x: tensor, width: int, act: stage = relu, _kept: int = 0) {  # ! CNN102
    width = 8
    return x -> conv(width, 3x3) -> act
}
model Net(classes: int = 10, rate: float = 0.1) {  # ! CNN102
    input x: float32[N, 3, 32, 32]
    output x -> Unit(f(8)) -> global_avgpool -> flatten -> linear(classes)
}
""",
    "an input": """
model Net {
    input x: float32[N, 3, 32, 32]
    input mask: float32[N, 3]  # ! CNN104
    output x -> relu
}
""",
    "values": """
model Net {
    input x: float32[N, 4, 32, 32]
    let n = 3  # ! CNN103
    let f(a) = a  # ! CNN103
    layer tower = conv(8, 3x3)  # ! CNN103
    a = x -> relu  # ! CNN103
    b, c = x -> split(2)
    d, e = x -> split(2)  # ! CNN103
    _f = x -> tanh
    output b
}
""",
    "a value that is lost": """
model Net {
    input x: float32[N, 4, 32, 32]
    y = x -> conv(8, 3x3)  # ! CNN105
    y = x -> conv(8, 5x5)
    z = y  # ! CNN105
    if y.channels > 4 { z = y -> relu } else { z = y -> tanh }
    output z
}
""",
    "branches and loops may leave a value as it is": """
model Net(deep: bool = false) {
    input x: float32[N, 4, 32, 32]
    y = x
    if deep { y = x -> relu }
    z = y
    for i in 0..2 { z = y -> tanh }
    last = z
    for i in 0..3 {
        kept = last
        last = x -> conv(4 + i, 1x1)
        z = z + (kept -> conv(4, 1x1))
    }
    output z
}
""",
    "the turns of a loop hand a value on": """
model Net {
    input x: float32[N, 4, 32, 32]
    skips = []
    count = 0
    for i in 0..3 {
        x = x -> conv(4, 3x3, pad = 1)
        skips = skips + [x]
        count = count + 1
        spare = x -> relu  # ! CNN103
    }
    output concat(skips)
}
""",
    "what a comprehension or a function binds hides a name": """
model Net {
    input x: float32[N, 4, 32, 32]
    w = 3  # ! CNN103
    widths = [w for w in [4, 8]]
    output x -> conv(widths[0], 1x1)
}
""",
}

LAYERS = {
    "a bias before a norm": net("""
    a = x -> conv(8, 3x3) -> batchnorm -> relu  # ! CNN110
    b = a -> depthwise_conv(3x3, bias = true) -> identity -> maxpool(2x2, stride = 1) -> batchnorm -> relu  # ! CNN110
    c = b -> conv_transpose(8, 2x2, stride = 2) -> instancenorm  # ! CNN110
    output c -> global_avgpool -> flatten -> linear(16) -> batchnorm -> linear(3)  # ! CNN110
"""),
    "a bias that a norm does not take off": net("""
    a = x -> conv(8, 3x3, bias = false) -> batchnorm -> relu
    a = a -> conv(8, 3x3) -> relu -> batchnorm
    a = a -> conv(8, 3x3) -> groupnorm(2) -> conv(8, 3x3) -> layernorm
    b = a -> conv(8, 3x3)
    c = b -> batchnorm
    d = c -> conv(8, 3x3) -> avgpool(2x2, stride = 1, pad = 1) -> batchnorm
    e = d -> conv(8, 3x3) -> dropout(0.1) -> batchnorm
    output b + c, e
"""),
    "an output needs its bias": net("    y = x -> conv(8, 3x3)\n    output y, y -> batchnorm"),
    "a norm that is shared keeps one mean for several layers": net("""
    layer norm = batchnorm
    output (x -> conv(8, 3x3) -> norm) + (x -> conv(8, 3x3) -> norm)
"""),
    "a layer that is shared, and normalised at one use only": net("""
    layer c = conv(3, 3x3, pad = 1)
    output (x -> c -> batchnorm) + (x -> c)
"""),
    "a default holds": "default conv(bias = false)\n" + net("    output x -> conv(8, 3x3) -> batchnorm"),
    "where one use of a block is right, the block is": """
block Unit(x: tensor, norm: stage) { return x -> conv(8, 3x3) -> norm -> relu }
model Net { input x: float32[N, 3, 32, 32] output x -> Unit(batchnorm) -> Unit(identity) }
""",
    "where one model is right, the block is": """
block Unit(x: tensor, norm: stage) { return x -> conv(8, 3x3) -> norm -> relu }
model A { input x: float32[N, 3, 32, 32] output x -> Unit(batchnorm) }
model B { input x: float32[N, 3, 32, 32] output x -> Unit(groupnorm(2)) }
""",
    "outputs that see only padding": net(
        """
    a = x -> conv(8, 1x1, pad = 1)  # ! CNN111
    b = a -> conv(8, 3x1, pad = [1, 1])  # ! CNN111
    c = b -> conv(8, 3x3, pad = [[0, 3], [0, 0]])  # ! CNN111
    output c -> conv(8, 3x3, pad = 2)
""",
        "N, 3, H, W",
    ),
    "weights that see only padding": net(
        """
    a = x -> conv(8, 3x3, pad = 1)  # ! CNN111
    b = a -> conv(8, 1x1) -> upsample(2) -> conv(8, 3x3, pad = 1)
    c = b -> conv(8, 3x3, pad = 4, dilation = 4)  # ! CNN111
    output c -> conv(8, 3x3, pad = 1, pad_mode = replicate)
""",
        "N, 3, 1, 1",
    ),
    "a kernel on an unknown size": net("    output x -> conv(8, 7x7, pad = 3)", "N, 3, H, W"),
    "channels": net("""
    a = x -> conv(33, 3x3) -> relu  # ! CNN112
    a = a -> conv(65, 3x3) -> relu  # ! CNN112
    a = a -> conv(10, 3x3) -> relu  # ! CNN112
    a = a -> conv(36, 3x3) -> relu -> conv(40, 3x3) -> relu -> conv(6, 3x3) -> conv(513, 1x1)
    a = a -> conv(32, 3x3) -> conv(64, 3x3, groups = 32)  # ! CNN112
    a = a -> conv(64, 3x3, groups = 16) -> conv(64, 3x3, groups = 64)
    gate = a -> global_avgpool -> conv(9, 1x1) -> relu -> conv(64, 1x1) -> sigmoid
    output a * gate -> conv(17, 1x1)
"""),
    "a dropout behind the last layer": net(f"""
    y = x{HEAD}
    output a = y -> dropout(0.5)  # ! CNN113
    output b = y -> dropout(0.5) -> softmax  # ! CNN113
    output c = y -> dropout(0)
    output d = y + (y -> dropout(0.5))
    output e = y -> dropout(0.5) -> linear(3)
    output f = x -> dropout(0.5)
"""),
    "activations": net("""
    a = x -> relu -> relu  # ! CNN114
    b = x -> sigmoid -> relu  # ! CNN114
    c = x -> gelu -> gelu  # ! CNN114
    d = x -> softmax -> sigmoid  # ! CNN114
    e = x -> relu -> identity -> leaky_relu(0.1)  # ! CNN114
    f = x -> softplus -> clip(0)  # ! CNN114
    g = x -> clip(0, 1) -> relu  # ! CNN114
    h = x -> relu -> relu6
    m = x -> relu -> maxpool(2x2) -> relu -> upsample(2)  # ! CNN114
    n = x -> gelu -> maxpool(2x2) -> gelu -> upsample(2)
    o = x -> relu -> maxpool(3x3, stride = 1, pad = 1) -> batchnorm -> relu
    i = x -> prelu -> prelu
    j = x -> relu -> sigmoid
    k = x -> tanh -> relu
    l = x -> relu -> dropout(0.5) -> tanh
    output concat(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
"""),
    "a stage that is handed over is an activation at one use only": """
block Unit(x: tensor, last: stage) { return x -> relu -> last }
model Net { input x: float32[N, 3, 32, 32] output x -> Unit(relu) -> Unit(conv(8, 3x3)) }
""",
    "a block whose activation is needed at one of its uses": """
block Unit(x: tensor) { return x -> relu -> conv(8, 3x3) }
model Net { input x: float32[N, 3, 32, 32] output x -> Unit -> relu -> Unit }
""",
    "lost borders": net(
        """
    a = x -> maxpool(2x2)  # ! CNN115
    b = x -> conv(8, 3x3, stride = 2) -> maxpool(3x3, stride = 2)  # ! CNN115
    c = x -> avgpool(2x2, ceil = true)
    d = x -> conv(8, 1x1, stride = 2)
    e = x -> conv(8, 7x7, stride = 2, pad = 3)
    f = x -> maxpool(3x3, stride = 2, pad = 1)
    g = x -> pad([[0, 1], [0, 1]]) -> maxpool(3x3, stride = 3)
    h = x -> conv(8, 4x4, stride = 2, pad = same)
    output a, b, c, d, e, f, g, h
""",
        "N, 3, 33, 33",
    ),
    "lost borders of symbolic sizes": net(
        """
    a = x -> conv(8, 3x3, stride = 2)  # ! CNN115
    b = x -> maxpool(2x2)
    c = x -> conv(8, 7x7, stride = 2, pad = 3)
    output a, b, c
""",
        "N, 3, 32*h, 32*w",
    ),
    "sizes of which only some lose a border": net("    output x -> maxpool(2x2) -> maxpool(2x2)", "N, 3, H >= 4, W >= 4"),
    "one and three axes": """
model Net {
    input x: float32[N, 3, 33]
    input v: float32[N, 3, 9, 8, 8]
    output x -> maxpool(2)  # ! CNN115
    output b = v -> maxpool(2x2x2)  # ! CNN115
}
""",
    "constant results": net(f"""
    a = x{HEAD} -> linear(1) -> softmax  # ! CNN116
    b = x -> conv(1, 1x1) -> softmax  # ! CNN116
    c = x -> global_avgpool -> log_softmax(axis = height)  # ! CNN116
    d = x -> conv(1, 1x1) -> softmax(axis = height)
    output a, b, c, d, x -> softmax
"""),
}


@pytest.mark.parametrize("title", NAMES)
def test_names(title: str) -> None:
    check(NAMES[title], "Net")


@pytest.mark.parametrize("title", LAYERS)
def test_layers(title: str) -> None:
    check(LAYERS[title])


def test_one_warning_for_a_block_that_is_applied_often() -> None:
    text = """
block Unit(x: tensor) { return x -> conv(8, 3x3, pad = 1) -> batchnorm -> relu }
model Net { input x: float32[N, 8, 32, 32] output x -> 50 * Unit }
"""
    (told,) = found(text)
    assert told.severity == "warning"
    assert told.notes == ("so it is each of the 50 times that this is applied; the first is shown",)


def test_what_the_package_ships_is_not_the_authors_business() -> None:
    text = """
use VDCNN from "zoo:vdcnn"
model Net { input x: int64[N, 1024] output x -> VDCNN([1, 1, 1, 1]) }
"""
    module = loads(text)
    assert warnings(module) == []
    assert len(module.files) > 1


def test_a_file_without_a_model_is_there_for_others() -> None:
    text = 'use ECA from "std:attention"\nlet A = 1\nblock B(x: tensor, n: int) {\n    y = x -> relu\n    return x\n}\n'
    told = [(each.code, each.primary.span.text) for each in text_only(opened_text(text).scope.tree) if each.primary]
    assert told == [("CNN102", "n"), ("CNN103", "y")]


def test_deep_nesting_is_no_matter() -> None:
    loops = "".join(f"for i{n} in 0..1 {{ " for n in range(40))
    text = net(f"    y = x\n    {loops} y = y -> relu {'}' * 40}\n    output y")
    assert found(text) == []
