"""`convspec verify`: its table, its JSON, and above all its exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import convspec as package
from convspec import ops
from convspec.ir.lowering import Arg, Call
from tests.cli.helpers import convspec


@pytest.fixture
def wrong_relu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A relu that is something else on ONNX."""
    home = import_module("convspec.ops.relu")
    lower = {**home.OP.lower, "onnx": lambda a, x: Call("Softplus", (Arg(0),))}
    monkeypatch.setattr(home, "OP", replace(home.OP, lower=lower))
    ops.find.cache_clear()
    yield
    monkeypatch.undo()
    ops.find.cache_clear()


def _uninstall(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    def importing(name: str) -> Any:
        if name in packages:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return import_module(name)

    monkeypatch.setattr("convspec.runtime.devices.import_module", importing)


def test_a_sound_network_exits_0() -> None:
    done = convspec("verify", "small.cnn", "--gradients", "--train-steps", "2")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "Small, weights: drawn for the comparison from seed 0; inputs from seed 0"
    assert lines[2].split() == [
        "target",
        "runtime",
        "device",
        "in",
        "sizes",
        "what",
        "against",
        "error",
        "gate",
        "result",
        "worst",
    ]
    assert {line.split()[0] for line in lines[4:-2] if line} == {"onnx", "pytorch", "tensorflow"}
    assert any("weights after 2 steps" in line for line in lines)
    assert lines[-1].startswith("verified: ")


def test_a_wrong_one_exits_1_and_shows_the_line(wrong_relu: None) -> None:
    done = convspec("verify", "small.cnn", "--targets", "onnx,pytorch")
    assert done.code == 1
    assert "error[CNN308]: onnx leaves reference at the layer `relu1`" in done.out
    assert "--> small.cnn:3:" in done.out and "logits = image" in done.out
    assert done.out.splitlines()[-1] == "NOT verified: 3 passed, 1 failed"


def test_json_says_the_same(wrong_relu: None) -> None:
    done = convspec("verify", "small.cnn", "--targets", "onnx,pytorch", "--format", "json")
    assert done.code == 1
    found = json.loads(done.out)
    assert found["passed"] is False
    assert [(row["target"], row["status"]) for row in found["rows"]] == [
        ("onnx", "fail"),
        ("pytorch", "pass"),
        ("pytorch", "pass"),
        ("pytorch", "pass"),
    ]
    (divergence,) = found["divergences"]
    assert (divergence["label"], divergence["diagnostic"]["line"]) == ("relu1", 3)


def test_what_is_not_installed_is_listed_and_fails_only_if_it_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _uninstall(monkeypatch, "torch", "tensorflow")
    done = convspec("verify", "small.cnn")
    assert done.code == 0
    assert "not run: torch is not installed" in done.out and "not run: tensorflow is not installed" in done.out
    assert convspec("verify", "small.cnn", "--targets", "onnx,pytorch").code == 1
    assert convspec("verify", "small.cnn", "--gradients").code == 1


def test_nothing_installed_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    _uninstall(monkeypatch, "torch", "tensorflow", "onnxruntime")
    done = convspec("verify", "small.cnn")
    assert done.code == 1 and done.out.splitlines()[-1] == "NOT verified: 0 passed, 3 not run"


def test_weights_of_a_file_are_used() -> None:
    package.load("small.cnn", seed=4).save_weights("mine.safetensors")
    done = convspec("verify", "small.cnn", "--targets", "onnx", "--weights", "mine.safetensors", "--seed", "9")
    assert done.code == 0
    assert done.out.startswith("Small, weights: mine.safetensors; inputs from seed 9\n")
    Path("small.cnn").write_text(Path("small.cnn").read_text().replace("conv(3,", "conv(5,"))
    refused = convspec("verify", "small.cnn", "--targets", "onnx", "--weights", "mine.safetensors")
    assert refused.code == 1 and "error[CNN201]" in refused.err


def test_a_parameter_is_set() -> None:
    done = convspec("verify", "small.cnn", "--targets", "onnx", "--set", "classes=7", "--format", "json")
    assert done.code == 0 and json.loads(done.out)["passed"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--targets", "caffe"], "error[CNN401]: there is no target `caffe`"),
        (["--targets", ","], "error[CNN401]: no target is named"),
        (["--targets", "onnx", "--gradients"], "error[CNN401]: gradients and training are compared"),
        (["--device", "tpu"], "error[CNN305]: there is no device `tpu`"),
        (["--weights", "none.safetensors"], "error[CNN200]"),
        (["--model", "Nope"], "error[CNN"),
    ],
)
def test_a_bad_option_is_explained(options: list[str], message: str) -> None:
    done = convspec("verify", "small.cnn", *options)
    assert done.code == 1 and message in done.err and done.out == ""


def test_a_negative_number_of_steps_is_usage() -> None:
    assert convspec("verify", "small.cnn", "--train-steps", "-1").code == 2
