"""Whatever the text, the parser gives a tree or diagnostics that can be shown; nothing else."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from unicodedata import category

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from convspec.diagnostics import Diagnostic, Failure
from convspec.diagnostics.codes import CODES
from convspec.diagnostics.render import render, to_json
from convspec.elaborate import loads
from convspec.limits import Limits
from convspec.source import SourceFile
from convspec.syntax import ast, grammar, parse
from tests.syntax.helpers import short
from tests.syntax.test_language import LENET, RESNET

EXAMPLES = [path.read_text("utf-8") for path in sorted((Path(__file__).parent.parent.parent / "examples").glob("*.cnn"))]
SPECS = [LENET, RESNET, *EXAMPLES]
WORDS = sorted({t.pattern.value for t in grammar.lark().terminals if t.pattern.type == "str"})
PIECES = [
    *WORDS, *WORDS, "x", "y", "conv", "relu", "tensor", "float32", "picture", "1", "64", "0.5", "3x3", "5M", '"a"', '"a{b}"',
    '"', "'", "#", "##", "\n", "\n", "\n    ", " ", "08", "1.", ".5", "5Q", "$", "&&", "→", "é", "\u00a0", ";",
    "{", "}", "(", ")",
]  # fmt: skip

few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def check(text: str) -> ast.File | None:
    """Parses; what is raised must be a Failure whose diagnostics are sound."""
    source = SourceFile("net.cnn", text)
    try:
        return parse(source)
    except Failure as failure:
        _check_failure(failure.diagnostics, text)
        return None


def _check_failure(diagnostics: list[Diagnostic], text: str) -> None:
    assert diagnostics
    for diagnostic in diagnostics:
        _check_diagnostic(diagnostic, text)
    starts = [d.primary.span.start for d in diagnostics if d.primary]
    assert all(one < other for one, other in pairwise(starts))
    shown = render(diagnostics)
    assert all(char == "\n" or category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in shown)
    json.dumps(to_json(diagnostics))


def _check_diagnostic(diagnostic: Diagnostic, text: str) -> None:
    assert diagnostic.code in CODES
    assert diagnostic.severity == "error"
    assert "Token(" not in diagnostic.message
    assert "_ANON" not in diagnostic.message
    for label in [*([diagnostic.primary] if diagnostic.primary else []), *diagnostic.related]:
        assert 0 <= label.span.start <= label.span.end <= len(text)


@few
@given(st.text())
@example("\ufeff")
@example("\x00")
def test_any_text(text: str) -> None:
    check(text)


@few
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_tokens(pieces: list[str]) -> None:
    check(" ".join(pieces))
    check("model M {\n" + " ".join(pieces) + "\n}")


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A spec with a few pieces taken out, put in, doubled or replaced."""
    text = draw(st.sampled_from(SPECS))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 6))
        piece = draw(st.sampled_from([*PIECES, "", text[at : at + 30]]))
        text = text[:at] + piece + text[at + length :]
    return text


@few
@given(mutated())
def test_mutated_specs(text: str) -> None:
    check(text)


@few
@given(mutated())
def test_mutated_specs_elaborate_or_fail(text: str) -> None:
    """The elaborator takes whatever tree the parser gives it."""
    try:
        loads(text, limits=Limits(nodes=3000, steps=5000))
    except Failure as failure:
        render(failure.diagnostics)


_NAMES = st.sampled_from(["a", "b", "xs", "conv"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions made of smaller ones, every operand in parentheses."""
    binary = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "==", "<", ">=", "and", "or", ".."])
    return st.one_of(
        st.tuples(inner, binary, inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda t: f"not ({t})"),
        inner.map(lambda t: f"-({t})"),
        st.tuples(inner, inner, inner).map(lambda t: f"if ({t[0]}) then ({t[1]}) else ({t[2]})"),
        st.tuples(_NAMES, inner).map(lambda t: f"{t[0]}({t[1]}, k = {t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"[{t[0]}, {t[1]}]"),
        st.tuples(inner, _NAMES).map(lambda t: f"({t[0]}).{t[1]}"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})[{t[1]}]"),
        st.tuples(inner, _NAMES, inner).map(lambda t: f"({t[0]}) -> {t[1]}: 2 * conv({t[2]}) -> [relu]"),
        inner.map(lambda t: f"[{t} for a in xs]"),
    )


LEAVES = st.sampled_from(["a", "1", "0.5", "3x3", "true", '"s"', "[]", "f()"])


@few
@given(st.recursive(LEAVES, _grow, max_leaves=12))
def test_an_expression_is_the_same_whatever_the_white_space(text: str) -> None:
    def value(spec: str) -> str:
        tree = check(spec)
        assert tree is not None, spec
        (let,) = tree.items
        assert isinstance(let, ast.Let)
        return short(let.value)

    spaced = text.replace("(", " (\n").replace(",", "\t, #comment\n").replace(" ", " \n ")
    assert value(f"let A = {text}") == value(f"let A = {spaced}") == value(f"let A = (({text}))")
