"""Small specs that ask for far too much: each is refused where it asks, by counting, before anything large is made."""

from __future__ import annotations

import pytest

from convspec.elaborate import loads
from convspec.limits import Limits
from tests.elaborate.helpers import codes, errors, messages, network, paths


def _doubling(line: str, times: int = 60) -> str:
    return "\n".join([line] * times)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("for i in 0..1000000000 { x = x -> relu }", "CNN061"),
        ("x = x -> 1G * relu", "CNN061"),
        ("for i in 0..1000 { for j in 0..1000 { for k in 0..1000 { x = x -> relu } } }", "CNN060"),
        ("for i in 0..1000 { for j in 0..1000 { for k in 0..1000 { } } }", "CNN063"),
        ('for i in 0..1000 { for j in 0..1000 { x = x -> "a{i}.{j}": relu } }', "CNN060"),
        ("x = x -> 1000 * [1000 * [1000 * relu]]", "CNN060"),
        ("y = [[[k for k in 0..1000] for j in 0..1000] for i in 0..1000]", "CNN063"),
        ("y = [1]\n" + _doubling("y = y + y"), "CNN061"),
        ("y = [1]\n" + _doubling("y = [y, y]"), "CNN061"),
        ("y = [1]\nfor i in 0..1000 { y = [y] }", "CNN005"),
        ('y = "a"\n' + _doubling("y = y + y"), "CNN061"),
        ('y = "a"\n' + _doubling('y = "{y}{y}"'), "CNN061"),
        ('y = "a"\n' + _doubling('y = "{y}{y}"', 12) + '\nx = x -> "{y}": relu', "CNN052"),
        ("y = []\nfor i in 0..90000 { y = y + [i] }", "CNN063"),
        ("let xs = 0..100000\ny = [reversed(xs) for i in 0..100000]", "CNN063"),
        ("let xs = 0..100000\ny = [sum(xs) for i in 0..100000]", "CNN063"),
        ("let xs = 0..100000\ny = [xs[i..] for i in 0..100000]", "CNN063"),
        ("let xs = 0..60000\ny = [zip(xs, xs) for i in 0..5]", "CNN061"),
        ("y = x -> split(1G)", "CNN045"),
        ("for i in 0..60 { x = x -> upsample(10) }", "CNN064"),
    ],
)
def test_what_asks_for_too_much(body: str, code: str) -> None:
    assert codes(f"{body}\noutput x") == [code]


@pytest.mark.parametrize("arguments", [("n", "n"), ("n", "n + 1"), ("2 * n", "2 * n + 1")])
def test_blocks_that_double(arguments: tuple[str, str]) -> None:
    first, second = arguments
    blocks = "\n".join(
        f"block B{i}(x: tensor, n: int) {{ return x -> B{i + 1}({first}) -> B{i + 1}({second}) }}" for i in range(50)
    )
    assert codes("output x -> B0(0)", blocks + "\nblock B50(x: tensor, n: int) { return x -> relu }") == ["CNN063"]


def test_functions_that_double() -> None:
    functions = "\n".join(f"let f{i}(v) = f{i + 1}(v) + f{i + 1}(v)" for i in range(50)) + "\nlet f50(v) = v"
    assert codes("y = f0(1)\noutput x", functions) == ["CNN063"]


def test_counting_gives_what_building_gives() -> None:
    """A network of many steps, counted first, is the same as one that is not; turns that are alike are still all built."""
    body = """
    y = x
    for i in 0..40 { for j in 0..100 { y = y -> relu } }
    y = y -> 500 * tanh -> g: 3 * [conv(4, 1x1) -> 2 * relu]
    zs = [x -> sigmoid for k in 0..500]
    last = [k for k in 0..7][-1]
    for k in 0..500 { tail = k }
    output y -> conv(last + tail, 1x1), z = sum(zs)
    """
    found = network(body)
    assert len(found.graph.nodes) == 40 * 100 + 500 + 9 + 500 + 1 + 499
    assert found.graph.nodes[-500].attrs.filters == 6 + 499
    assert paths(found)[3999:4001] == ["relu1.39.99", "tanh1.0"]
    assert len(set(paths(found))) == len(found.graph.nodes)


def test_mistakes_after_many_steps_are_found() -> None:
    assert codes("for i in 0..5000 { x = x -> relu }\nfor i in 0..5000 { y = x -> conv(4 - i, 1x1) }\noutput x") == ["CNN045"]


def test_a_mistake_in_every_turn_is_told_once() -> None:
    assert messages("for i in 0..1000 { y = x -> conv(0 - i, 1x1) }\noutput x") == ["`filters` must be at least 1, not 0"]


def test_no_more_errors_than_the_limit() -> None:
    body = "\n".join(f"y{i} = nothing{i}" for i in range(30))
    text = f"model M {{ input x: float32[N, 3]\n{body}\noutput x }}"
    assert len(errors(text)) == 30
    assert len(errors(text, limits=Limits(errors=7))) == 7


def test_deep_functions_and_blocks() -> None:
    functions = "\n".join(f"let f{i}(v) = " + "max(1, " * 90 + f"f{i + 1}(v)" + ")" * 90 for i in range(60))
    assert network(f"y = f0(1)\noutput x -> {'[' * 60}relu{']' * 60}", functions + "\nlet f60(v) = v").graph.nodes
    chain = "\n".join(f"block B{i}(x: tensor) {{ return x -> B{i + 1} }}" for i in range(100))
    assert codes("output x -> B0", chain + "\nblock B100(x: tensor) { return x -> relu }") == ["CNN062"]


def test_long_chains_of_configurations() -> None:
    chain = "\n".join(f"model M{i} = M{i + 1}(n = {i + 1})" for i in range(200))
    text = chain + "\nmodel M200(n: int) { input x: float32[N, 3]\noutput x -> linear(n) }"
    assert loads(text, model="M0").graph.nodes[0].attrs.features == 1


def test_a_thousand_and_one_layers() -> None:
    module = network("for i in 0..1001 { x = x -> conv(3, 3x3, pad = 1) -> batchnorm -> relu }\noutput x")
    assert len(module.graph.nodes) == 3003


def test_budgets_are_charged_too() -> None:
    functions = "\n".join(f"let f{i}(v) = f{i + 1}(v) + f{i + 1}(v)" for i in range(50)) + "\nlet f50(v) = v"
    module = network("output x -> conv(4, 1x1)\nassert params < f0(1)", functions)
    (given,) = module.asserts
    condition = given.statement.condition
    with pytest.raises(Exception, match="CNN063"):
        given.evaluate(condition, {"params": 16})
