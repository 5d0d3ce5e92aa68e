"""Models: their inputs and pictures, symbolic sizes, models as blocks, configurations, outputs, and what cannot be."""

from __future__ import annotations

import re

import pytest

from convspec.elaborate import loads
from convspec.ir.graph import Picture
from tests.elaborate.helpers import codes, errors, messages, network, outputs, value_of, weights

INNER = """
model Two(k: int = 2, j: int = 1) {
    input a: float32[N, 3, H, W]
    input b: float32[N, C, H, W]
    output p = a -> conv(k, 1x1), q = b -> conv(j, 1x1)
    output "r{k}" = a -> relu
}
model T5 = Two(5)
model T56 = T5(j = 6)
model T7 = T56(7, j = 8)
"""


def test_models_as_blocks_with_several_inputs_and_outputs() -> None:
    text = (
        INNER
        + """
    model M {
        input x: float32[N, 3, 8, 8]
        input y: float32[N, 2, 8, 8]
        p, q, r = x -> Two(y)
        s, t, u = T56(x, y)
        v, w, z = x -> last: T7(y, j = 9)
        output p, q, r, s, t, u, v, w, z
    }
    """
    )
    module = loads(text, model="M")
    assert [shape.split(", ")[1] for shape in outputs(module).values()] == ["2", "1", "3", "5", "6", "3", "7", "9", "3"]
    names = [name for name in weights(module) if name.endswith("weight")]
    assert names == [f"{use}.conv{i}.weight" for use in ("Two1", "T561", "last") for i in (1, 2)]


@pytest.mark.parametrize(
    ("declared", "given", "code"),
    [
        ("float32[B, 3, 2*h, 2*w]", "float32[N, 3, 8, 8]", None),
        ("float32[B, 3, h*2, 8]", "float32[N, 3, 8, 8]", None),
        ("float32[B, 3, h, h]", "float32[N, 3, 8, 8]", None),
        ("float32[B, 3, h, h]", "float32[N, 3, 8, 9]", "CNN031"),
        ("float32[B, 3, h >= 8, h]", "float32[N, 3, 8, 8]", None),
        ("float32[B, 3, h >= 9, h]", "float32[N, 3, 8, 8]", "CNN045"),
        ("float32[B, 3, h > 7, w]", "float32[N, 3, 8, 8]", None),
        ("float32[B, 3, 2*h, 2*w]", "float32[N, 3, 7, 8]", "CNN031"),
        ("float32[B, 3, 2*h + 1, w]", "float32[N, 3, 7, 8]", "CNN031"),
        ("float32[B, 3, 2*h, 2*w]", "float32[N, 3, H, 8]", "CNN031"),
        ("float32[B, 3, 2*h, 2*w]", "float32[N, 3, 4*H, 8]", None),
        ("float32[B, 3, 8]", "float32[N, 3, 8, 8]", "CNN030"),
        ("float64[B, 3, 8, 8]", "float32[N, 3, 8, 8]", "CNN037"),
        ("float32[B, 4, 8, 8]", "float32[N, 3, 8, 8]", "CNN031"),
    ],
)
def test_inputs_of_a_model_used_as_a_block(declared: str, given: str, code: str | None) -> None:
    text = f"model I {{ input t: {declared}\noutput t -> relu }}\nmodel M {{ input x: {given}\noutput x -> I }}"
    if code is None:
        assert loads(text, model="M").graph.nodes[0].path == "I1.relu1"
    else:
        main = f"model I {{ input t: {declared}\noutput t -> relu }}\nmodel M {{ input x: {given}\noutput x -> I }}"
        with pytest.raises(Exception, match=code):
            loads(main, model="M")


