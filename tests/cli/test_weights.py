"""`convspec weights`, and weights in other commands: every format in and out, and nothing written where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import convspec as package
from tests.cli.helpers import convspec

SUFFIXES = (".safetensors", ".pt", ".pth", ".weights.h5", ".keras", ".onnx")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_goes_out_and_comes_in(suffix: str) -> None:
    assert convspec("weights", "init", "small.cnn", "-o", "first.safetensors", "--seed", "4").code == 0
    out = convspec("weights", "convert", "small.cnn", "first.safetensors", "-o", f"w{suffix}")
    assert out.code == 0, out.err
    assert f"wrote w{suffix} (" in out.out
    listed = json.loads(convspec("weights", "list", f"w{suffix}", "--format", "json").out)
    assert listed["total"]["numbers"] == sum(array.size for array in package.load("small.cnn").weights.values())
    assert convspec("weights", "check", "small.cnn", f"w{suffix}").out == f"w{suffix} fits Small: 4 tensors\n"
    back = convspec("weights", "convert", "small.cnn", f"w{suffix}", "-o", "last.safetensors", "--format", "json")
    rows = {row["label"]: row for row in json.loads(back.out)["tensors"]}
    assert list(rows) == list(package.load("small.cnn").weights)
    assert Path("first.safetensors").read_bytes() == Path("last.safetensors").read_bytes()
    same = convspec("weights", "diff", "first.safetensors", f"w{suffix}", "--spec", "small.cnn")
    assert (same.code, same.out) == (0, "0 removed, 0 added, 0 changed, 4 same\n")


@pytest.mark.parametrize("suffix", [".pt", ".weights.h5", ".onnx"])
def test_commands_take_any_of_them(suffix: str) -> None:
    assert convspec("weights", "init", "small.cnn", "-o", f"w{suffix}", "--seed", "9").code == 0
    done = convspec("run", "small.cnn", "--input", "x.npy", "--weights", f"w{suffix}", "--output", "y.npy")
    assert done.code == 0, done.err
    wanted = package.load("small.cnn", seed=9).run(np.load("x.npy"))["logits"]
    np.testing.assert_array_equal(np.load("y.npy"), wanted)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_written_where_weights_do_not_fit(suffix: str) -> None:
    package.load("small.cnn", settings={"classes": 9}).save_weights("wide.safetensors")
    done = convspec("weights", "convert", "small.cnn", "wide.safetensors", "-o", f"w{suffix}")
    assert done.code == 1
    assert "`fc.weight` is [9, 48]" in done.err
    assert not Path(f"w{suffix}").exists()


def test_verify_takes_weights_in_part() -> None:
    package.load("small.cnn", settings={"classes": 9}).save_weights("wide.safetensors")
    done = convspec("verify", "small.cnn", "--targets", "onnx", "--weights", "wide.safetensors", "--allow-missing", "fc.*")
    assert done.code == 0, done.err
    assert "drawn from the seed: 2 tensors" in done.err


def test_the_spec_and_what_it_uses_are_not_overwritten() -> None:
    Path("block.cnn").write_text("block B(x) {\n    return x -> linear(2)\n}\n")
    Path("net.cnn").write_text('use B from "block.cnn"\nmodel M {\n    input x: float32[N, 2]\n    output x -> b: B\n}\n')
    Path("link.safetensors").symlink_to("block.cnn")
    before = Path("block.cnn").read_text()
    done = convspec("weights", "init", "net.cnn", "-o", "link.safetensors")
    assert (done.code, Path("block.cnn").read_text()) == (1, before)
    assert "error[CNN400]" in done.err


def test_differences_of_numbers_that_are_none() -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.array([1, np.nan], np.float32), "b": np.array([0.0], np.float32)}, "one.safetensors")
    save_file({"a": np.array([1, 2], np.float32), "b": np.array([-0.0], np.float32)}, "two.safetensors")
    assert convspec("weights", "diff", "one.safetensors", "one.safetensors").code == 0
    found = json.loads(convspec("weights", "diff", "one.safetensors", "two.safetensors", "--format", "json").out)
    assert [(item["name"], item["max_difference"]) for item in found["changed"]] == [("a", None), ("b", 0.0)]


def test_levels_are_taken_away_and_put_before() -> None:
    from safetensors.numpy import load_file, save_file

    package.load("small.cnn").save_weights("good.safetensors")
    save_file({f"module.{name}": array for name, array in load_file("good.safetensors").items()}, "wrapped.safetensors")
    refused = convspec("weights", "check", "small.cnn", "wrapped.safetensors")
    assert "--map module=" in refused.err
    assert convspec("weights", "check", "small.cnn", "wrapped.safetensors", "--map", "module=").code == 0
    wrong = convspec("weights", "check", "small.cnn", "wrapped.safetensors", "--map", "module")
    assert "error[CNN401]: --map takes NAME=LABEL, not `module`" in wrong.err


def test_many_misfits_of_one_kind_are_cut_in_text_alone() -> None:
    from safetensors.numpy import save_file

    save_file({f"other{i}.x": np.zeros(1, np.float32) for i in range(40)}, "other.safetensors")
    text = convspec("weights", "check", "small.cnn", "other.safetensors").err
    assert text.count("not in the spec: ") == 13
    assert "not in the spec: … and 28 more (--format json lists all)" in text
    found = json.loads(convspec("weights", "check", "small.cnn", "other.safetensors", "--format", "json").out)
    assert sum(note.startswith("not in the spec: ") for note in found["diagnostics"][0]["notes"]) == 40
