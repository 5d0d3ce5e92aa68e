"""`convspec run` into .jsonl, .csv and .parquet: a row for each picture, whatever the pictures are."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convspec import load
from convspec.diagnostics import error, fail
from convspec.runtime import reference
from convspec.runtime.pictures import read_picture
from tests.cli.helpers import convspec
from tests.cli.tables import expected, lines, pictures, run

# ── the rows ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_for_each_picture_of_a_folder() -> None:
    done = run("small.cnn", "digits", "-o", "r.jsonl", "--top", "3")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[1:] == [
        "weights: initial values from seed 0, not trained",
        "probabilities: softmax of `logits`",
        "pictures: 3, in batches of 1",
        "wrote r.jsonl",
    ]
    found = lines()
    assert [row["file"] for row in found] == ["0.png", "1.png", "2.png"]
    for row in found:
        odds = expected(f"digits/{row['file']}")
        assert [c["index"] for c in row["classes"]] == list(np.argsort(-odds)[:3])
        np.testing.assert_allclose([c["probability"] for c in row["classes"]], np.sort(odds)[::-1][:3], rtol=1e-9)
    assert sorted(os.listdir()) == ["digits", "r.jsonl", "small.cnn", "two.cnn", "x.npy"]


@pytest.mark.parametrize("runtime", ["onnxruntime", "pytorch"])
def test_every_runtime(runtime: str) -> None:
    assert run("small.cnn", "digits", "-o", "r.jsonl", runtime=("--runtime", runtime, "--device", "cpu")).code == 0
    for row in lines():
        odds = expected(f"digits/{row['file']}")
        np.testing.assert_allclose([c["probability"] for c in row["classes"]], np.sort(odds)[::-1], rtol=1e-4)


def test_a_compiled_model_gives_the_rows_of_its_spec() -> None:
    convspec("compile", "small.cnn", "--target", "onnx")
    cpu = ("--device", "cpu", "--optimize", "0")
    assert run("small.cnn", "digits", "-o", "a.csv", runtime=cpu).code == 0
    assert run("small.onnx", "digits", "-o", "b.csv", runtime=cpu[:2]).code == 0
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


def test_all_kinds_hold_the_same() -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    Path("names.txt").write_text("zero\none\ntwo\nthree\n")
    Path("digits/1.png").write_bytes(b"junk")
    for kind in ("jsonl", "csv", "parquet"):
        assert run("small.cnn", "digits", "-o", f"r.{kind}", "--labels", "names.txt", "--top", "2").code == 1
    with open("r.csv", newline="") as file:
        from_csv = list(csv.DictReader(file))
    from_parquet = pq.read_table("r.parquet").to_pylist()
    for row, a, b in zip(lines(), from_csv, from_parquet, strict=True):
        assert row["file"] == a["file"] == b["file"]
        assert (row["error"] or "") == a["error"] == (b["error"] or "")
        for place in (1, 2):
            if row["error"]:
                assert a[f"class_{place}"] == "" and b[f"class_{place}"] is None
                continue
            found = row["classes"][place - 1]
            assert found["label"] == a[f"label_{place}"] == b[f"label_{place}"]
            assert found["index"] == int(a[f"class_{place}"]) == b[f"class_{place}"]
            assert found["probability"] == float(a[f"probability_{place}"]) == b[f"probability_{place}"]


def test_raw_outputs() -> None:
    assert run("small.cnn", "digits", "-o", "r.jsonl", "--raw").code == 0
    logits = [
        load("small.cnn").run(read_picture(Path(f"digits/{i}.png"), _input()), "reference")["logits"][0] for i in range(3)
    ]
    assert "classes" not in lines()[0]
    np.testing.assert_allclose([row["outputs"]["logits"] for row in lines()], logits, rtol=1e-12)


def _input() -> Any:
    return load("small.cnn").session("reference").signature.inputs[0]


def test_one_picture_and_several_that_are_named() -> None:
    assert run("small.cnn", "digits/1.png", "-o", "one.jsonl").code == 0
    assert [row["file"] for row in lines("one.jsonl")] == ["digits/1.png"]
    done = run("small.cnn", "digits/2.png", "digits/0.png", "digits/2.png", "-o", "r.jsonl")
    assert [row["file"] for row in lines()] == ["digits/2.png", "digits/0.png"]
    assert "1 picture that was named more than once has one row" in done.out


def test_subfolders() -> None:
    pictures(2, "digits/more")
    assert run("small.cnn", "digits", "-o", "flat.jsonl").code == 0
    assert run("small.cnn", "digits", "-o", "deep.jsonl", "--recursive").code == 0
    assert [row["file"] for row in lines("flat.jsonl")] == ["0.png", "1.png", "2.png"]
    assert [row["file"] for row in lines("deep.jsonl")] == ["0.png", "1.png", "2.png", "more/0000.png", "more/0001.png"]


def test_hostile_names() -> None:
    names = [
        "a,b.png",
        "two\nlines.png",
        "\r.png",
        'q"q.png',
        "\\x41.png",
        "é.png",
        os.fsdecode(b"\xff\xfe.png"),
        " .png",
        "%s.png",
    ]
    Path("odd").mkdir()
    for place, name in enumerate(names):
        shutil.copy(f"digits/{place % 3}.png", f"odd/{name}")
    Path(os.fsdecode(b"odd/\xfe\n.png")).write_bytes(b"junk")
    done = run("small.cnn", "odd", "-o", "r.csv")
    assert done.code == 1
    assert b"cannot read the picture odd/\\xfe\n.png" in Path("r.csv").read_bytes()
    with open("r.csv", newline="", encoding="utf-8") as file:
        found = {row["file"]: row for row in csv.DictReader(file)}
    assert len(found) == 10
    shown_names = {name: os.fsencode(name.replace("\\", "\\\\")).decode("utf-8", "backslashreplace") for name in names}
    for name, shown_name in shown_names.items():
        assert float(found[shown_name]["probability_1"]) == pytest.approx(max(expected(f"odd/{name}")), rel=1e-9)


def test_pictures_of_many_sizes() -> None:
    text = "model Open {\ninput image: float32[N, 1, 2*h, 2*w] as picture()\n"
    Path("open.cnn").write_text(text + "output image -> conv(3, 3x3, pad = 1) -> maxpool(2x2) -> global_avgpool\n}\n")
    Path("sizes").mkdir()
    rng = np.random.default_rng(0)
    sizes = [(8, 8), (8, 8), (6, 4), (8, 8), (7, 8), (6, 4), (6, 4), (2, 2)]
    for place, size in enumerate(sizes):
        Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(f"sizes/{place}.png")
    done = run("open.cnn", "sizes", "-o", "r.jsonl", "--raw")
    assert done.code == 1
    found = lines()
    net = load("open.cnn")
    for place, row in enumerate(found):
        if place == 4:
            assert "found 7" in row["error"] and row["outputs"] is None
            continue
        alone = net.run(read_picture(Path(f"sizes/{place}.png"), net.session("reference").signature.inputs[0]), "reference")
        (name,) = row["outputs"]
        np.testing.assert_allclose(row["outputs"][name], alone[name][0], rtol=1e-12)


def test_a_declared_batch_is_filled_up() -> None:
    Path("three.cnn").write_text(Path("small.cnn").read_text().replace("[N, 1", "[3, 1"))
    pictures(7)
    Path("many/0002.png").write_bytes(b"junk")
    assert run("three.cnn", "many", "-o", "r.jsonl").code == 1
    for row in lines():
        if row["file"] != "0002.png":
            np.testing.assert_allclose(row["classes"][0]["probability"], max(expected(f"many/{row['file']}")), rtol=1e-9)
    assert len(lines()) == 7


# ── pictures that cannot be run ──────────────────────────────────────────────────────────────────────────────


def test_a_bad_picture_is_a_row_and_the_run_goes_on() -> None:
    pictures(50)
    for name in ("0000.png", "0017.png", "0049.png"):
        Path(f"many/{name}").write_bytes(Path(f"many/{name}").read_bytes()[:60])
    os.remove("many/0030.png")
    os.symlink("nowhere", "many/0030.png")
    Path("many/empty.png").touch()
    done = run("small.cnn", "many", "-o", "r.jsonl", "--batch", "8")
    assert done.code == 1
    assert done.err.splitlines()[0] == "error[CNN300]: 4 of 50 pictures could not be run; `error` in r.jsonl says why"
    bad = [row for row in lines() if row["error"] is not None]
    assert [row["file"] for row in bad] == ["0000.png", "0017.png", "0049.png", "empty.png"]
    assert all(row["classes"] is None for row in bad)
    assert len(lines()) == 50
    for row in lines()[15:20]:
        if row["error"] is None:
            assert row["classes"][0]["probability"] == pytest.approx(max(expected(f"many/{row['file']}")), rel=1e-9)


def test_a_picture_that_goes_away_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(5)
    from convspec.runtime import listing

    found = listing.find_pictures

    def and_then_gone(*args: Any) -> Any:
        listed = found(*args)
        os.remove("many/0003.png")
        return listed

    monkeypatch.setattr("convspec.cli.table.find_pictures", and_then_gone)
    assert run("small.cnn", "many", "-o", "r.jsonl").code == 1
    assert [row["error"] for row in lines()][3] == "cannot read the picture many/0003.png: no such file or directory"
    assert [row["error"] is None for row in lines()] == [True, True, True, False, True]


def test_a_disk_that_goes_away_does_not_make_errors_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(100)
    command = ("small.cnn", "many", "--batch", "4", "-o")
    assert run(*command, "whole.jsonl").code == 0
    evaluate, count = reference.evaluate, [0]

    def unmounted(graph: Any, weights: Any, arrays: Any) -> Any:
        count[0] += 1
        if count[0] == 3:
            os.rename("many", "elsewhere")
            Path("many").mkdir()
        return evaluate(graph, weights, arrays)

    with monkeypatch.context() as patched:
        patched.setattr(reference, "evaluate", unmounted)
        done = run(*command, "r.jsonl")
    assert done.code == 1
    assert "pictures are done and kept; the same command continues" in done.err.splitlines()[0]
    assert "\nerror[CNN300]: 20 pictures in a row are not there any more, the last of them many/" in done.err
    assert run(*command, "r.jsonl").code == 1  # an empty folder does not count as a run either
    kept = [json.loads(line) for line in Path("r.jsonl.partial/rows").read_text().splitlines()]
    assert len(kept) >= 4 and kept[-1]["error"] is None  # what went away with the disk has no row yet
    os.rmdir("many")
    os.rename("elsewhere", "many")
    for i in range(60, 90):
        os.remove(f"many/{i:04}.png")
    done = run(*command, "r.jsonl")
    assert "30 pictures not there any more; those without a row will be errors: 0060.png" in done.out
    missing = {f"{i:04}.png" for i in range(60, 90)} | {row["file"] for row in kept if row["error"]}
    assert {row["file"] for row in lines() if row["error"]} == missing
    whole, again = ([row for row in lines(path) if row["file"] not in missing] for path in ("whole.jsonl", "r.jsonl"))
    assert [row["file"] for row in again] == [row["file"] for row in whole]
    for one, two in zip(again, whole, strict=True):  # in batches of other sizes, where some were gone: rounding differs
        assert [each["index"] for each in one["classes"]] == [each["index"] for each in two["classes"]]
        odds, odds_of_whole = ([each["probability"] for each in row["classes"]] for row in (one, two))
        np.testing.assert_allclose(odds, odds_of_whole, rtol=1e-9)


def test_only_bad_pictures() -> None:
    Path("bad").mkdir()
    Path("bad/a.png").write_bytes(b"junk")
    done = run("small.cnn", "bad", "-o", "r.csv")
    assert (done.code, Path("r.csv").read_text().count("\n")) == (1, 2)
    assert "probabilities" not in done.out


def test_json_says_how_many() -> None:
    Path("digits/1.png").write_bytes(b"junk")
    done = run("small.cnn", "digits", "-o", "r.csv", "--format", "json")
    found = json.loads(done.out)
    assert (found["pictures"], found["errors"], found["before"], found["written"]) == (3, 1, 0, ["r.csv"])
    assert (found["softmax"], found["classes_from"], found["batch"]) == (True, "logits", 1)
    assert done.code == 1 and done.err.startswith("error[CNN300]: 1 of 3 pictures could not be run")


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_batches_keep_to_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    evaluate = reference.evaluate

    def spied(graph: Any, weights: Any, arrays: Any) -> Any:
        sizes.append(len(arrays["image"]))
        return evaluate(graph, weights, arrays)

    monkeypatch.setattr(reference, "evaluate", spied)
    pictures(70)
    assert run("small.cnn", "many", "-o", "a.csv").code == 0
    assert sizes == [8] * 8 + [6]
    sizes.clear()
    done = run("small.cnn", "many", "-o", "b.csv", "--memory", "40KB")
    assert done.code == 0 and 1 < max(sizes) < 10 and sum(sizes) == 70
    sizes.clear()
    done = run("small.cnn", "many", "-o", "c.csv", "--memory", "100B")
    assert sizes == [1] * 70
    assert "one picture takes about 6.69 kB, which is more than --memory allows" in done.out
    sizes.clear()
    assert run("small.cnn", "many", "-o", "d.csv", "--memory", "100B", "--batch", "40").code == 0
    assert sizes == [40, 30]


def test_a_compiler_sees_one_size_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fills a batch up leaves no row, and changes none."""
    from convspec.runtime.base import RunOptions

    sizes: list[int] = []
    evaluate = reference.evaluate

    def spied(graph: Any, weights: Any, arrays: Any) -> Any:
        sizes.append(len(arrays["image"]))
        return evaluate(graph, weights, arrays)

    pictures(22)
    Path("many/0005.png").write_bytes(b"junk")
    assert run("small.cnn", "many", "-o", "a.csv", "--batch", "4").code == 1
    monkeypatch.setattr(reference, "evaluate", spied)
    opened = type(reference.RUNTIME).open
    # The reference refuses these options; here it stands for a runtime that has a compiler.
    monkeypatch.setattr(
        type(reference.RUNTIME), "open", lambda self, program, options: opened(self, program, RunOptions("cpu"))
    )
    assert run("small.cnn", "many", "-o", "b.csv", "--batch", "4", "--compile").code == 1
    assert sizes == [4] * 6
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


def test_a_runtime_that_gives_up_gets_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    evaluate = reference.evaluate

    def small(graph: Any, weights: Any, arrays: Any) -> Any:
        if len(arrays["image"]) > 5:
            raise MemoryError
        sizes.append(len(arrays["image"]))
        return evaluate(graph, weights, arrays)

    monkeypatch.setattr(reference, "evaluate", small)
    pictures(80)
    done = run("small.cnn", "many", "-o", "r.jsonl")
    assert (done.code, len(lines())) == (0, 80)
    assert sum(sizes) == 80 and max(sizes) == 5
    assert "the runtime gave up on a batch of 10, so that 5 went in together" in done.out
    assert run("small.cnn", "many", "-o", "s.jsonl", "--batch", "6").code == 1
    assert not Path("s.jsonl").exists()


def test_a_runtime_that_gives_up_on_everything_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any) -> Any:
        raise fail(error("CNN307", "no memory at all"))

    monkeypatch.setattr(reference, "evaluate", never)
    done = run("small.cnn", "digits", "-o", "r.csv")
    assert done.code == 1
    assert done.err.startswith("stopped: no picture was done yet\nerror[CNN307]")
    assert not [name for name in os.listdir() if name.startswith("r.")]
