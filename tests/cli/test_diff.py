"""`convspec diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.helpers import SMALL, convspec


def test_equal_files() -> None:
    Path("other.cnn").write_text("# the same\n" + SMALL)
    done = convspec("diff", "small.cnn", "other.cnn", "--exit-code")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "a small.cnn: Small(image: float32[1, 1, 8, 8])\nb other.cnn: Small(image: float32[1, 1, 8, 8])\n\n"
        "The networks are equal.\n"
    )


def test_a_setting_of_one_side() -> None:
    done = convspec("diff", "small.cnn", "--set-b", "classes=10", "--exit-code")
    assert done.code == 1
    assert "b small.cnn with classes=10: Small" in done.out
    assert "linear: features 4 → 10" in done.out
    assert convspec("diff", "small.cnn", "--set-b", "classes=10").code == 0
    assert convspec("diff", "small.cnn", "--set", "classes=10", "--set-a", "classes=10", "--exit-code").code == 0


def test_models_of_one_file() -> None:
    Path("two_models.cnn").write_text(SMALL + "model Wide = Small(classes = 9)\n")
    for args in (
        ("two_models.cnn:Small", "two_models.cnn:Wide"),
        ("two_models.cnn", "--model-a", "Small", "--model-b", "Wide"),
        ("two_models.cnn:Small", "two_models.cnn", "--model-b", "Wide"),
        ("two_models.cnn:Small", "--model-b", "Wide"),
    ):
        done = convspec("diff", *args, "--format", "json")
        assert done.code == 0, done.err
        found = json.loads(done.out)
        assert [change["text"] for change in found["changes"]] == ["linear: features 4 → 9"], args
        assert found["b"]["parameters"] - found["a"]["parameters"] == 5 * 49


def test_markdown_into_a_file() -> None:
    done = convspec("diff", "small.cnn", "zoo:lenet5", "-o", "changes.md")
    assert (done.code, done.out) == (0, "wrote changes.md\n")
    assert Path("changes.md").read_text().startswith("- a small.cnn: Small")
    assert "| **total** |" in Path("changes.md").read_text()


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("small.cnn", "nope.cnn"), "error[CNN010]: nope.cnn cannot be read"),
        (("small.cnn", "zoo:resnet5000"), "error[CNN402]"),
        (("small.cnn", "small.cnn", "--sizes", "q=1"), "error[CNN401]: there is no symbolic size `q`"),
        (("small.cnn", "small.cnn", "--sizes", "N=0"), "error[CNN401]: --sizes takes NAME=INTEGER"),
        (("small.cnn", "small.cnn", "--set-a", "classes"), "error[CNN401]: --set-a takes NAME=VALUE"),
        (("small.cnn", "small.cnn", "--set-a", "depth=3"), "error[CNN022]"),
        (("small.cnn", "small.cnn", "--format", "csv"), "error[CNN401]: a difference has no form in CSV"),
        (("small.cnn:Smal", "small.cnn"), "error[CNN014]"),
        (("small.cnn", "two.cnn", "-o", "two.cnn"), "error[CNN401]: cannot tell what to write as two.cnn"),
        (("small.cnn", "small.cnn", "-o", "nowhere/x.md"), "error[CNN400]"),
    ],
)
def test_mistakes(args: tuple[str, ...], error: str) -> None:
    done = convspec("diff", *args)
    assert done.code == 1
    assert done.err.startswith(error), done.err


def test_networks_with_different_inputs() -> None:
    done = convspec("diff", "small.cnn", "two.cnn", "--sizes", "N=3,h=2")
    assert done.code == 0, done.err
    assert "input image removed" in done.out and "input left added" in done.out


def test_the_help_does_not_offer_a_csv_that_is_refused() -> None:
    words = " ".join(convspec("diff", "--help").out.split())
    assert "it has no form in CSV" in words
    assert ".csv" not in words
