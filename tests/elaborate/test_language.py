"""Values, control, blocks and functions, as language.md describes them."""

from __future__ import annotations

from typing import Any

import pytest

from convspec.elaborate import loads
from convspec.limits import Limits
from tests.elaborate.helpers import codes, errors, network, outputs, paths, value_of, weights


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("7 % 4", 3),
        ("6 / 3", 2),
        ("6 / 4.0", 1.5),
        ("5M", 5_000_000),
        ("1_000", 1000),
        ("3x5", (3, 5)),
        ("0..4", [0, 1, 2, 3]),
        ("[1, 2][-1]", 2),
        ("[1, 2, 3, 4][1..3]", [2, 3]),
        ("[1, 2, 3][..2]", [1, 2]),
        ("[1] + [2, 3]", [1, 2, 3]),
        ("[2 * i for i in 0..3]", [0, 2, 4]),
        ("[i + v for i, v in [5, 6]]", [5, 7]),
        ("[a * b for i, [a, b] in [[2, 3], [4, 5]]]", [6, 20]),
        ("if 1 < 2 then 3 else 1 / 0", 3),
        ("true or 1 / 0 == 1", True),
        ("not (1 == 2) and 2 >= 2", True),
        ('"a{1 + 1}b{{}}"', "a2b{}"),
        ('len([1, 2]) + len("abc")', 5),
        ("min(3, 1) + max([4, 9])", 10),
        ("sum([1, 2, 3])", 6),
        ("ceil(1.2) + floor(1.8) + round(2.5) + int(3.9)", 8),
        ("sqrt(16)", 4.0),
        ("log2(8)", 3.0),
        ("abs(-3)", 3),
        ("zip([1, 2], [3, 4])", [[1, 3], [2, 4]]),
        ("reversed(0..3)", [2, 1, 0]),
        ("x.channels", 3),
        ("x.height + x.width", 16),
        ("[1, 2] == [1, 2]", True),
        ("1 == 1.0", True),
        ('"a" == "b"', False),
    ],
)
def test_expressions(expression: str, value: Any) -> None:
    result = value_of(expression)
    assert result == value
    assert type(result) is type(value) or isinstance(result, tuple)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("7 / 2", "CNN043"),
        ("1 / 0", "CNN043"),
        ("2 ** -1", "CNN043"),
        ("2 ** 64", "CNN064"),
        ("9223372036854775807 + 1", "CNN064"),
        ("10 ** 10 ** 10", "CNN064"),
        ("sqrt(-1)", "CNN043"),
        ("[1, 2][2]", "CNN044"),
        ("1 + true", "CNN040"),
        ('1 + "a"', "CNN040"),
        ("if 1 then 2 else 3", "CNN040"),
        ("nothing + 1", "CNN020"),
        ("x.colour", "CNN025"),
        ("x.length", "CNN030"),
        ("0..1000000000", "CNN061"),
        ("len(3)", "CNN040"),
        ("min([])", "CNN041"),
        ('1 < "a"', "CNN040"),
    ],
)
def test_expressions_without_a_value(expression: str, code: str) -> None:
    assert codes(f"v = {expression}\noutput x -> relu") == [code]


def test_constants_and_functions() -> None:
    before = "let WIDTHS = [4, 8]\nlet divisible(v, by = 8) = (v + by - 1) // by * by"
    assert value_of("divisible(WIDTHS[0]) + divisible(9, 4)", before) == 8 + 12


def test_a_function_may_be_piped_into() -> None:
    assert value_of("3 + twice(4)", "let twice(v) = 2 * v") == 11
    module = network("output x -> scaled(2.0) -> s: scaled(3.0)", "let scaled(t, k) = t * k")
    assert paths(module) == ["scaled1.mul1", "s.mul1"]


def test_default_is_lexical() -> None:
    before = """
    block Before(x: tensor) { return x -> conv(4, 1x1) }
    default conv(bias = false)
    block After(x: tensor) { return x -> conv(4, 1x1) -> c: conv(4, 1x1, bias = true) }
    """
    module = network("if true { default conv(bias = true)\n y = x -> conv(2, 1x1) }\noutput y -> Before -> After", before)
    names = [name for name in weights(module) if name.endswith("bias")]
    assert names == ["conv1.bias", "Before1.conv1.bias", "After1.c.bias"]


def test_default_ends_with_its_body() -> None:
    module = network("if true { default conv(bias = false)\n x = x -> conv(2, 1x1) }\noutput x -> conv(2, 1x1)")
    assert [name for name in weights(module) if name.endswith("bias")] == ["conv2.bias"]


def test_parameters_take_defaults_from_earlier_ones() -> None:
    before = "block SE(x: tensor, squeeze: int = x.channels // 2) { return x -> conv(squeeze, 1x1) }"
    inputs = "input x: float32[N, 6, 8, 8]"
    assert weights(network("output x -> SE", before, inputs))["SE1.conv1.weight"] == (3, 6, 1, 1)


