"""No false alarms: what the package ships, the examples, and every specification in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convspec import ops
from convspec.diagnostics import Failure
from convspec.diagnostics.render import render
from convspec.elaborate import Opened, loads, opened
from convspec.elaborate.libraries import LIBRARIES
from convspec.explain.layer import model_text
from convspec.lint import warnings
from convspec.lint.allow import silenced
from convspec.lint.text import text_warnings
from convspec.syntax import ast

ROOT = Path(__file__).parents[2]
ZOO = sorted(LIBRARIES["zoo"].rglob("*.cnn"))
STD = sorted(LIBRARIES["std"].rglob("*.cnn"))
EXAMPLES = sorted((ROOT / "examples").glob("*.cnn"))
FENCE = re.compile(r"^```cnn\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def closed_models(spec: Opened) -> list[str]:
    """The models that need no arguments."""
    models = spec.models().items()
    return [name for name, item in models if isinstance(item, ast.Configuration) or all(param.default for param in item.params)]


def told(path: Path) -> str:
    spec = opened(path)
    return render(warnings(*map(spec.module, closed_models(spec)), shipped=True))


@pytest.mark.zoo
@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_the_zoo(path: Path) -> None:
    assert told(path) == ""


@pytest.mark.parametrize("path", [LIBRARIES["zoo"] / f"{name}.cnn" for name in ("resnet", "squeezenet", "nasnet", "unet")])
def test_some_of_the_zoo(path: Path) -> None:
    assert told(path) == ""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples(path: Path) -> None:
    assert told(path) == ""


@pytest.mark.parametrize("path", STD, ids=lambda path: path.stem)
def test_the_text_of_the_standard_blocks(path: Path) -> None:
    tree = opened(path).scope.tree
    assert render(silenced(text_warnings([tree], tree), [tree], ())) == ""


@pytest.mark.parametrize("name", ops.built_in())
def test_the_example_of_a_layer(name: str) -> None:
    op = ops.find(name)
    assert op is not None
    assert render(warnings(loads(model_text(op)))) == ""


@pytest.mark.parametrize("path", ["README.md", "docs/language.md", "docs/weights.md", "docs/running.md", "docs/warnings.md"])
def test_what_the_documentation_shows(path: str) -> None:
    for text in FENCE.findall((ROOT / path).read_text(encoding="utf-8")):
        try:
            module = loads(text)
        except Failure:
            continue  # a part of a spec, or one with a mistake
        assert render(warnings(module)) == "", text
