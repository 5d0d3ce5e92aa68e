"""`convspec bench` from the command line: what it writes, what it refuses, and its exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from convspec import load
from convspec.bench.messages import Refused
from convspec.bench.peaks import Peaks
from convspec.bench.pool import Lane
from convspec.cli.bench import _Progress
from tests.bench.local import LocalLane
from tests.cli.helpers import convspec

QUICK = ("--rounds", "2", "--time", "0")


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring a CPU takes seconds, and a process for each subject too; one test does both."""

    def known(device: str, precisions: Sequence[str], threads: int | None) -> dict[str, Peaks]:
        return {name: Peaks("CPU", name, 1e11, 1e10, "for tests") for name in precisions}

    if "processes" not in request.node.name:
        monkeypatch.setattr("convspec.bench.pool._start", LocalLane)
        monkeypatch.setattr("convspec.bench.run.find_peaks", known)


def test_a_table_and_a_chart_from_processes_with_peaks_that_are_measured() -> None:
    done = convspec("bench", "small.cnn", *QUICK, "-o", "chart.svg")
    assert done.code == 0 and done.err == ""
    assert "small.cnn, batch 1: image [1, 1, 8, 8]" in done.out and "onnxruntime fp32 O1" in done.out
    assert "wrote chart.svg" in done.out and "noise: " in done.out and "drawn from seed 0" in done.out
    assert "roofline: CPU at fp32: " in done.out and "a stream triad" in done.out
    assert ElementTree.parse("chart.svg").getroot().tag.endswith("svg")


def test_json_for_two_networks_and_two_batches() -> None:
    Path("deep.cnn").write_text(Path("small.cnn").read_text().replace("-> relu", "-> relu -> conv(3, 3x3, pad = 1)"))
    done = convspec("bench", "small.cnn", "deep.cnn", "--runtime", "reference", "--batch", "1,2", *QUICK, "--format", "json")
    found = json.loads(done.out)
    assert done.code == 0 and [table["batch"] for table in found["tables"]] == [1, 2]
    for table in found["tables"]:
        assert [row["network"] for row in table["rows"]] == ["small.cnn", "deep.cnn"]
        small, deep = table["rows"]
        assert small["agreement"] is deep["agreement"] is None, "two networks are not compared with each other"
        assert (
            deep["work"]["flops"] > small["work"]["flops"] and small["timing"]["speedup"] is deep["timing"]["speedup"] is None
        )


def test_all_numbers_and_a_picture_go_to_files() -> None:
    assert convspec("bench", "small.cnn", "--runtime", "reference", *QUICK, "-o", "all.json").code == 0
    assert json.loads(Path("all.json").read_text())["agreed"]
    assert convspec(
        "bench", "small.cnn", "--runtime", "reference", *QUICK, "-o", "chart.png", "--format", "svg"
    ).out.startswith("<svg")
    with Image.open("chart.png") as image:
        assert image.width > 1000


def test_against_a_file_of_other_weights_it_fails() -> None:
    load("small.cnn", seed=5).to_onnx("other.onnx")
    done = convspec("bench", "small.cnn", "--against", "other.onnx", *QUICK)
    assert done.code == 1
    failed = next(line for line in done.out.splitlines() if line.startswith("other.onnx"))
    assert "FAILED: its outputs are not those of onnxruntime fp32 O1" in failed and "ms" not in failed
    assert convspec("bench", "small.cnn", "--against", "other.onnx", "--weights", "other.onnx", *QUICK).code == 0


def test_a_runtime_that_is_missing_is_a_row_and_alone_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # as if it were not there, also where another test imported it
    done = convspec("bench", "small.cnn", "--runtime", "reference,tensorflow", *QUICK)
    assert done.code == 0 and "not run: the runtime tensorflow is not installed" in done.out
    alone = convspec("bench", "small.cnn", "--runtime", "tensorflow", *QUICK)
    assert alone.code == 1 and alone.out == "" and "error[CNN303]: the runtime tensorflow is not installed" in alone.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["small.cnn", "--runtime", "caffe"], "CNN305", "no runtime `caffe`"),
        (["small.cnn", "--runtime", "pytorch:quick"], "CNN305", "no switch `quick`"),
        (["small.cnn", "--runtime", ","], "CNN401", "--runtime names nothing"),
        (["small.cnn", "--precision", "fp8"], "CNN305", "no precision `fp8`"),
        (["small.cnn", "--optimize", "4"], "CNN401", "no optimisation level 4"),
        (["small.cnn", "--batch", "0"], "CNN401", "--batch takes integers of at least 1"),
        (["small.cnn", "--batch", "two"], "CNN401", "not `two`"),
        (["small.cnn", "--sizes", "q=7"], "CNN401", "no symbolic size `q`"),
        (["small.cnn", "--sizes", "h"], "CNN401", "--sizes takes NAME=INTEGER"),
        (["two.cnn"], "CNN401", "nothing says what h and w are"),
        (["small.cnn", "two.cnn", "--model", "Two"], "CNN401", "--model speaks of one network"),
        (["small.cnn", "-o", "chart.pdf"], "CNN401", "cannot tell what to write as chart.pdf"),
        (["small.cnn", "-o", "nowhere/chart.svg"], "CNN400", "the folder nowhere does not exist"),
        (["small.cnn", "--against", "small.cnn"], "CNN401", "--against takes an .onnx model"),
        (["small.cnn", "--runtime", "reference", "--device", "cuda"], "CNN304", "cuda"),
        (["small.cnn", "--device", "tpu"], "CNN305", "no device `tpu`"),
        (["missing.cnn"], "CNN010", "missing.cnn"),
        (["missing.onnx"], "CNN306", "missing.onnx"),
        (["x.onnx", "--weights", "w.safetensors"], "CNN401", "--weights says nothing about a compiled model"),
    ],
)
def test_what_is_refused(arguments: list[str], code: str, message: str) -> None:
    done = convspec("bench", *arguments, *QUICK)
    assert done.code == 1 and done.out == "" and f"error[{code}]" in done.err and message in done.err


def test_what_is_refused_can_be_read_by_a_program() -> None:
    done = convspec("bench", "small.cnn", "--runtime", "caffe", "--format", "json")
    assert done.code == 1 and json.loads(done.out)["diagnostics"][0]["code"] == "CNN305"


def test_ctrl_c_shows_what_is_measured_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    def say(self: _Progress, text: str) -> None:
        if text == "batch 4: round 1":
            raise KeyboardInterrupt

    monkeypatch.setattr(_Progress, "say", say)
    done = convspec("bench", "small.cnn", "--runtime", "reference", "--batch", "1,4,9", *QUICK)
    assert done.code == 130 and "interrupted: this is what was measured until then" in done.out
    assert "small.cnn, batch 1:" in done.out and "small.cnn, batch 4:" in done.out and "batch 9" not in done.out


def test_a_bug_is_called_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Lane) -> None:
        self.opened, self.refused = None, Refused("", "a bug in convspec: KeyError: 'x'", trace="Traceback of the child")

    monkeypatch.setattr(Lane, "wait_open", broken)
    done = convspec("bench", "small.cnn", "--runtime", "reference", *QUICK)
    assert done.code == 70 and "this is a bug in convspec" in done.err and "Traceback of the child" in done.err