def test_a_model_used_as_a_block_needs_all_its_inputs() -> None:
    text = INNER + "model M { input x: float32[N, 3, 8, 8]\na, b, c = x -> Two\noutput a }"
    with pytest.raises(Exception, match=r"takes 2 input tensors \(a, b\), and 1 are given"):
        loads(text, model="M")


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ("model K = Nothing(3)", "there is no model called `Nothing`"),
        ("model K = B(3)", "`B` is a block, and a configuration is one of a model"),
        ("model K = A(dpth = 3)", "`A` has no parameter `dpth`"),
        ("model K = A(1, relu, 3)", "`A` has 2 parameters"),
        ("model K = A(1, depth = 2)", "`depth` is given twice"),
        ('model K = A("1")', 'an int, not the string "1"'),
        ("model K = A(f)", "an int, not the function `f`"),
    ],
)
def test_configurations_that_cannot_be(configuration: str, message: str) -> None:
    text = f"""
    model A(depth: int, act: stage = relu) {{ input x: float32[N, 3]
        output x -> linear(depth) -> act }}
    block B(x: tensor) {{ return x }}
    let f(v) = v
    {configuration}
    """
    with pytest.raises(Exception, match="CNN0") as caught:
        loads(text, model="K")
    assert message in str(caught.value)


def test_configurations_take_stages_and_words_and_keep_their_documentation() -> None:
    text = """
    ## The base.
    model A(act: stage, pad: string = "x", n: int = 2) { input x: float32[N, 3, 8, 8]
        output x -> conv(n, 3x3, pad = pad) -> act }
    model K = A([relu -> 2 * tanh], pad = same)
    ## Its own.
    model L = K(act = leaky_relu(0.3), n = 5)
    """
    module = loads(text, model="K")
    assert [node.path for node in module.graph.nodes] == ["conv1", "act1.0", "act1.1", "act1.2"]
    assert module.doc == "The base."
    assert loads(text, model="L").doc == "Its own."
    assert loads(text, model="L", settings={"n": 7}).graph.nodes[0].attrs.filters == 7


def test_a_model_needs_its_parameters() -> None:
    text = "model A(n: int) { input x: float32[N, 3]\noutput x -> linear(n) }"
    (found,) = errors(text)
    assert (found.code, found.hint) == ("CNN041", "give it one: model A = A(n = …), or --set n=…")


def test_symbols_and_bounds() -> None:
    inputs = "input x: float32[N, C + 1, 2*h + 1, W > 7]\ninput z: float32[N, 4, h, W >= 12]"
    assert str(value_of("x.height + x.width", inputs=inputs)) == "W + 2*h + 1"
    assert value_of("x.width >= 12 and z.width >= 12", inputs=inputs) is True


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ("input x: float32[N, 3]\ninput x: float32[N, 3]", "CNN023"),
        ("input x: float[N, 3]", "CNN056"),
        ("input x: float32[N, 2*h >= 4]", "CNN056"),
        ("input x: float32[N, 0]", "CNN035"),
        ("input x: float32[N, h - 1]", "CNN035"),
        ("input x: float32[N, 1.5]", "CNN056"),
        ("input x: float32[N, h >= 1.5]", "CNN040"),
        ("input x: float32[N, 3, 8, 8] as picture(8)", "CNN042"),
        ("input x: float32[N, 3, 8, 8] as picture(colour = 8)", "CNN022"),
        ("input x: float32[N, 3, 8, 8] as picture(size = 9)", "CNN056"),
        ("input x: float32[N, 3, 8, 8] as picture(size = [8])", "CNN040"),
        ("input x: float32[N, 3, 8, 8] as picture(mean = [1, 2])", "CNN040"),
        ("input x: float32[N, 3, 8, 8] as picture(std = 0)", "CNN040"),
        ("input x: float32[N, 3, 8, 8] as picture(crop = 1.5)", "CNN040"),
        ("input x: float32[N, 3, 8, 8] as picture(scale = 0)", "CNN040"),
        ("input x: float32[N, 3, 8, 8] as picture(invert = 1)", "CNN040"),
        ("input x: float32[N, 2, 8, 8] as picture(size = 8)", "CNN056"),
        ("input x: float32[N, 3, 8] as picture(size = 8)", "CNN056"),
    ],
)
def test_inputs_that_cannot_be(inputs: str, code: str) -> None:
    assert code in codes("output y = 1.0 * x", inputs=inputs)


