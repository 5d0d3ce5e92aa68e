"""What every op must refuse: once per attribute, at its place in the source, with the numbers."""

from __future__ import annotations

import pytest

from convspec.diagnostics import Failure
from convspec.diagnostics.render import render
from convspec.elaborate import loads
from tests.conformance.catalogue import bad, op_names
from tests.conformance.cell import Bad

CASES = [pytest.param(case, id=f"{op}-{case.attribute}-{case!r}") for op in op_names() for case in bad(op)]


@pytest.mark.parametrize("case", CASES)
def test_refused(case: Bad) -> None:
    with pytest.raises(Failure) as caught:
        loads(case.spec)
    first = caught.value.diagnostics[0]
    assert first.code == case.code, render(caught.value.diagnostics)
    assert first.primary is not None
    assert first.primary.span.line == case.line
    told = render([first])
    for words in case.says:
        assert words in told, f"{words!r} is not in:\n{told}"
