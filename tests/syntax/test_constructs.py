"""Every construct of the language and the tree that it becomes."""

from __future__ import annotations

import pytest

from convspec.syntax import ast
from tests.syntax.helpers import expression, file, short, statements

EXPRESSIONS = {
    # literals
    "64": "64",
    "1_000": "1000",
    "5M": "5000000",
    "4.2G": "4200000000",
    "0.5": "0.5",
    "1e-3": "0.001",
    "true": "true",
    "3x3": "3x3",
    "1x7x7": "1x7x7",
    "0x3": "0x3",
    '"same"': '"same"',
    # precedence
    "a + b * c": "(+ a (* b c))",
    "a - b - c": "(- (- a b) c)",
    "a / b // c % d": "(% (// (/ a b) c) d)",
    "-a ** 2": "(- (** a 2))",
    "2 ** -1": "(** 2 (- 1))",
    "2 ** 3 ** 2": "(** 2 (** 3 2))",
    "- - a": "(- (- a))",
    "a - -b": "(- a (- b))",
    "(a + b) * c": "(* (+ a b) c)",
    "a + 1..b * 2": "(.. (+ a 1) (* b 2))",
    "a + 1 == b * 2": "(== (+ a 1) (* b 2))",
    "not a == b": "(not (== a b))",
    "not not a": "(not (not a))",
    "a or b and not c or d": "(or (or a (and b (not c))) d)",
    "a < b and c >= d": "(and (< a b) (>= c d))",
    "if a then b else c": "(if a b c)",
    "if a or b then c + 1 else if d then e else f": "(if (or a b) (+ c 1) (if d e f))",
    # postfix
    "x.channels // 4": "(// (. x channels) 4)",
    "x.shape[0].y": "(. (index (. x shape) 0) y)",
    "xs[-1]": "(index xs (- 1))",
    "xs[a..b]": "(slice xs a b)",
    "xs[a + 1..]": "(slice xs (+ a 1) _)",
    "xs[..-1]": "(slice xs _ (- 1))",
    "xs[..]": "(slice xs _ _)",
    "[1, 2][0]": "(index [1, 2] 0)",
    # lists
    "[]": "[]",
    '[1, [2, "a"], 3x3,]': '[1, [2, "a"], 3x3]',
    "[i * 2 for i in 0..n]": "[(* i 2) for i in (.. 0 n)]",
    "[k for i, [k, s] in rows]": "[k for i, [k, s] in rows]",
    # calls
    "f()": "f()",
    "concat(a, b,)": "concat(a, b)",
    "g(x, by = 8)": "g(x, by=8)",
    "max(len(xs), 1)": "max(len(xs), 1)",
    # pipelines
    "x -> relu": "<x -> relu>",
    "a + b -> relu": "<(+ a b) -> relu>",
    "if c then a else b -> relu": "<(if c a b) -> relu>",
    "(x -> relu) * y": "(* <x -> relu> y)",
    "(x -> relu) -> tanh": "<<x -> relu> -> tanh>",
    "x -> conv(64, 3x3, stride = s, pad = same) -> relu()": "<x -> conv(64, 3x3, stride=s, pad=same) -> relu()>",
    "x -> conv1: conv(8, 1x1) -> bn1: batchnorm": '<x -> "conv1": conv(8, 1x1) -> "bn1": batchnorm>',
    'x -> "layer{i + 1}.{j}": B(64)': '<x -> "layer{(+ i 1)}.{j}": B(64)>',
    "x -> 3 * B(64)": "<x -> 3 * B(64)>",
    "x -> layer1: 3 * B": '<x -> "layer1": 3 * B>',
    "x -> n * B -> depths[0] * B -> cfg.n * B -> (n - 1) * B": (
        "<x -> n * B -> (index depths 0) * B -> (. cfg n) * B -> (- n 1) * B>"
    ),
    "x -> [a -> l: b] -> 2 * [c]": '<x -> [a -> "l": b] -> 2 * [c]>',
    "x -> features: [conv(8, 3x3) -> 2 * [relu]]": '<x -> "features": [conv(8, 3x3) -> 2 * [relu]]>',
    "concat(x -> f, x -> g) -> h": "<concat(<x -> f>, <x -> g>) -> h>",
    "x -> f(act = leaky_relu(0.1), norm = batchnorm)": "<x -> f(act=leaky_relu(0.1), norm=batchnorm)>",
}

