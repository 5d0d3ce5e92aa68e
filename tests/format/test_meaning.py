"""Formatting changes no meaning, loses no comment and has nothing to do twice: for every spec here, however it is laid out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.format import format_text, formatter
from convspec.ir.dump import dump
from convspec.syntax import grammar
from tests.fuzz import chance
from tests.fuzz.specs import Spec, specs

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*(ROOT / "convspec").rglob("*.cnn"), *(ROOT / "examples").rglob("*.cnn")])
ALL = sorted([*SHIPPED, *(ROOT / "tests").rglob("*.cnn")])

_SPACES = ("\n", "\n\n", "\n\n\n", "\r\n", " \n\t", "  ")
_COMMENTS = (" # note\n", "#x\n", " ## doc\n", "\n# own\n", "\n\n## own doc\n\n", "\n# a\n# b\n", "\n### more\n", " #\n")


def scrambled(text: str, generator: random.Random) -> str:
    """The same tokens with other spaces, ends of lines and comments between them."""
    often = generator.choice((0.02, 0.1, 0.5))
    words: list[str] = []
    for token in grammar.tokens(text, 0, len(text)):
        if token.type not in ("COMMENT", "DOC"):
            drawn = generator.random()
            between = _SPACES if drawn < often / 2 else _COMMENTS if drawn < often * 0.7 else (" ",)
            words += [str(token), generator.choice(between)]
    return "".join(words)


def comments(text: str) -> Counter[str]:
    """What the lines say behind `#`, each word by itself, strings aside."""
    found: Counter[str] = Counter()
    for token in grammar.tokens(text, 0, len(text)):
        if token.type in ("COMMENT", "DOC"):
            found.update(token.replace("#", " ").split())
    return found


def tokens(text: str) -> list[str]:
    """The code without commas, which are left out at the end of a list."""
    kinds = ("COMMENT", "DOC", "COMMA")
    return [str(token) for token in grammar.tokens(text, 0, len(text)) if token.type not in kinds]


def parsed(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        text = path.read_text(encoding="utf-8")
        try:
            format_text(text, path.name)
        except Failure:
            continue  # a spec that is there for its syntax errors
        yield path, text


@pytest.mark.parametrize("path", SHIPPED, ids=[str(path.relative_to(ROOT)) for path in SHIPPED])
def test_what_is_shipped_is_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_text(text, path.name) == text


@pytest.mark.parametrize("number", range(3))
def test_however_it_is_laid_out(number: int) -> None:
    generator, done = random.Random(number), 0
    for path, text in parsed(ALL):
        written = scrambled(text, generator) if len(text) < 6000 else text
        try:
            made = format_text(written, path.name)
        except Failure:  # `##` that stands where nothing is documented and a file of nothing else
            continue
        assert format_text(made, path.name) == made, path
        assert tokens(made) == tokens(written), path
        assert comments(made) == comments(written), path
        done += 1
    assert done > 100


@settings(
    max_examples=40, backend=chance.NAME, database=None, deadline=None, suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)  # fmt: skip
@seed(1)
@given(specs(), st.integers(0, 2**32))
def test_random_specs_stay_the_same_network(spec: Spec, number: int) -> None:
    made = format_text(scrambled(spec.text, random.Random(number)))
    assert format_text(made) == made
    assert told(made, spec.model) == told(spec.text, spec.model)


def told(text: str, model: str) -> str | list[str]:
    """The network that a text describes, or the codes of its errors."""
    try:
        return dump(loads(text, model=model).graph)
    except Failure as failure:
        return [each.code for each in failure.diagnostics]


def test_a_text_that_came_out_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatter, "layout", lambda doc: "model M { input x: float32[2]  output x }")
    with pytest.raises(formatter.FormatError, match="means something else"):
        format_text("model M { input x: float32[1]  output x }")


@pytest.mark.parametrize(("opening", "closing", "levels"), [("(", ")", 195), ("[", "]", 195), ("f(", ")", 90), ("-", "", 95)])
def test_what_nests_deep(opening: str, closing: str, levels: int) -> None:
    made = format_text(f"let a = {opening * levels}1{closing * levels}")
    assert format_text(made) == made
