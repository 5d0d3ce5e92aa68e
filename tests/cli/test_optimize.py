"""`--optimize` and `--report` of compile and verify, and the optimiser behind `convspec.Net`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from convspec import Failure, load
from convspec.passes import pipelines
from convspec.passes.base import Pass
from convspec.passes.draft import Draft
from tests.cli.helpers import convspec

NORMED = """model Normed {
    input image: float32[N, 3, 8, 8]
    output logits = image -> c: conv(4, 3x3, pad = 1, bias = false) -> n: batchnorm -> relu -> dropout(0.5)
        -> flatten -> fc: linear(5)
}
"""


@pytest.fixture
def normed() -> Path:
    path = Path("normed.cnn")
    path.write_text(NORMED)
    return path


def test_level_0_keeps_every_label(normed: Path) -> None:
    convspec("compile", normed, "--target", "onnx")
    found = onnx.load("normed.onnx")
    assert {"c.weight", "n.running_mean", "fc.bias"} <= {tensor.name for tensor in found.graph.initializer}
    assert "convspec.rewritten" not in {entry.key for entry in found.metadata_props}


def test_the_report_names_lines_and_layers(normed: Path) -> None:
    done = convspec("compile", normed, "--target", "onnx", "--optimize", "1", "--report")
    assert (done.code, done.err) == (0, "")
    assert "normed.cnn:3" in done.out
    assert "fold_batchnorm" in done.out
    model = onnx.load("normed.onnx")
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    assert {entry.key: entry.value for entry in model.metadata_props}["convspec.rewritten"] == "optimised at level 1"


def test_the_report_as_json(normed: Path) -> None:
    done = convspec("compile", normed, "--target", "onnx", "--optimize", "1", "--report", "--format", "json")
    found = json.loads(done.out)["rewriting"][0]
    assert found["level"] == 1
    assert found["nodes"]["after"] < found["nodes"]["before"]
    assert any("n" in change["layers"] for change in found["changes"])


def test_a_report_without_optimisation_says_so(normed: Path) -> None:
    assert "not rewritten" in convspec("compile", normed, "--target", "onnx", "--report").out


@pytest.mark.parametrize("target", ["onnx", "pytorch", "tensorflow"])
def test_every_target_takes_an_optimised_network(normed: Path, target: str) -> None:
    done = convspec("verify", normed, "--targets", target, "--optimize", "2")
    assert (done.code, done.err) == (0, ""), done.out


def test_outputs_stay(normed: Path) -> None:
    net = load(normed)
    x = np.random.default_rng(0).normal(size=(3, 3, 8, 8)).astype(np.float32)
    expected = net.run(x, "reference")["logits"]
    for level in (0, 1, 2):
        np.testing.assert_allclose(net.run(x, "pytorch", optimize=level)["logits"], expected, rtol=1e-4, atol=1e-6)
    optimised = net.optimise(2)
    assert len(optimised.reports) == 1 and not net.reports
    np.testing.assert_allclose(optimised.run(x, "reference")["logits"], expected, rtol=1e-4, atol=1e-6)


def test_verify_finds_a_pass_that_is_wrong(normed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drop_activations(draft: Draft) -> None:
        for node in draft.nodes():
            if node.op.name == "relu":
                draft.rewrite([node], same={node.outputs[0]: node.inputs[0]})

    wrong = Pass("drop_activations", "wrong", drop_activations)
    monkeypatch.setitem(pipelines.PIPELINES, 1, (*pipelines.LEVEL_1, wrong))
    done = convspec("verify", normed, "--targets", "onnx,pytorch", "--optimize", "1")
    assert done.code == 1
    assert "FAIL" in done.out
    assert "`drop_activations` is wrong here" in done.out
    assert "normed.cnn:3" in done.out


def test_optimised_networks_have_no_gradients(normed: Path) -> None:
    done = convspec("verify", normed, "--optimize", "1", "--gradients")
    assert done.code == 1
    assert "for inference" in done.err


def test_levels_that_are_none(normed: Path) -> None:
    assert convspec("compile", normed, "--target", "onnx", "--optimize", "3").code == 2
    with pytest.raises(Failure, match="CNN401"):
        load(normed).optimise(3)


def test_the_weights_file_is_spared(normed: Path) -> None:
    load(normed).save_weights("net.safetensors")
    before = Path("net.safetensors").read_bytes()
    done = convspec("compile", normed, "--target", "pytorch", "--weights", "net.safetensors", "-o", "net.py", "--optimize", "1")
    assert done.code == 1 and "CNN400" in done.err
    assert Path("net.safetensors").read_bytes() == before


def test_generated_pytorch_says_that_it_was_optimised(normed: Path) -> None:
    convspec("compile", normed, "--target", "pytorch", "--optimize", "1")
    text = Path("normed.py").read_text()
    assert "optimised at level 1" in text
    assert "BatchNorm" not in text


def test_low_precision_is_verified_against_what_rounding_costs(normed: Path) -> None:
    done = convspec("verify", normed, "--precision", "fp16")
    assert (done.code, done.err) == (0, ""), done.out
    assert "float16" in done.out and "9 passed" in done.out


def test_half_the_file(normed: Path) -> None:
    convspec("compile", normed, "--target", "onnx", "--optimize", "1", "-o", "wide.onnx")
    done = convspec("compile", normed, "--target", "onnx", "--precision", "fp16", "-o", "low.onnx", "--report")
    assert (done.code, done.err) == (0, "")
    assert "in float16" in done.out
    stored = {tensor.name: tensor for tensor in onnx.load("low.onnx").graph.initializer}
    assert stored["fc.weight"].data_type == onnx.TensorProto.FLOAT16


def test_a_precision_that_is_none(normed: Path) -> None:
    done = convspec("compile", normed, "--target", "onnx", "--precision", "fp8")
    assert done.code == 1 and "fp16" in done.err
