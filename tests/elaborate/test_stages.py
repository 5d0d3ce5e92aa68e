"""Stages: groups, repeats, stages as arguments, shared layers, functions that apply layers, and defaults around them."""

from __future__ import annotations

import pytest

from convspec.elaborate import loads
from tests.elaborate.helpers import codes, errors, messages, network, outputs, paths, weights

BLOCK = "block B(x: tensor, n: int = 3) { return x -> a: conv(n, 1x1) -> relu }\n"
UNIT = "block U(x: tensor, f: stage = B) { return x -> f -> g: f -> h: 2 * f }\n"


def test_labels_in_blocks_in_loops_in_labelled_groups() -> None:
    body = """
    for i in 0..2 {
        x = x -> "s{i + 1}": ["b{i}.{2 * i}": B(4) -> 2 * B(3) -> [relu -> t: tanh] -> q: [relu]]
    }
    output x
    """
    assert paths(network(body, BLOCK)) == [
        *("s1.b0.0.a", "s1.b0.0.relu1", "s1.1.a", "s1.1.relu1", "s1.2.a", "s1.2.relu1", "s1.3", "s1.t", "s1.q.0"),
        *("s2.b1.2.a", "s2.b1.2.relu1", "s2.1.a", "s2.1.relu1", "s2.2.a", "s2.2.relu1", "s2.3", "s2.t", "s2.q.0"),
    ]


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ("f: [relu -> 2 * [tanh -> relu] -> tanh]", ["f.0", "f.1", "f.2", "f.3", "f.4", "f.5"]),
        ("f: [relu -> g: 2 * [tanh -> relu] -> tanh]", ["f.0", "f.g.0.0", "f.g.0.1", "f.g.1.0", "f.g.1.1", "f.2"]),
        ("f: [h: 2 * B]", ["f.h.0.a", "f.h.0.relu1", "f.h.1.a", "f.h.1.relu1"]),
        ("2 * [2 * relu]", ["relu1.0.0", "relu1.0.1", "relu1.1.0", "relu1.1.1"]),
        ("a: 2 * [2 * relu -> b: 2 * tanh]", [f"a.{i}.{j}" for i in "01" for j in ("0", "1", "b.0", "b.1")]),
        ("a: 1 * [relu]", ["a.0.0"]),
        ("a: (3 - 3) * [relu] -> last: relu", ["last"]),
        ("x.channels * relu", ["relu1.0", "relu1.1", "relu1.2"]),
        ("l: 2 * [a: relu -> b: tanh]", ["l.0.a", "l.0.b", "l.1.a", "l.1.b"]),
        ('"a-b.0.c_d": relu', ["a-b.0.c_d"]),
    ],
)
def test_names_of_groups_and_repeats(pipeline: str, expected: list[str]) -> None:
    assert paths(network(f"output x -> {pipeline}", BLOCK)) == expected


def test_a_count_may_be_an_element_of_a_list() -> None:
    assert paths(network("ns = [1, 2]\noutput x -> a: ns[1] * relu")) == ["a.0", "a.1"]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("", ["u.f1.a", "u.f1.relu1", "u.g.a", "u.g.relu1", "u.h.0.a", "u.h.0.relu1", "u.h.1.a", "u.h.1.relu1"]),
        ("f = tanh", ["u.f1", "u.g", "u.h.0", "u.h.1"]),
        ("f = leaky_relu(0.3)", ["u.f1", "u.g", "u.h.0", "u.h.1"]),
        ("leaky_relu", ["u.f1", "u.g", "u.h.0", "u.h.1"]),
        ("f = norm", ["u.f1", "u.g", "u.h.0", "u.h.1"]),
        ("f = if x.channels == 4 then B else silu", ["u.f1", "u.g", "u.h.0", "u.h.1"]),
        ("f = [2 * tanh]", [f"u.{level}.{i}" for level in ("f1", "g", "h.0", "h.1") for i in (0, 1)]),
        ("f = [[relu] -> tanh]", [f"u.{level}.{i}" for level in ("f1", "g", "h.0", "h.1") for i in (0, 1)]),
        ("f = [k: 1 * relu -> tanh]", [f"u.{level}.{i}" for level in ("f1", "g", "h.0", "h.1") for i in ("k.0", 1)]),
        ('f = ["k{1}.a": B -> tanh]', [f"u.{u}.{i}" for u in ("f1", "g", "h.0", "h.1") for i in ("k1.a.a", "k1.a.relu1", 1)]),
        ("f = double", ["u.f1.mul1", "u.g.mul1", "u.h.0.mul1", "u.h.1.mul1"]),
    ],
)
def test_stages_as_arguments(argument: str, expected: list[str]) -> None:
    body = f"norm = if true then tanh else relu\nlet double(t) = 2 * t\noutput x -> u: U({argument})"
    assert paths(network(body, BLOCK + UNIT)) == expected


