"""Every snippet of the extension is a valid spec, or part of one, once its placeholders hold what they begin with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import convspec
from convspec.format import format_text
from convspec.lint import warnings

SNIPPETS = json.loads((Path(__file__).parents[2] / "editors" / "vscode" / "snippets" / "cnn.json").read_text(encoding="utf-8"))

FILE = "{0}\n"
OTHER = "{0}\nmodel Other {{ input x: float32[N, 8, 8, 8]\n output x -> USE }}\n"
BASED = "model Net(classes: int = 9) {{ input x: float32[N, 3, 8, 8]\n output x -> flatten -> linear(classes) }}\n{0}\n"
BESIDE = OTHER.replace("USE", "relu")
USING = OTHER
INPUT = "model Net {{ {0}\n output image -> conv(4, 3x3) }}"
BODY = "model Net {{\n    input image: float32[N, 3, 32, 32]\n    x = image -> conv(16, 3x3)\n{0}\n{1}}}\n"
STAGE = "model Net {{\n    input image: float32[N, 16, 32, 32]\n    x = image\n        {0}\n    output x\n}}\n"
PLACES = {
    "model": FILE, "model-sizes": FILE, "config": BASED, "let": BESIDE, "letf": BESIDE, "use": BESIDE, "default": BESIDE,
    "block": USING.replace("USE", "ConvBlock(8)"), "residual": USING.replace("USE", "Residual(8)"),
    "bottleneck": USING.replace("USE", "Bottleneck(8, stride = 2)"), "inverted": USING.replace("USE", "InvertedResidual(8)"),
    "inception": USING.replace("USE", "Inception(4, [4, 8], [2, 4], 4)"),
    "input": INPUT, "picture": INPUT,
    "head": BODY.replace("{1}", ""), "output": BODY.replace("{1}", ""), "branches": BODY.replace("{1}", "output joined\n"),
    "layer": BODY.replace("{1}", "output x -> tower -> conv(16, 3x3) -> relu -> conv(32, 3x3)\n"),
    **dict.fromkeys(("cbr", "down", "dws", "up", "label", "repeat"), STAGE),
    **dict.fromkeys(
        ("se", "for", "fori", "if", "assert-params", "assert-macs", "assert-memory", "assert-shape"),
        BODY.replace("{1}", "output x\n"),
    ),
}  # fmt: skip
"""Where each snippet belongs, by its prefix."""

PLACEHOLDER = re.compile(r"\$\{(\d+)(?::((?:[^{}\\]|\\.)*)|\|((?:[^|\\]|\\.)*)\|)?\}|\$(\d+)")


def filled(body: list[str]) -> str:
    """The snippet as it stands when nothing is changed: a placeholder's text, or the first of its choices."""
    text = "\n".join(body)
    found: dict[str, str] = {}
    for match in PLACEHOLDER.finditer(text):
        number = match[1] or match[4]
        value = match[2] if match[2] is not None else (match[3] or "").split(",")[0]
        assert found.setdefault(number, value) == value or not value, f"placeholder {number} has two texts"
    done = PLACEHOLDER.sub(lambda match: found[match[1] or match[4]], text)
    assert "$" not in done
    return done


def test_each_has_a_place() -> None:
    assert {snippet["prefix"] for snippet in SNIPPETS.values()} == set(PLACES)


@pytest.mark.parametrize("name", SNIPPETS)
def test_it_compiles(name: str) -> None:
    snippet = SNIPPETS[name]
    text = PLACES[snippet["prefix"]].format(filled(snippet["body"]))
    models = [word for word in re.findall(r"^model (\w+)", text, flags=re.MULTILINE)]
    for model in models:
        assert convspec.loads(text, model=model).module.graph.outputs
    assert not re.search(r"[ \t]$", filled(snippet["body"]), flags=re.MULTILINE) or "$0" in "".join(snippet["body"])


@pytest.mark.parametrize("name", [name for name in SNIPPETS if PLACES[SNIPPETS[name]["prefix"]].startswith("{0}")])
def test_what_stands_at_the_top_is_in_style(name: str) -> None:
    """The formatter leaves it as it is, but for the line that waits for the cursor."""
    text = re.sub(r"\n[ \t]+\n", "\n", filled(SNIPPETS[name]["body"])) + "\n"
    assert format_text(text) == text


UNUSED = ("CNN100", "CNN101", "CNN102", "CNN103")
"""What a snippet declares is used by what the author writes next."""


@pytest.mark.parametrize("name", SNIPPETS)
def test_nothing_in_it_is_warned_of(name: str) -> None:
    """The places around snippets are for the tests, and warned of with an empty snippet, too."""
    snippet = SNIPPETS[name]
    body = filled(snippet["body"])
    text = PLACES[snippet["prefix"]].format(body)
    begin = text.index(body)
    for model in re.findall(r"^model (\w+)", text, flags=re.MULTILINE):
        found = warnings(convspec.loads(text, model=model).module)
        spans = [(each.code, each.primary.span.start) for each in found if each.primary and each.code not in UNUSED]
        assert not [code for code, start in spans if begin <= start < begin + len(body)], found


@pytest.mark.parametrize("name", SNIPPETS)
def test_it_is_described(name: str) -> None:
    assert SNIPPETS[name]["description"].endswith(".")
    assert re.fullmatch(r"[a-z][a-z-]*", SNIPPETS[name]["prefix"])
    assert "\t" not in "".join(SNIPPETS[name]["body"])
