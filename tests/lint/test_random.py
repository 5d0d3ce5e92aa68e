"""Random specs: warnings never fail, do not depend on layout, and what is called unused can be deleted."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings

from convspec.diagnostics import Diagnostic, Failure
from convspec.diagnostics.fixes import apply_fixes
from convspec.elaborate import opened_text
from convspec.elaborate.module import Module
from convspec.elaborate.walk import descendants
from convspec.format import format_text
from convspec.lint import warnings
from convspec.source import Span
from convspec.syntax import ast
from tests.fuzz import chance
from tests.fuzz.specs import Spec, specs

SEEN: Counter[str] = Counter()
"""The codes that came up: a test that never sees one proves nothing."""


def module_of(text: str, model: str) -> Module | None:
    try:
        return opened_text(text).module(model)
    except Failure:
        return None


def signature(module: Module) -> list[tuple[str, str]]:
    return [(output.name, str(output.value.type)) for output in module.graph.outputs]


def statement_of(tree: ast.File, place: Span) -> Span | None:
    """The statement or item that binds the name at a place."""
    for node in descendants(tree):
        if isinstance(node, ast.Assign | ast.Let | ast.Layer | ast.Block) and node.span.start <= place.start < node.span.end:
            names = node.targets if isinstance(node, ast.Assign) else (node.name,)
            if any(name.span.start == place.start for name in names):
                return node.span
    return None


def check_deletable(text: str, module: Module, model: str, found: list[Diagnostic]) -> None:
    """Without what is said to be unused, the spec still has a meaning, and the same outputs."""
    for each in found:
        if each.code not in ("CNN101", "CNN103", "CNN105") or each.primary is None:
            continue
        span = statement_of(module.files[0], each.primary.span)
        assert span is not None
        shorter = text[: span.start] + text[span.end :]
        without = module_of(shorter, model)
        assert without is not None, shorter
        assert [type_ for _, type_ in signature(without)] == [type_ for _, type_ in signature(module)]
        SEEN[each.code] += 1


@settings(
    max_examples=30, backend=chance.NAME, database=None, deadline=None, suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)  # fmt: skip
@seed(3)
@given(specs())
def each_spec(spec: Spec) -> None:
    module = module_of(spec.text, spec.model)
    if module is None:
        return
    found = warnings(module)
    SEEN.update(f"told {each.code}" for each in found)
    again = module_of(format_text(spec.text), spec.model)
    assert again is not None
    assert Counter(each.code for each in warnings(again)) == Counter(each.code for each in found)
    check_deletable(spec.text, module, spec.model, found)
    for text, _ in apply_fixes(found).values():
        mended = module_of(text, spec.model)
        assert mended is not None
        assert signature(mended) == signature(module)


def test_random_specs() -> None:
    each_spec()
    assert SEEN["CNN101"] and SEEN["CNN103"] and SEEN["told CNN110"], "they had something to say"
