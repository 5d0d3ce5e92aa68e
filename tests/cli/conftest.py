"""Every test of the command line runs in a folder of its own, with a few files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.helpers import SMALL, TWO

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`small.cnn`, `two.cnn`, `x.npy` (2, 1, 8, 8) and the pictures `digits/0.png` … `digits/2.png`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("small.cnn").write_text(SMALL)
    Path("two.cnn").write_text(TWO)
    np.save("x.npy", np.random.default_rng(0).normal(size=(2, 1, 8, 8)).astype(np.float32))
    Path("digits").mkdir()
    for i in range(3):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (12, 10), dtype=np.uint8)).save(f"digits/{i}.png")
