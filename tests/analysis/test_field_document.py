"""docs/receptive-field.md shows what its commands print now; `python -m tests.analysis.test_field_document` writes it anew."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tour.script import ROOT, difference, play, prepare

DOCUMENT, PICTURES = ROOT / "docs" / "receptive-field.md", ROOT / "docs" / "pictures"


def test_the_document_is_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    shown = DOCUMENT.read_text()
    different = difference(shown, play(shown))
    assert not different, f"`python -m tests.analysis.test_field_document` writes it anew:\n{different}"
    drawn = {path.name for path in Path().glob("rf-*")}
    assert drawn == {path.name for path in PICTURES.glob("rf-*")} == set(re.findall(r"pictures/(rf-[^)]*)", shown))
    for name in drawn:
        with Image.open(name) as one, Image.open(PICTURES / name) as other:
            assert one.size == other.size
            assert np.abs(np.asarray(one, float) - np.asarray(other, float)).mean() < 1  # gradients round otherwise elsewhere


def test_its_python_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    (text,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    exec(text, {})
    assert capsys.readouterr().out == "14\nimage [(0, 11), (16, 27)]\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        os.chdir(folder)
        played = play(DOCUMENT.read_text())
        for picture in Path().glob("rf-*"):
            shutil.copy(picture, PICTURES / picture.name)
    DOCUMENT.write_text(played)