def test_a_stage_may_be_bound_to_a_block_first() -> None:
    assert paths(network("f = B\noutput x -> u: U(f) -> f", BLOCK + UNIT))[-2:] == ["f1.a", "f1.relu1"]


def test_stages_in_lists() -> None:
    assert paths(network("for i, act in [relu, tanh, B] { x = x -> act }\noutput x", BLOCK)) == [
        *("act1.0", "act1.1", "act1.2.a", "act1.2.relu1"),
    ]


def test_a_layer_passed_through_a_group_and_a_stage_keeps_its_weights() -> None:
    body = "layer f = conv(3, 1x1)\noutput x -> U(f) -> U(f = [f -> f]) -> k: [relu -> f -> tanh] -> f"
    module = network(body, BLOCK + UNIT)
    assert list(weights(module)) == ["f.weight", "f.bias"]
    assert sum(node.op.name == "conv" for node in module.graph.nodes) == 4 + 8 + 2
    assert [path for path in paths(module) if path != "f"] == ["k.0", "k.2"]


def test_layers_hold_blocks_groups_and_batch_norm() -> None:
    body = """
    layer t = B(4)
    layer s = [conv(3, 1x1) -> batchnorm]
    layer u = "enc.u": batchnorm
    a = x -> s -> s -> u -> t
    b = x -> u -> t
    for i in 0..2 {
        layer q = conv(4, 1x1)
        a = a -> q -> q
    }
    output a, b
    """
    names = [name for name in weights(network(body, BLOCK)) if name.endswith(("weight", "running_var"))]
    assert names == [
        *("s.0.weight", "s.1.weight", "s.1.running_var", "enc.u.weight", "enc.u.running_var", "t.a.weight"),
        *("q.0.weight", "q.1.weight"),
    ]


def test_layers_inside_blocks_are_shared_within_one_use() -> None:
    before = "block C(x: tensor) { layer c = conv(3, 1x1)\nreturn x -> c -> relu -> c }"
    assert list(weights(network("output x -> C -> C", before))) == ["C1.c.weight", "C1.c.bias", "C2.c.weight", "C2.c.bias"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("layer t = relu\noutput x -> a: t", "CNN057"),
        ("layer t = 2 * relu\noutput x -> t", "CNN057"),
        ("layer t = relu\noutput x -> t()", "CNN042"),
        ("output x -> (0 - 1) * relu", "CNN045"),
        ("output x -> (1.5) * relu", "CNN040"),
        ("output x -> relu * x", "CNN003"),
        ("output x -> 2 * [a: relu]", "CNN050"),
        ("output x -> a: len", "CNN052"),
        ("let f(t) = 3\ny = x -> a: f\noutput x", "CNN052"),
        ("output x -> U(f = [])", "CNN040"),
        ("output x -> U(f = [x -> relu, relu])", "CNN040"),
        ("output x -> U(f = [1 -> relu])", "CNN040"),
        ("output x -> U(f = 3)", "CNN040"),
        ("y = [a: relu -> tanh]\noutput x", "CNN040"),
        ("output x -> U(f = conv(3, 1x1) -> relu)", "CNN040"),
        ("k = 3\noutput x -> k", "CNN021"),
        ("y = relu\noutput y", "CNN048"),
        ("output x + relu", "CNN048"),
    ],
)
def test_stages_that_cannot_be(body: str, code: str) -> None:
    assert codes(body, BLOCK + UNIT) == [code]


