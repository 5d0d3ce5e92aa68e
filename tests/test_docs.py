"""The documents tell the truth: their specs compile, and their table of layers is the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import convspec
from convspec.elaborate import loads

ROOT = Path(__file__).parent.parent
FENCED = r"```(?:cnn)?\n((?:##|let|language|use|model).*?)```"
SPECS = [
    pytest.param(text, id=f"{path.name}-{number}")
    for path in (ROOT / "README.md", ROOT / "docs" / "language.md")
    for number, text in enumerate(re.findall(FENCED, path.read_text(), re.DOTALL))
]


@pytest.mark.parametrize("text", SPECS)
def test_specs_in_documents_compile(text: str) -> None:
    model = re.findall(r"model (\w+)", text)[-1]
    assert convspec.loads(text, model=model).module.graph.nodes


def test_there_are_specs() -> None:
    assert len(SPECS) >= 5


def test_links_between_documents_lead_somewhere() -> None:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_readme_shows_real_errors() -> None:
    """The error in the README is the compiler's own, to the letter."""
    text = (ROOT / "README.md").read_text()
    spec = re.search(r"<!-- the spec:\n(.*?)-->", text, re.DOTALL)
    shown = re.search(r"```\n(error\[.*?)```", text, re.DOTALL)
    assert spec is not None
    assert shown is not None
    from convspec.diagnostics.render import render

    with pytest.raises(convspec.Failure) as caught:
        loads(spec.group(1), "unet.cnn")
    assert render(caught.value.diagnostics) == shown.group(1)
