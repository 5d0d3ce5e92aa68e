"""Scores become classes with probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convspec.runtime.classify import Guess, rank_classes, read_labels
from tests.runtime.helpers import array, told


def test_scores_get_softmax() -> None:
    ranking = rank_classes(array("float32", [[0, np.log(3), 0], [1000, 0, 999]]), 2)
    assert ranking.softmax
    assert [[guess.index for guess in row] for row in ranking.rows] == [[1, 0], [0, 2]]
    assert ranking.rows[0][0].probability == pytest.approx(0.6)
    assert ranking.rows[1][1].probability == pytest.approx(1 / (1 + np.e))


def test_a_distribution_stays() -> None:
    ranking = rank_classes(array("float32", [[0.25, 0.75], [1, 0]]), 5)
    assert not ranking.softmax
    assert ranking.rows == ((Guess(1, 0.75), Guess(0, 0.25)), (Guess(0, 1.0), Guess(1, 0.0)))


@pytest.mark.parametrize("scores", [[[0.5, 0.4]], [[1.5, -0.5]], [[0.5, 0.5], [0.9, 0.2]]])
def test_what_is_no_distribution_in_any_row_gets_softmax(scores: list[list[float]]) -> None:
    assert rank_classes(np.array(scores), 1).softmax


def test_labels(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffcat\r\nchien d'été\n".encode())
    (tmp_path / "a.json").write_text('["cat", "dog"]')
    assert read_labels(tmp_path / "a.txt", 2) == ["cat", "chien d'été"]
    assert read_labels(tmp_path / "a.json", 2) == ["cat", "dog"]


def test_labels_that_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("three.txt").write_text("a\nb\nc\n")
    Path("bytes.txt").write_bytes(b"\xff\xfe\x00")
    Path("object.json").write_text('{"0": "a"}')
    Path("broken.json").write_text("[")
    table = {
        "three.txt": "error[CNN401]: three.txt names 3 classes, but the network has 10\n"
        "  = write one label a line, in the order of the classes",
        "missing.txt": "error[CNN300]: cannot read missing.txt: no such file or directory",
        "bytes.txt": "error[CNN300]: cannot read bytes.txt: it is not UTF-8 text",
        "object.json": "error[CNN300]: cannot read object.json: it is not a JSON list of strings",
        "broken.json": "error[CNN300]: cannot read broken.json: it is not a JSON list of strings",
    }
    for name, message in table.items():
        assert told(lambda name=name: read_labels(Path(name), 10)) == message  # type: ignore[misc]
