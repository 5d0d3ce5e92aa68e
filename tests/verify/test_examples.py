"""The smaller examples are verified forward, backward and in training; the large ones take minutes and are left to the user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import convspec
from tests.verify.helpers import statuses

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("file", "model", "settings"),
    [
        ("lenet5.cnn", "LeNet5", {}),
        ("sequence.cnn", "SequenceNet", {}),
        ("unet.cnn", "UNet2D", {"width": 4}),
        pytest.param("unet.cnn", "UNet3D", {"width": 2}, marks=pytest.mark.zoo),
    ],
)
def test_an_example_is_verified(file: str, model: str, settings: Mapping[str, object]) -> None:
    report = convspec.load(EXAMPLES / file, model, settings).verify(gradients=True, train_steps=3)
    assert report.passed, str(report)
    assert not report.divergences and all("masks" in note for note in report.notes)
    assert set(statuses(report).values()) <= {"pass", "excused"}
    assert [row.quantity for row in report.rows][-1] == "weights after 3 steps"
