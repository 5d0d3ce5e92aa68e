"""The tour shows what its commands print now, and its pictures are those that they draw."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tour.script import ROOT, TOUR, commands, difference, play, prepare

PICTURES = ROOT / "docs" / "pictures"


def _settled(text: str) -> str:
    """Without what another machine or release may show: rounding errors, and versions of runtimes."""
    text = re.sub(r"\d\.\de-\d\d", "0.0e-07", text)
    return re.sub(r"(onnxruntime|pytorch) [\d.]+(\+\w+)?", r"\1", text)


def test_the_tour_is_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    prepare(tmp_path)
    shown = TOUR.read_text()
    different = difference(_settled(shown), _settled(play(shown)))
    assert not different, f"`python -m tests.tour` writes it anew:\n{different}"
    drawn = {path.name for path in Path().glob("tour-*")}
    assert drawn == {path.name for path in PICTURES.glob("tour-*")}
    for name in drawn:
        _check_picture(Path(name), PICTURES / name)


def _check_picture(drawn: Path, kept: Path) -> None:
    if drawn.suffix == ".svg":
        assert drawn.read_text() == kept.read_text(), kept.name
        return
    with Image.open(drawn) as one, Image.open(kept) as other:
        assert one.size == other.size
        apart = np.abs(np.asarray(one, float) - np.asarray(other, float)).mean()
    assert apart < 1, kept.name  # gradients round otherwise on another processor


def test_the_tour_shows_what_it_is_for() -> None:
    """Three mistakes, a picture, a receptive field and a running network, in commands that a reader can copy."""
    text, found = TOUR.read_text(), commands(TOUR.read_text())
    assert len(set(re.findall(r"^error\[(CNN\d+)\]", text, re.MULTILINE))) >= 3
    assert {line.split()[1] for line in found if line.startswith("convspec")} >= {
        *("check", "fmt", "summary", "rf", "draw", "run", "compile", "verify", "diff", "sweep"),
    }
