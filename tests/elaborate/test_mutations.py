"""The examples with words deleted, doubled, swapped or replaced: they compile, or fail with diagnostics that can be shown."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from convspec.analysis.budgets import check_asserts
from convspec.diagnostics import Failure
from convspec.diagnostics.render import render
from convspec.elaborate import loads
from convspec.limits import Limits

_EXAMPLES = {path.name: path.read_text("utf-8") for path in sorted((Path(__file__).parents[2] / "examples").glob("*.cnn"))}
_DENSE = """
let f(a, b = 2) = [a * i for i, k in 0..b]
default conv(bias = false)
block U(x: tensor, act: stage = relu, n: int = 3, skips: list = []) {
    layer t = "sh.t": [conv(n, 1x1) -> act]
    a, b = x -> split([1, x.channels - 1])
    y = x -> t -> "q{n}": 2 * [act -> k: conv(n, 3x3, pad = same)]
    if len(skips) > 0 and x.height >= 4 { y = y + skips[-1] } else { default relu() }
    return y -> act, concat(a, b)
}
model K(n: int = 3) {
    input x: float32[N, 3, 2*h, W >= 4]
    input z: float32[N, 3, 2*h, W]
    p, q = x -> U(n = n, skips = [z])
    for i, [k, c] in [[1, 2], [3, 4]] {
        let w = f(c)[1]
        p = p -> "c{i}": conv(w, k, pad = k // 2) -> (if i > 0 then 2 else 1) * relu
    }
    output p, r = if n == 3 then q else -q, "s{n}" = sum([q, q]) -> global_avgpool -> flatten
    assert params < 1M and macs(N = 1, h = 2, W = 4) < 1G, "small {n}"
}
model KK = K(n = 4)
"""
_SPECS = {**_EXAMPLES, "dense": _DENSE}
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\w+|->|\.\.|//|\*\*|[<>=!]=|[^\w\s]|\s+')
_WORDS = sorted({token for text in _SPECS.values() for token in _TOKEN.findall(text) if not token.isspace()})
_SMALL = Limits(nodes=3_000, steps=20_000)
_INTERNAL = re.compile(r"Traceback|object at 0x|NoneType|StageValue|BlockValue|LayerValue|Poison|<class|\bast\.", re.IGNORECASE)


def _mutated(random: Random, text: str) -> str:
    tokens = _TOKEN.findall(text)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        here, there = random.randrange(len(tokens)), random.randrange(len(tokens))
        match random.randrange(6):
            case 0:
                del tokens[here]
            case 1:
                tokens.insert(here, tokens[here])
            case 2:
                tokens[here], tokens[there] = tokens[there], tokens[here]
            case 3:
                tokens[here] = random.choice(_WORDS)
            case 4:
                tokens.insert(here, random.choice(_WORDS))
            case _:
                del tokens[here : here + 8]
    return "".join(tokens)


@pytest.mark.parametrize("name", sorted(_SPECS))
def test_mutated_specs_fail_with_diagnostics(name: str) -> None:
    random = Random(f"mutations of {name}")
    models = re.findall(r"^model (\w+)", _SPECS[name], re.MULTILINE)
    outcomes = set()
    for _ in range(25):
        text = _mutated(random, _SPECS[name])
        shown = _shown(text, random.choice(models))
        assert not _INTERNAL.search(shown), f"{shown}\n{text}"
        outcomes.add(bool(shown))
    assert True in outcomes


def _shown(text: str, model: str) -> str:
    """The diagnostics as they are shown; empty where the spec compiles. Anything but a Failure is a bug."""
    try:
        check_asserts(loads(text, model=model, limits=_SMALL))
    except Failure as failure:
        return render(failure.diagnostics) or "a failure without diagnostics: Traceback"
    return ""
