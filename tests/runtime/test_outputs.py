"""`--output`: whole files or none, and every wrong destination found before anything is computed."""

from __future__ import annotations

import os
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from convspec.runtime.outputs import Statistics, check_destination, joined, write_outputs
from convspec.runtime.signature import Signature, TensorSpec, signature_of
from tests.runtime.helpers import TWO, array, module, random, told

BOTH = signature_of(module(TWO).graph)
ONE = Signature("Net", BOTH.inputs, BOTH.outputs[:1])


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_one_array() -> None:
    array = random(2, 3)
    assert write_outputs(Path("o.npy"), {"sum": array}) == [Path("o.npy")]
    np.testing.assert_array_equal(np.load("o.npy"), array)


def test_an_archive_holds_any_name_and_repeats_its_bytes() -> None:
    arrays = {"file": random(2), "max.0": random(1, 2), "p 1": np.arange(3)}
    write_outputs(Path("a.npz"), arrays)
    with np.load("a.npz") as loaded:
        assert list(loaded) == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(loaded[name], array)
    write_outputs(Path("b.npz"), arrays)
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()


def test_a_folder_new_or_old() -> None:
    arrays = {"sum": random(2), "max.0": random(1, 2)}
    for _ in range(2):
        assert write_outputs(Path("out"), arrays) == [Path("out/sum.npy"), Path("out/max.0.npy")]
        assert sorted(os.listdir("out")) == ["max.0.npy", "sum.npy"]
    np.testing.assert_array_equal(np.load("out/max.0.npy"), arrays["max.0"])
    Path("out/other").write_text("stays")
    write_outputs(Path("out"), arrays)
    assert Path("out/other").read_text() == "stays"


def test_bfloat16_is_written_as_float32() -> None:
    array = np.array([0.5, 3.0], ml_dtypes.bfloat16)
    write_outputs(Path("o.npy"), {"x": array})
    loaded = np.load("o.npy")
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, [0.5, 3.0])


def test_a_write_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("o.npz").write_bytes(b"before")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    for path in ("o.npz", "o.npy", "folder"):
        assert told(lambda path=path: write_outputs(Path(path), {"x": random(1)})).startswith(  # type: ignore[misc]
            "error[CNN400]: cannot write "
        )
    assert sorted(os.listdir()) == ["o.npz"]
    assert Path("o.npz").read_bytes() == b"before"


def test_good_destinations_pass() -> None:
    Path("there").mkdir()
    Path("there.v1").mkdir()
    for path in ("o.npz", "out", "there", "there.v1", "there/o.npz"):
        check_destination(Path(path), BOTH, [])
    check_destination(Path("o.npy"), ONE, [])


def test_wrong_destinations_are_told() -> None:
    Path("x.npz").mkdir()
    Path("in.npy").write_bytes(b"")
    strange = Signature("Net", (), (TensorSpec("a/b", BOTH.outputs[0].type),))
    table = [
        ("o.npy", BOTH, "error[CNN401]: o.npy takes one array, but there are 2 outputs\n"
         "  = name an .npz file, or a folder: Two gives sum, max.0"),
        ("o.txt", BOTH, "error[CNN401]: cannot tell what to write as o.txt\n"
         "  = name an .npz file, an .npy file or a folder; for a row for each picture a .jsonl, .csv or .parquet file"),
        ("x.npz", BOTH, "error[CNN400]: cannot write x.npz: it is a folder\n  = name a file, not a folder"),
        ("in.npy", ONE, "error[CNN400]: cannot write in.npy: it is read by this command\n  = name another file"),
        ("no/o.npz", ONE, "error[CNN400]: cannot write no/o.npz: no does not exist\n  = make the folder first"),
        ("a" * 300 + "/o.npz", ONE, "error[CNN400]: cannot write " + "a" * 300 + "/o.npz: " + "a" * 300 + " does not exist\n"
         "  = make the folder first"),
        ("out", strange, "error[CNN400]: the output `a/b` cannot be the name of a file\n  = write an .npz file"),
    ]  # fmt: skip
    for path, interface, message in table:
        assert told(lambda p=path, i=interface: check_destination(Path(p), i, [Path("in.npy")])) == message  # type: ignore[misc]
    check_destination(Path("o.npz"), strange, [])


def test_a_name_that_is_too_long_is_told() -> None:
    message = told(lambda: write_outputs(Path("a" * 300), {"x": random(1)}))
    assert message == "error[CNN400]: cannot write " + "a" * 300 + ": file name too long"
    assert os.listdir() == []


def test_a_folder_without_permission_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert told(lambda: check_destination(Path("o.npz"), ONE, [])) == "error[CNN400]: cannot write o.npz: permission denied"


def test_batches_are_joined() -> None:
    a, b = random(2, 3), random(1, 3, seed=1)
    np.testing.assert_array_equal(joined([{"x": a}, {"x": b}])["x"], np.concatenate([a, b]))
    assert told(lambda: joined([{"x": a}, {"x": random(2, 4)}])) == (
        "error[CNN400]: the output `x` has another shape for each size of picture, and cannot be one array\n"
        "  = give the input a picture(size = …), or run pictures of one size"
    )


def test_statistics_over_batches() -> None:
    found = Statistics()
    found.add(array("float32", [[[1, 2], [3, 4]]]))
    found.add(array("float32", [[[-5, 6, 7], [8, 9, 10]]]))
    assert (found.dtype, found.shape, found.least, found.most) == ("float32", [2, 2, -1], -5, 10)
    assert found.mean == pytest.approx(45 / 10)