def test_repeats_and_loops_are_told_apart_where_a_label_comes_twice() -> None:
    def hint(body: str) -> str | None:
        return errors(f"model M {{ input x: float32[N, 3]\n{body}\noutput x }}")[0].hint

    assert hint("for k in 0..2 { x = x -> a: relu }") == 'put the turn of the loop into the label: "a{k}"'
    assert (
        hint("x = x -> 2 * [a: relu]") == "number the turns: for i, x in xs, or a label on the repeat: stem: n * [conv(8, 3x3)]"
    )


def test_defaults_are_lexical() -> None:
    before = """
    let early(t) = t -> conv(1, 1x1)
    default conv(bias = false)
    let late(t) = t -> conv(1, 1x1)
    block Inner(x: tensor, f: stage) { return x -> conv(1, 1x1) -> f }
    default conv(bias = true, pad = same)
    """
    body = """
    a = x -> a1: early -> a2: late -> a3: conv(1, 3x3)
    if true {
        default conv(bias = false, stride = 2)
        a = a -> a4: conv(1, 3x3) -> a5: Inner(conv(1, 3x3)) -> a6: conv(1, 1x1, bias = true)
    }
    output a -> a7: conv(1, 3x3)
    """
    module = network(body, before)
    assert {node.path: (node.attrs.bias, node.attrs.stride[0]) for node in module.graph.nodes} == {
        "a1.conv1": (True, 1),
        "a2.conv1": (False, 1),
        "a3": (True, 1),
        "a4": (False, 2),
        "a5.conv1": (False, 1),
        "a5.f1": (False, 2),
        "a6": (True, 2),
        "a7": (True, 1),
    }
    assert outputs(module) == {"a7": "float32[N, 1, 1, 1]"}


def test_defaults_take_words_and_constants() -> None:
    module = network("for i in 0..1 { default conv(pad = same, stride = S)\nx = x -> conv(1, 3x3) }\noutput x", "let S = 2")
    assert outputs(module) == {"x": "float32[N, 1, 4, 4]"}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("default B(n = 3)", "`default` takes a layer, and `B` is none"),
        ("default conv(3)", "a `default` names its parameters"),
        ("default conv(bais = false)", "`conv` has no parameter `bais`"),
    ],
)
def test_defaults_that_cannot_be(statement: str, message: str) -> None:
    assert messages(f"{statement}\noutput x", BLOCK) == [message]
    assert messages("output x", BLOCK + statement) == [message]


def test_words_by_position_and_in_unused_blocks() -> None:
    before = "block P(x: tensor, m: string = same) { return x -> conv(3, 3x3, pad = m) }\n"
    unused = "block Q(x: tensor) { default conv(pad = same)\nreturn x -> P(same) -> P(if true then same else same) }\n"
    assert outputs(network("output x -> P(same) -> P(m = same)", before + unused)) == {"output": "float32[N, 3, 8, 8]"}


def test_an_assertion_applies_no_layers() -> None:
    assert codes("assert (x -> relu).channels == 3\noutput x") == ["CNN007"]
    module = network("output x\nassert params < (x -> conv(3, 1x1)).channels")
    with pytest.raises(Exception, match="CNN007"):
        module.asserts[0].evaluate(module.asserts[0].statement.condition, {"params": 0})


def test_settings_may_name_a_block() -> None:
    text = BLOCK + "model M(act: stage = relu) { input x: float32[N, 3, 8, 8]\noutput x -> act }"
    assert paths(loads(text, settings={"act": "B"})) == ["act1.a", "act1.relu1"]


def test_operators_in_functions_that_are_passed_on() -> None:
    before = "let gate(a, b) = a * b\nlet twice(t) = gate(t, t) -> relu\n"
    assert paths(network("output x -> twice", before)) == ["twice1.gate1.mul1", "twice1.relu1"]