def test_pictures() -> None:
    prepared = "picture(size = [8, 16], mean = [0, 0.5, 1], std = 2, crop = 0.5, scale = 1, invert = true)"
    inputs = f"input x: float32[N, 3, 8*h, 8*w] as {prepared}"
    (given,) = network("output x", inputs=inputs).graph.inputs
    assert given.picture == Picture((8, 16), (0.0, 0.5, 1.0), (2.0, 2.0, 2.0), 0.5, 1.0, True)


def test_outputs_in_loops_and_branches() -> None:
    body = """
    for i, c in [4, 5] {
        if i == 1 { output "extra{i}" = x -> conv(c, 1x1) }
        output "p{i}" = x -> "q{i}": conv(c, 1x1), x -> "z{i}": relu
    }
    output x -> fc: conv(1, 1x1) -> relu, x, x -> tanh
    """
    assert list(outputs(network(body))) == ["p0", "z0", "extra1", "p1", "z1", "fc", "x", "output"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("output x -> relu, x -> tanh", "two outputs are called `output`"),
        ('for i in 0..2 { output "p" = x }', "two outputs are called `p`"),
        ('output "a b" = x', '"a b" is not a label'),
        ("output [x]", "an output is a tensor, not a list of 1"),
        ("y = x", "the model `Net` has no output"),
        ("return x", "a model has `output`, not `return`"),
        ("a, b = x\noutput x", "2 names need a list of 2, not a tensor float32[N, 3, 8, 8]"),
        ("a, b = x, x, x\noutput x", "2 names cannot take 3 values"),
        ("output x -> B", "the block `B` has no return"),
        ("output x -> C", "only a model has outputs"),
        ("output x -> E(3.5, w = 1)", "`E` has no parameter `w`"),
        ("output x -> E(1, k = 1)", "`k` is given twice"),
        ("output x -> E(k = 1, k = 2)", "`k` is given twice"),
        ("output x -> E", "`E` needs its parameter `k: float`"),
        ("output x -> E(1, 2)", "`E` takes at most 1 argument here, and 2 are given"),
        ("output [x] -> E(1)", "`E` takes no list on the left of `->`"),
        ("output x -> G(1)", "`whole` is not a type of parameter"),
        ("output E(3, x)", "`x` takes a tensor, not the integer 3"),
        ("output x -> conv(x.channels, 1x1, init = constant)", "`constant` needs its value: init = constant(0.1)"),
        ("output x -> conv(1, 1x1, init = normal(1, 2))", "`normal` takes one number"),
        ("output x -> conv(1, 1x1, init = normal(0))", "`normal` takes a value above 0, not 0.0"),
        ("output x -> conv(relu, 1x1)", "`filters` takes an integer, not a stage"),
    ],
)
def test_bodies_that_cannot_be(body: str, message: str) -> None:
    blocks = {
        "B": "block B(x: tensor) { y = x }",
        "C": "block C(x: tensor) { output x }",
        "E": "block E(x: tensor, k: float) { return k * x }",
        "G": "block G(x: tensor, k: whole) { return x }",
    }
    used = [text for name, text in blocks.items() if re.search(rf"\b{name}\b", body)]
    assert messages(body, "\n".join(used))[0] == message


def test_a_parameter_without_a_type_takes_anything() -> None:
    before = "block E(x, k) { return k * x }"
    assert [node.path for node in network("output x -> E(2) -> E(k = 3)", before).graph.nodes] == ["E1.mul1", "E2.mul1"]


def test_every_application_is_found() -> None:
    before = "block I(x: tensor) { return x -> relu }\nblock O(x: tensor, f: stage) { return x -> I -> f }"
    module = network("layer t = I\noutput x -> O(I) -> t -> t", before)
    assert [application.path for application in module.applications()] == ["", "O1", "O1.I1", "O1.f1", "t", "t"]
