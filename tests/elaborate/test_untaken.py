"""Mistakes that no elaboration reaches: in blocks that nothing uses, in branches not taken, behind another mistake."""

from __future__ import annotations

import pytest

from convspec.elaborate import loads
from tests.elaborate.helpers import errors

NET = "model Net {\n input x: float32[N, 3, 8, 8]\n output x -> relu\n}"


@pytest.mark.parametrize(
    ("block", "code", "message"),
    [
        ("B(x: tensor) { y = x }", "CNN055", "the block `B` has no return"),
        ("B(x: tensor) { output x }", "CNN007", "only a model has outputs"),
        ("B(x: tensor) { input z: float32[N, 3]\n return x }", "CNN007", "only a model has inputs"),
        ("B(x: tensor, k: whole) { return x }", "CNN040", "`whole` is not a type of parameter"),
        ("B(x: tensor, k: int = 2.5) { return x }", "CNN040", "`k` takes an int, not the float 2.5"),
        ('B(x: tensor) { return x -> "a b": relu }', "CNN052", '"a b" is not a label'),
        ("B(x: tensor, n: int) { return x -> conv(n, -1) }", "CNN045", "`kernel` must be at least 1, not -1"),
        ("B(x: tensor, n: int) { return conv(x, n, 3x3, stride = 0) }", "CNN045", "`stride` must be at least 1, not 0"),
        (
            "B(x: tensor, n: int) { return x -> conv(n, 3x3, bias = 1) }",
            "CNN040",
            "`bias` takes true or false, not the integer 1",
        ),
        ("B(x: tensor) { return x -> dropout(2) }", "CNN045", "`rate` must be below 1, not 2"),
        ("B(x: tensor) { return x -> softmax(axis = colour) }", "CNN047", None),
    ],
)
def test_certain_in_a_block_that_nothing_uses(block: str, code: str, message: str | None) -> None:
    (found,) = errors(f"block {block}\n{NET}")
    assert found.code == code
    assert message is None or found.message == message


@pytest.mark.parametrize(
    ("block", "use"),
    [
        ("B(x: tensor) { output x }", "B"),
        ("B(x: tensor, k: int = 2.5) { return x }", "B"),
        ('B(x: tensor) { return x -> "a b": relu }', "B"),
        ("B(x: tensor, n: int) { return x -> conv(n, -1) }", "B(4)"),
        ("B(x: tensor, n: int) { return x -> conv(n, 3x3, bias = 1) }", "B(4)"),
        ("B(x: tensor) { return x -> softmax(axis = colour) }", "B"),
        ("B(x: tensor) { return x -> conv(4, 3x3, pad = foo) }", "B"),
    ],
)
def test_used_or_not_it_is_the_same_error_told_once(block: str, use: str) -> None:
    (unused,) = errors(f"block {block}\n{NET}")
    (used,) = errors(f"block {block}\n{NET.replace('relu', use)}")
    assert (unused.code, unused.message, unused.hint) == (used.code, used.message, used.hint)
    assert unused.primary is not None
    assert used.primary is not None
    assert unused.primary.span.start == used.primary.span.start


def test_every_mistake_of_a_pipeline_is_told_in_one_run() -> None:
    found = errors(NET.replace("relu", "conv(8, 0x3) -> maxpool(2x2, stride = -1) -> dropout(1.5) -> linear(2.5)"))
    assert [(each.code, each.message.split("`")[1]) for each in found] == [
        ("CNN045", "kernel"),
        ("CNN045", "stride"),
        ("CNN045", "rate"),
        ("CNN040", "features"),
    ]


def test_branches_and_turns_that_do_not_happen() -> None:
    body = (
        "y = x\nif false { y = y -> conv(4, 3x3, stride = 0) }\nfor i in 0..0 { y = y -> conv(4, 3x3, groups = 0) }\noutput y"
    )
    found = errors(f"model Net {{\n input x: float32[N, 3, 8, 8]\n {body}\n}}")
    assert [each.message for each in found] == ["`stride` must be at least 1, not 0", "`groups` must be at least 1, not 0"]


@pytest.mark.parametrize(
    "block",
    [
        "B(x: tensor, k: int) { return x -> conv(k, k, pad = k - 9) }",
        "B(x: tensor, same: int) { return x -> conv(8, 3x3, pad = same) }",
        "B(x: tensor, xs: list) { return x -> conv(min([1, -2]) + 9, 3x3) }",
        "B(x, y: tensor = none, act: stage = relu, names: list = []) { return x -> act }",
        "B(x: tensor, n: int) { y = if n > 1 then x else -x\n return y }",
        "B(x: tensor, n: int) { y = x\n for i in 0..n { y = -y }\n return y }",
        'B(x: tensor, n: int) { return x -> "a {n}": relu }',
        "B(x: tensor, n: int) { return x -> A(conv(n, 3x3)) -> A(if n > 1 then conv(n, 2x2, stride = 2) else relu) }",
        "B(x: tensor, n: int) { return x -> A([conv(n, 3x3) -> relu]) -> A(act = conv(n, 1x1)) }",
        "B(x: tensor) { default conv(bias = false)\n return x -> conv(8, 3x3, pad = same) -> resize(2, mode = nearest) }",
        "relu6x(x: tensor, stride: int = 2) { return x -> clip(0, 6) -> leaky_relu(0.2) -> pad([[1, 0], [1, 0]]) }",
        'conv(x: tensor, stride: string) { return x }\nblock U(x: tensor) { return x -> conv(stride = "s") }',
    ],
)
def test_what_depends_on_arguments_is_left_alone(block: str) -> None:
    assert loads(f"block A(x: tensor, act: stage) {{ return x -> act }}\nblock {block}\n{NET}").graph.outputs