def test_further_tensors_follow_the_piped_one() -> None:
    before = "block Fuse(a: tensor, b: tensor, width: int) { return concat(a, b) -> conv(width, 1x1) }"
    module = network("y = x -> relu\noutput x -> Fuse(y, 5)", before)
    assert outputs(module) == {"output": "float32[N, 5, 8, 8]"}


def test_blocks_take_and_return_lists() -> None:
    before = """
    block Pyramid(x: tensor, n: int) { ys = []
      for i in 0..n { x = x -> maxpool(2)
        ys = ys + [x] }
      return ys }
    block Join(xs: list) { return concat(xs) }
    """
    module = network("ys = x -> Pyramid(2)\nz = ys[0..1] -> Join\noutput z", before)
    assert outputs(module) == {"z": "float32[N, 3, 4, 4]"}


def test_several_results_unpack() -> None:
    before = "block Two(x: tensor) { return x -> relu, x -> tanh }"
    module = network("a, b = x -> Two\noutput a, b", before)
    assert outputs(module) == {"a": "float32[N, 3, 8, 8]", "b": "float32[N, 3, 8, 8]"}
    module = network("a, b, c = x -> split(3)\noutput a, b, c")
    assert outputs(module)["c"] == "float32[N, 1, 8, 8]"


def test_stages_as_arguments() -> None:
    before = """
    block Unit(x: tensor, norm: stage = batchnorm, act: stage = leaky_relu(0.1)) {
        return x -> conv(3, 1x1) -> norm -> act -> bn2: norm
    }
    """
    module = network("output x -> a: Unit -> b: Unit(act = relu) -> c: Unit(norm = [conv(3, 1x1) -> tanh])", before)
    assert paths(module) == [
        *("a.conv1", "a.norm1", "a.act1", "a.bn2"),
        *("b.conv1", "b.norm1", "b.act1", "b.bn2"),
        *("c.conv1", "c.norm1.0", "c.norm1.1", "c.act1", "c.bn2.0", "c.bn2.1"),
    ]
    assert module.graph.nodes[2].attrs.slope == pytest.approx(0.1)
    assert module.graph.nodes[6].op.name == "relu"


def test_a_layer_shares_its_weights() -> None:
    before = "block Tower(x: tensor, n: int) { return x -> conv(n, 3x3) -> relu }"
    inputs = "input a: float32[N, 3, 8, 8]\ninput b: float32[N, 3, 9, 9]"
    module = network("layer tower = Tower(4)\np = a -> tower\nq = b -> tower\noutput p, q", before, inputs)
    assert list(weights(module)) == ["tower.conv1.weight", "tower.conv1.bias"]
    first, second = [node for node in module.graph.nodes if node.op.name == "conv"]
    assert first.params["weight"] is second.params["weight"]
    assert len({value.name for node in module.graph.nodes for value in node.outputs}) == 4


def test_a_layer_needs_inputs_that_agree() -> None:
    inputs = "input a: float32[N, 3, 8, 8]\ninput b: float32[N, 4, 8, 8]"
    assert codes("layer f = conv(4, 1x1)\np = a -> f\nq = b -> f\noutput p, q", inputs=inputs) == ["CNN053"]


def test_a_layer_passed_as_a_stage_shares() -> None:
    before = "block Use(x: tensor, f: stage) { return x -> f -> f }"
    module = network("layer f = conv(3, 1x1)\noutput x -> Use(f) -> f", before)
    assert list(weights(module)) == ["f.weight", "f.bias"]


def test_models_serve_as_blocks() -> None:
    text = """
    model Inner(n: int = 4) { input t: float32[B, 3, 2*h, 2*w]
      output t -> c: conv(n, 2x2, stride = 2) }
    model Inner8 = Inner(8)
    model Outer { input x: float32[N, 3, 8, 8]
      output a = x -> Inner
      output b = x -> second: Inner8 }
    """
    module = loads(text, model="Outer")
    assert outputs(module) == {"a": "float32[N, 4, 4, 4]", "b": "float32[N, 8, 4, 4]"}
    assert list(weights(module))[::2] == ["Inner1.c.weight", "second.c.weight"]


def test_a_model_as_a_block_checks_its_input() -> None:
    text = """
    model Inner { input t: float32[B, 3, 2*h, 2*w]
      output t -> relu }
    model Outer { input x: float32[N, 3, 7, 8]
      output x -> Inner }
    """
    with pytest.raises(Exception, match="7 is not a multiple of 2"):
        loads(text, model="Outer")


def test_output_names() -> None:
    module = network(
        'y = x -> relu\noutput y, x -> fc: relu -> tanh\noutput logits = x -> tanh\nfor i in 0..2 { output "p{i}" = x -> relu }'
    )
    assert list(outputs(module)) == ["y", "fc", "logits", "p0", "p1"]
    assert codes("y = x -> relu\noutput y\noutput y = x") == ["CNN054"]


def test_bare_words() -> None:
    before = "block B(x: tensor, mode: string = same) { return x -> conv(3, 3x3, pad = mode) }"
    module = network("output x -> B -> conv(3, 3x3, pad = same) -> B(mode = if true then same else same)", before)
    assert outputs(module) == {"output": "float32[N, 3, 8, 8]"}


