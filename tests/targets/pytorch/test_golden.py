"""Generated files, whole: what a reader sees. To renew one on purpose, delete it and run with CONVSPEC_WRITE_GOLDEN=1."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from convspec.elaborate import load
from convspec.targets.pytorch.source import generate
from tests.targets.pytorch.nets import source

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = Path(__file__).parents[3] / "examples"


def check(name: str, text: str) -> None:
    path = GOLDEN / name
    if not path.exists() and os.environ.get("CONVSPEC_WRITE_GOLDEN") and not os.environ.get("CI"):
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "model"), [("resnet.cnn", "ResNet50"), ("lenet5.cnn", None), ("unet.cnn", "UNet2D"), ("googlenet.cnn", None)]
)
def test_examples(file: str, model: str | None) -> None:
    of = load(EXAMPLES / file, model)
    check(f"{of.name.lower()}.txt", generate(of, of.name.lower()).text)


@pytest.mark.parametrize("name", ["conditional", "hostile", "outputs", "stages"])
def test_constructs(name: str) -> None:
    check(f"{name}.txt", source(name).text)


@pytest.mark.parametrize("name", ["lenet", "hostile"])
def test_straight_line(name: str) -> None:
    check(f"{name}_straight.txt", source(name, straight=True).text)