STATEMENTS = {
    "input a: float32[N, 3, 32*h, W >= 75]": "input a: float32[N, 3, (* 32 h), (>= W 75)]",
    "input a: int64[N,] as picture(size = 224,)": "input a: int64[N] as picture(size=224)",
    "output a, b": "output a, b",
    "output logits = x -> f, y": 'output "logits" = <x -> f>, y',
    'output "p{i}" = x': 'output "p{i}" = x',
    "return a, b -> relu": "return a, <b -> relu>",
    "a = b": "a = b",
    "a, b = x -> split(2)": "a, b = <x -> split(2)>",
    "a, b = b, a": "a, b = b, a",
    "for x in xs { }": "for x in xs {  }",
    "for i, x in xs { y = x }": "for i, x in xs { y = x }",
    "for i, [k, out,] in rows { }": "for i, [k, out] in rows {  }",
    "for [k, out] in rows { }": "for [k, out] in rows {  }",
    "for i in 0..n { for j in 0..i { } }": "for i in (.. 0 n) { for j in (.. 0 i) {  } }",
    "if a { } else if b { } else { c = 1 }": "if a {  } else { if b {  } else { c = 1 } }",
    "if a > 1 or b { c = 1 }": "if (or (> a 1) b) { c = 1 }",
    "assert params < 62M": "assert (< params 62000000)",
    'assert macs(N = 1) < 4.2G, "too slow"': 'assert (< macs(N=1) 4200000000), "too slow"',
    "default conv(bias = false)": "default conv(bias=false)",
    "layer tower = Tower(64)": "layer tower = Tower(64)",
    'layer t = "a.b": [f -> g]': 'layer t = "a.b": [f -> g]',
    "let n = 3": "let n = 3",
    "let f(a, b = 8) = a + b": "let f(a, b = 8) = (+ a b)",
    "let f() = 3": "let f() = 3",
}

ITEMS = {
    'use A from "a.cnn"': 'use A from "a.cnn"',
    'use A, B, from "blocks/a.cnn"': 'use A, B from "blocks/a.cnn"',
    "let X = 3": "let X = 3",
    "default conv(bias = false)": "default conv(bias=false)",
    "block B(x: tensor) { return x }": "block B(x: tensor) { return x }",
    "block B(x: tensor, s: int = x.channels // 4, act: stage = relu, y) { }": (
        "block B(x: tensor, s: int = (// (. x channels) 4), act: stage = relu, y) {  }"
    ),
    "block B() { }": "block B() {  }",
    "model M { }": "model M() {  }",
    "model M(n: int = 3,) { }": "model M(n: int = 3) {  }",
    "model A = B([3, 4], n = 2)": "model A = B([3, 4], n=2)",
    "model A = B()": "model A = B()",
}


@pytest.mark.parametrize(("text", "tree"), EXPRESSIONS.items())
def test_expression(text: str, tree: str) -> None:
    assert short(expression(text)) == tree


@pytest.mark.parametrize(("text", "tree"), STATEMENTS.items())
def test_statement(text: str, tree: str) -> None:
    (statement,) = statements(text)
    assert short(statement) == tree


@pytest.mark.parametrize(("text", "tree"), ITEMS.items())
def test_item(text: str, tree: str) -> None:
    (item,) = file(text).items
    assert short(item) == tree


def test_statements_need_no_newline() -> None:
    found = statements("a = b c = d -> f e, g = h output a if b { c = 3 } let i = 1 return a")
    assert [type(statement).__name__ for statement in found] == ["Assign", "Assign", "Assign", "Output", "If", "Let", "Return"]


def test_newlines_mean_nothing() -> None:
    assert [short(s) for s in statements("a\n=\nb\n->\nf(\n1\n,\n)\n\nc = 2")] == ["a = <b -> f(1)>", "c = 2"]


def test_language() -> None:
    assert file("language 1\nlet A = 3").language == 1
    assert file("let A = 3").language is None


def test_keywords_are_whole_words() -> None:
    """`inputs`, `iffy`, `notx` are names."""
    assert short(expression("inputs + iffy * notx - thenx")) == "(- (+ inputs (* iffy notx)) thenx)"
    assert short(expression("not(a)")) == "(not a)"


def test_a_bare_stage_is_told_from_a_call_without_arguments() -> None:
    pipeline = expression("x -> f -> g()")
    assert isinstance(pipeline, ast.Pipeline)
    bodies = [stage.body for stage in pipeline.stages]
    assert [isinstance(body, ast.StageCall) and body.parenthesised for body in bodies] == [False, True]


def test_adjacent_text_of_a_string_is_one_part() -> None:
    string = expression(r'"a{{b}}\n\t\"\\{n}c"')
    assert isinstance(string, ast.StrLit)
    assert [part if isinstance(part, str) else short(part) for part in string.parts] == ['a{b}\n\t"\\', "n", "c"]


def test_an_empty_string_has_no_parts() -> None:
    string = expression('""')
    assert isinstance(string, ast.StrLit)
    assert string.parts == ()