def test_a_bound_name_wins_over_a_word() -> None:
    module = network("same = 0\noutput x -> conv(3, 3x3, pad = same)")
    assert outputs(module) == {"output": "float32[N, 3, 6, 6]"}


def test_a_value_does_not_hide_a_layer() -> None:
    assert outputs(network("pad = 1\noutput x -> pad(pad)")) == {"output": "float32[N, 3, 10, 10]"}


def test_symbolic_sizes() -> None:
    inputs = "input x: float32[N, 3, 32*h, W >= 16]"
    module = network("output x -> conv(4, 3x3, stride = 2, pad = 1)", inputs=inputs)
    assert outputs(module) == {"output": "float32[N, 4, 16*h, (W + 1) // 2]"}


def test_undecidable_conditions_are_errors() -> None:
    inputs = "input x: float32[N, 3, H >= 16, W]"
    assert codes("if x.height > 20 { x = x -> relu }\noutput x -> relu", inputs=inputs) == ["CNN034"]
    assert paths(network("if x.height >= 16 { x = x -> relu }\noutput x -> tanh", inputs=inputs)) == ["relu1", "tanh1"]


def test_settings_replace_parameters() -> None:
    text = "model A(n: int = 4) { input x: float32[N, 3, 8, 8]\n output x -> conv(n, 1x1) }"
    assert outputs(loads(text, settings={"n": 7})) == {"output": "float32[N, 7, 8, 8]"}
    assert [d.code for d in errors(text, settings={"m": 7})] == ["CNN022"]
    assert [d.code for d in errors(text, settings={"n": "seven"})] == ["CNN401"]


def test_several_independent_errors_are_reported_at_once() -> None:
    body = "a = x -> nope\nb = x -> conv(4, 9x9)\nc = a -> relu\nd = b + undefined\noutput c"
    # What only follows from `a` and `b` having failed is not reported.
    assert codes(body) == ["CNN021", "CNN032", "CNN020"]


def test_blocks_in_a_circle() -> None:
    blocks = "block A(x: tensor) { return x -> B }\nblock B(x: tensor) { return x -> A }\n"
    text = blocks + "model M { input x: float32[N, 3]\n output x -> A }"
    (found,) = errors(text)
    assert found.code == "CNN024"
    assert "A → B → A" in found.message


def test_forty_doublings_are_refused_before_they_are_built() -> None:
    chain = "\n".join(f"block B{i}(x: tensor) {{ return x -> B{i + 1} -> B{i + 1} }}" for i in range(40))
    text = chain + "\nblock B40(x: tensor) { return x -> relu }\nmodel M { input x: float32[N, 3]\n output x -> B0 }"
    assert [d.code for d in errors(text)] == ["CNN063"]


def test_limits_can_be_set() -> None:
    text = "model M { input x: float32[N, 3]\n output x -> 20 * relu }"
    assert [d.code for d in errors(text, limits=Limits(nodes=10))] == ["CNN060"]
    assert [d.code for d in errors(text, limits=Limits(steps=10))] == ["CNN063"]
    nested = "let f(v) = v\nmodel M { input x: float32[N, 3]\n y = f(f(f(1)))\n output x -> relu }"
    assert loads(nested, limits=Limits(depth=3)).graph.nodes


def test_a_frame_chain_leads_to_the_mistake() -> None:
    text = """
block Inner(x: tensor, k: int) { return x -> conv(4, k) }
model M { input x: float32[N, 3, 8, 8]
  for i in 0..3 { for j in 0..2 {
    y = x -> "b{i}.{j}": Inner(8 * i + 1)
  } }
  output y }
"""
    first = errors(text)[0]
    assert first.frames == ("in Inner, called at <text>:5 with i = 1, j = 0",)


def test_mistakes_in_branches_not_taken_and_blocks_not_used() -> None:
    text = """
block Unused(x: tensor, mode: string = same) { return x -> cnov(4, 3x3) -> conv(4, 3x3, strid = 2, pad = mode) }
model M(deep: bool = false, init: string = zeros) {
    input x: float32[N, 3, 8*h, 8]
    if deep { x = x -> batchnrm }
    y = [x -> conv(k, 1x1, init = zeros) for i, k in [1, 2]]
    if deep { y = y + [undefinde] }
    output concat(y) -> conv(h, 1x1, init = if deep then zeros else kaiming_normal)
}
"""
    found = errors(text.replace("conv(h,", "conv(2,"))
    assert [(d.code, d.primary.span.text) for d in found if d.primary] == [
        ("CNN021", "cnov"),
        ("CNN022", "strid"),
        ("CNN021", "batchnrm"),
        ("CNN020", "undefinde"),
    ]


def test_a_setting_may_name_a_stage() -> None:
    text = "model M(act: stage = relu) { input x: float32[N, 3]\n output x -> act }"
    assert loads(text, settings={"act": "tanh"}).graph.nodes[0].op.name == "tanh"
    assert [d.code for d in errors(text, settings={"act": "nothing"})] == ["CNN401"]
