"""Writes docs/tour.md and its pictures anew: `python -m tests.tour`."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.tour.script import ROOT, TOUR, play, prepare

if __name__ == "__main__":
    os.environ["COLUMNS"] = "100"
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        os.chdir(folder)
        played = play(TOUR.read_text())
        (ROOT / "docs" / "pictures").mkdir(exist_ok=True)
        for picture in sorted(Path().glob("tour-*")):
            shutil.copy(picture, ROOT / "docs" / "pictures" / picture.name)
    TOUR.write_text(played)
