"""`convspec run -o rows.…` that was stopped goes on where it stood, and refuses what cannot go on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from convspec import load
from convspec.runtime import reference
from tests.cli.tables import REFERENCE, pictures, run


def stop_after(monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    """The runtime raises what Ctrl+C raises, once."""
    evaluate, left = reference.evaluate, [batches]

    def counted(graph: Any, weights: Any, arrays: Any) -> Any:
        left[0] -= 1
        if left[0] == -1:
            raise KeyboardInterrupt
        return evaluate(graph, weights, arrays)

    monkeypatch.setattr(reference, "evaluate", counted)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_interrupted_and_continued(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    pictures(30)
    Path("many/0004.png").write_bytes(b"junk")
    command = ("small.cnn", "many", "--batch", "4", "-o")
    assert run(*command, f"whole.{kind}").code == 1
    with monkeypatch.context() as patched:
        stop_after(patched, 3)
        done = run(*command, f"r.{kind}")
    assert (done.code, done.err) == (130, "interrupted: 12 of 30 pictures are done and kept; the same command continues\n")
    assert not Path(f"r.{kind}").exists()
    done = run(*command, f"r.{kind}")
    assert done.code == 1
    assert done.err.startswith("continuing: 12 of 30 pictures are done\nerror[CNN300]: 1 of 30 pictures could not be run")
    assert "pictures: 30, 12 of them before, in batches of 4" in done.out
    assert Path(f"r.{kind}").read_bytes() == Path(f"whole.{kind}").read_bytes()
    assert not Path(f"r.{kind}.partial").exists()


def test_what_differs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(12)
    pictures(12, "others")
    Path("labels.txt").write_text("a\nb\nc\nd\n")
    load("small.cnn", seed=3).save_weights("w.safetensors")
    command = ["small.cnn", "many", "-o", "r.csv", "--batch", "4"]
    with monkeypatch.context() as patched:
        stop_after(patched, 1)
        assert run(*command).code == 130
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    Path("other.cnn").write_text(Path("small.cnn").read_text().replace("size = 8", "size = 8, crop = 0.9"))
    differing = {
        "weights": [*command, "--seed", "1"],
        "weights:": [*command, "--weights", "w.safetensors"],
        "network": [*command, "--set", "classes=5"],
        "preparation of pictures": ["other.cnn", *command[1:]],
        "pictures": ["small.cnn", "others", *command[2:]],
        "columns": [*command, "--top", "2"],
        "labels": [*command, "--labels", "labels.txt"],
        "classes from": [*command, "--raw"],
        "subfolders": [*command, "--recursive"],
        "runtime": [*command, "--runtime", "pytorch"],
    }
    for name, other in differing.items():
        done = run(*other, runtime=() if name == "runtime" else REFERENCE)
        assert done.code == 1, name
        assert done.err.startswith("error[CNN403]: r.csv.partial is an unfinished run that differs from this one\n"), done.err
        assert f"  = {name.rstrip(':')}: " in done.err
        assert "--overwrite" in done.err
    os.remove("other.cnn")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    same = run("small.cnn", Path("many").absolute(), *command[2:], "--memory", "1GB")  # none of this changes results
    assert (same.code, same.err) == (0, "continuing: 4 of 12 pictures are done\n")


def test_finished_results_stay() -> None:
    assert run("small.cnn", "digits", "-o", "r.csv").code == 0
    before = Path("r.csv").read_bytes()
    done = run("small.cnn", "digits", "-o", "r.csv", "--seed", "1")
    assert (done.code, done.err) == (
        1,
        "error[CNN403]: r.csv is there already\n  = name another file, or replace it: --overwrite\n",
    )
    assert Path("r.csv").read_bytes() == before
    assert run("small.cnn", "digits", "-o", "r.csv", "--seed", "1", "--overwrite").code == 0
    assert Path("r.csv").read_bytes() != before


def test_what_cannot_be_said_is_told() -> None:
    table = {
        ("--batch", "0"): "--batch takes auto, or an integer of at least 1, not `0`",
        ("--batch", "many"): "--batch takes auto, or an integer of at least 1, not `many`",
        ("--memory", "lots"): "--memory takes a size such as 2GB, 1.5GiB or 800MB, not `lots`",
        ("--memory", "0GB"): "--memory takes a size such as 2GB, 1.5GiB or 800MB, not `0GB`",
        ("--memory", "2XB"): "--memory takes a size such as 2GB, 1.5GiB or 800MB, not `2XB`",
    }
    for options, message in table.items():
        done = run("small.cnn", "digits", "-o", "r.csv", *options)
        assert (done.code, done.err) == (1, f"error[CNN401]: {message}\n")


def test_options_that_say_nothing_are_refused() -> None:
    rows = "which are not asked for\n  = leave it out, or name a .jsonl, .csv or .parquet file with --output\n"
    for option in ("--raw", "--overwrite"):
        for output in ((), ("-o", "r.npz")):
            done = run("small.cnn", "digits", *output, option)
            assert (done.code, done.err) == (1, f"error[CNN401]: {option} is about rows, {rows}")
    done = run("small.cnn", "digits", "-o", "r.csv", "--raw", "--top", "3")
    assert (done.code, done.err) == (1, "error[CNN401]: --top is about classes, but --raw writes every output as numbers\n")
    assert not [name for name in os.listdir() if name.startswith("r.")]


def foreign(shape: list[Any]) -> None:
    """`mean.onnx`, which takes pictures 12x10 and gives the mean over all of them; `shape` is what it declares of that."""
    from onnx import TensorProto, helper, save

    nodes = [helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=1)]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 12, 10])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [0])
    graph = helper.make_graph(nodes, "mean", [x], [y], [axes])
    save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]), "mean.onnx")


@pytest.mark.parametrize("shape", [[1, 1, 12, 10], ["m", 1, 12, 10]])
def test_an_output_that_has_no_row_for_each_picture(shape: list[Any]) -> None:
    """Whether the file says so or not."""
    foreign(shape)
    done = run("mean.onnx", "digits", "-o", "r.csv", runtime=("--device", "cpu"))
    assert (done.code, [name for name in os.listdir() if name.startswith("r.")]) == (1, [])
    assert "it has no row for each picture\n  = write .npz, which takes outputs as they are" in done.err
    assert run("mean.onnx", "digits", "-o", "r.npz", runtime=("--device", "cpu")).code == 0


def test_the_results_among_the_pictures() -> None:
    assert run("small.cnn", "digits", "-o", "digits/r.csv").code == 0
    assert sorted(os.listdir("digits")) == ["0.png", "1.png", "2.png", "r.csv"]
