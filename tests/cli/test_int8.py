"""`convspec compile --precision int8`, and that its options are for nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.helpers import convspec

pytest.importorskip("onnxruntime")

EXAMPLES = Path(__file__).parents[2] / "examples"
LENET = (EXAMPLES / "lenet5.cnn", "--weights", EXAMPLES / "lenet5.safetensors")
DIGITS = ("--precision", "int8", "--calibrate", EXAMPLES / "digits")


def test_a_model_and_what_it_lost(tmp_path: Path) -> None:
    done = convspec("compile", *LENET, "--target", "onnx", "-o", tmp_path / "lenet.onnx", *DIGITS)
    assert (done.code, done.err) == (0, "")
    first, ranges, against, logits, size, wrote = done.out.splitlines()
    assert first == "quantised: 3 × Conv, 2 × Gemm"
    assert ranges.startswith("ranges from 8 items of ")
    assert against == "against float32 on 2 items held back:"
    assert logits.startswith("  logits: scaled error ") and "top-1 agreement 100.0 %" in logits
    assert size.startswith("model: ") and wrote == f"wrote {tmp_path / 'lenet.onnx'}"
    digit = convspec("run", tmp_path / "lenet.onnx", "--input", EXAMPLES / "digits" / "7.png", "--format", "json")
    assert digit.code == 0


def test_as_json_with_layers_kept(tmp_path: Path) -> None:
    options = (
        *DIGITS,
        "--keep",
        "logits",
        "--calibration-method",
        "percentile",
        "--reduce-range",
        "--report",
        "--format",
        "json",
    )
    done = convspec("compile", *LENET, "--target", "onnx", "-o", tmp_path / "lenet.onnx", *options)
    told = json.loads(done.out)
    assert told["quantisation"]["excluded"] == ["logits"]
    assert told["quantisation"]["quantised"] == {"Conv": 3, "Gemm": 1}
    assert told["files"][0]["bytes"] == (tmp_path / "lenet.onnx").stat().st_size
    assert told["rewriting"][0]["level"] == 1


@pytest.mark.parametrize(("options", "told"), [
    (("--precision", "int8", "--target", "onnx"), "int8 needs data to measure ranges on"),
    (("--target", "onnx", "--calibrate", "x"), "--calibrate is for int8"),
    (("--target", "onnx", "--precision", "fp16", "--keep", "head"), "--keep is for int8"),
    (("--target", "onnx", "--reduce-range"), "--reduce-range is for int8"),
    ((*DIGITS, "--target", "pytorch"), "int8 is for the target onnx, not pytorch"),
    ((*DIGITS, "--target", "onnx", "--external-data"), "--external-data does not go with int8"),
    ((*DIGITS, "--target", "onnx", "--keep", "nothing"), "no layer that could be quantised is called `nothing`"),
    ((*DIGITS, "--target", "onnx", "--calibration-method", "mean"), "there is no calibration method `mean`"),
    ((*DIGITS, "--target", "onnx", "--opset", "12"), "opset 12 has no scale for each channel"),
])  # fmt: skip
def test_options_that_do_not_fit(options: tuple[str | Path, ...], told: str, tmp_path: Path) -> None:
    done = convspec("compile", *LENET, "-o", tmp_path, *options)
    assert done.code == 1
    assert done.err.startswith("error[CNN401]: ") and told in done.err
    assert not list(tmp_path.glob("*.onnx"))
