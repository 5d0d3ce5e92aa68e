"""`verify` as a whole: what is right passes; a layer with another meaning on one target fails, and is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import convspec
from convspec.diagnostics import Failure
from convspec.ir.lowering import Arg, Call, Unsupported
from convspec.ops import batchnorm, conv
from convspec.verify.report import Report
from tests.verify.conftest import Break
from tests.verify.helpers import DROPS, NET, failed, module, statuses, verified

TARGETS = ("onnx", "pytorch", "tensorflow")


def test_a_network_passes_on_every_target_forward_backward_and_in_training() -> None:
    report = verified(NET.replace("pad = 1)", "pad = 1, bias = false)"), gradients=True, train_steps=3)
    assert report.passed and not report.divergences and not report.notes
    found = statuses(report)
    assert set(found.values()) == {"pass"}
    assert {(target, "inference", "outputs") for target in TARGETS} <= set(found)
    for quantity in ("outputs", "input gradients", "weight gradients", "running statistics", "weights after 3 steps"):
        assert ("tensorflow", "training", quantity) in found
    for quantity in ("input gradients", "weight gradients"):
        assert ("tensorflow", "inference", quantity) in found
    assert len({tuple(row.sizes.items()) for row in report.rows if row.target == "onnx"}) == 3
    assert {row.sizes["N"] for row in report.rows} == {1, 2, 3}


def test_a_bias_before_a_batch_norm_has_a_gradient_of_zero_which_passes_and_is_told() -> None:
    report = verified(NET, "pytorch", "tensorflow", train_steps=1)
    assert report.passed and set(statuses(report).values()) == {"pass"}
    (told,) = [row for row in report.rows if row.note]
    assert told.quantity == "weight gradients" and told.mode == "training"
    assert "0 but for rounding" in told.note and "Stem1.conv1.bias" in told.note and "weight" not in told.note


def test_dropout_of_every_kind_takes_one_mask_on_both_frameworks() -> None:
    report = verified(DROPS, gradients=True, train_steps=3)
    assert report.passed
    assert report.notes == [
        "training: 3 masks drawn here for dropout, the same in both frameworks; their own generators are not compared"
    ]
    assert statuses(report)["tensorflow", "training", "outputs"] == "pass"


def test_given_weights_are_used_and_another_seed_gives_other_inputs() -> None:
    weights = {name: np.zeros_like(array) for name, array in convspec.loads(NET).weights.items()}
    report = convspec.loads(NET, weights=weights).verify(["onnx"], seed=5)
    assert report.weights == "given" and report.seed == 5 and report.passed
    assert report.notes == ["fc: the reference gives zeros throughout, which proves little"]


# ── what is broken ───────────────────────────────────────────────────────────────────────────────────────────


RIGHT_CONV = conv.OP.lower["onnx"]


def _shifted_relu(fn: str) -> Callable[..., Any]:
    """max(x, 0) + 0.01"""
    return lambda a, x: Call("+", (Call(fn, (Arg(0),)), 0.01))


WRONG_RELU = {
    "onnx": lambda a, x: Call("Softplus", (Arg(0),)),
    "pytorch": _shifted_relu("F.relu"),
    "tensorflow": _shifted_relu("ops.relu"),
}


@pytest.mark.parametrize("target", TARGETS)
def test_a_wrong_layer_is_found_with_its_line_and_both_values(target: str, break_op: Break) -> None:
    break_op("relu", target, WRONG_RELU[target])
    report = verified()
    assert not report.passed
    assert {row.target for row in failed(report)} == {target}, "the other targets are sound"
    (divergence,) = report.divergences
    assert (divergence.target, divergence.label, divergence.op) == (target, "relu1", "relu")
    primary = divergence.diagnostic.primary
    assert primary is not None and primary.span.line == 7 and "output" in NET.splitlines()[6]
    assert divergence.found is not None and divergence.expected is not None and divergence.difference is not None
    assert divergence.expected.shape == (1, 6, 1, 1) == divergence.found.shape
    assert divergence.difference.position == (0, 0, 0, 0)
    shown = str(report)
    assert "error[CNN308]" in shown and "net.cnn:7:17" in shown and "NOT verified" in shown


def test_a_layer_in_a_block_is_shown_with_the_way_to_it(break_op: Break) -> None:
    def padded_elsewhere(a: Any, x: Any) -> Any:
        return RIGHT_CONV(replace(a, pad=((2, 0), (1, 1))) if x.channels == 4 else a, x)

    break_op("conv", "onnx", padded_elsewhere)
    report = verified(NET, "onnx")
    (divergence,) = report.divergences
    assert divergence.label == "Stem2.conv1"
    assert divergence.diagnostic.frames == ("in Stem, called at net.cnn:6",)


def test_a_wrong_gradient_is_found_although_the_outputs_agree(break_op: Break) -> None:
    def half_of_it_stopped(a: Any, x: Any) -> Any:
        relu = Call("ops.relu", (Arg(0),))
        return Call("+", (Call("*", (relu, 0.5)), Call("*", (Call("ops.stop_gradient", (relu,)), 0.5))))

    break_op("relu", "tensorflow", half_of_it_stopped)
    report = verified(NET, "tensorflow", gradients=True)
    assert {row.quantity for row in failed(report)} == {"input gradients", "weight gradients"}
    (divergence,) = report.divergences
    assert (divergence.label, divergence.quantity) == ("relu1", "gradients")
    assert divergence.found is not None and divergence.expected is not None
    assert divergence.found.most is not None and divergence.expected.most is not None
    assert divergence.found.most == pytest.approx(divergence.expected.most / 2)


def test_wrong_running_statistics_are_found_though_all_else_agrees(break_op: Break) -> None:
    def slow(a: Any, x: Any) -> Any:
        right: Any = batchnorm.to_keras(a, x)
        return replace(right, kwargs={"momentum": 0.99})

    break_op("batchnorm", "tensorflow", slow)
    report = verified(NET, "tensorflow", train_steps=2)
    assert [row.quantity for row in failed(report)] == ["running statistics"]
    (divergence,) = report.divergences
    assert divergence.label in ("Stem1.batchnorm1", "Stem2.batchnorm1")


def test_a_layer_that_is_wrong_in_training_alone_is_found(break_op: Break) -> None:
    """The biased variance in training, divided by n - 1 instead of n."""

    def unbiased(a: Any, x: Any) -> Any:
        right: Any = batchnorm.to_keras(a, x)
        return replace(right, kwargs={"epsilon": 0.5}) if x.channels == 6 else right

    break_op("batchnorm", "tensorflow", unbiased)
    report = verified(NET, "tensorflow", train_steps=1)
    assert report.divergences[-1].label == "Stem2.batchnorm1"


def test_a_framework_that_gives_up_is_a_row_with_the_layer(break_op: Break) -> None:
    break_op("maxpool", "tensorflow", lambda a, x: Call("ops.reshape", (Arg(0), (-1, 7))))
    report = verified(NET, "tensorflow")
    (row,) = failed(report)
    assert row.note and "Traceback" not in str(report)
    (divergence,) = report.divergences
    assert divergence.label == "maxpool1"
    assert "gives up" in divergence.diagnostic.message


def test_a_framework_that_gives_up_on_the_way_back_is_found(break_op: Break) -> None:
    def without_gradient(a: Any, x: Any) -> Any:
        return Call("F.relu", (Call(".apply_", (Arg(0), "no function")),))

    break_op("relu", "pytorch", without_gradient)
    report = verified(NET, "pytorch")
    assert failed(report) and report.divergences[0].label == "relu1"


@pytest.mark.parametrize("target", TARGETS)
def test_a_refusal_is_a_failure_and_told(target: str, break_op: Break) -> None:
    break_op("relu", target, lambda a, x: Unsupported("there is no such thing"))
    report = verified(NET, target)
    assert not report.passed
    (row,) = report.rows
    assert row.status == "fail" and row.note.startswith("refused: ")
    assert "error[CNN090]" in str(report) and "there is no such thing" in str(report)


# ── what is not there ────────────────────────────────────────────────────────────────────────────────────────


def test_a_target_that_is_not_installed_is_not_run_and_never_passed(without: Callable[..., None]) -> None:
    without("torch", "tensorflow")
    report = verified()
    assert report.passed, "onnx ran, and the others were not asked for by name"
    notes = {row.target: row.note for row in report.rows if row.status == "not run"}
    assert notes == {"pytorch": "not run: torch is not installed", "tensorflow": "not run: tensorflow is not installed"}
    assert "not run" in str(report)


def test_a_target_that_is_named_must_run(without: Callable[..., None]) -> None:
    without("torch")
    report = verified(NET, "onnx", "pytorch")
    assert not report.passed
    assert [row.status for row in report.rows if row.target == "onnx"] == ["pass"] * 3


def test_nothing_that_runs_is_no_proof(without: Callable[..., None]) -> None:
    without("torch", "tensorflow", "onnxruntime")
    report = verified()
    assert not report.passed and {row.status for row in report.rows} == {"not run"}


def test_gradients_need_both_frameworks(without: Callable[..., None]) -> None:
    without("tensorflow")
    report = verified(gradients=True, train_steps=2)
    assert not report.passed
    found = {row.quantity: row for row in report.rows if row.precision == "float64"}
    assert {row.status for row in found.values()} == {"not run"}
    assert set(found) == {"gradients", "2 training steps"}
    assert "tensorflow did not run" in found["gradients"].note


def test_pytorch_is_the_measure_even_where_it_is_not_asked_for() -> None:
    report = verified(NET, "tensorflow", gradients=True)
    assert {row.target for row in report.rows} == {"tensorflow"}
    assert {row.against for row in report.rows} == {"reference", "pytorch"}


@pytest.mark.parametrize(
    ("targets", "options", "message"),
    [
        (("caffe",), {}, "there is no target `caffe`"),
        (("onnx",), {"gradients": True}, "neither is among the targets"),
        (("onnx",), {"device": "tpu"}, "there is no device `tpu`"),
    ],
)
def test_options_that_cannot_be(targets: tuple[str, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(Failure, match=message):
        verified(NET, *targets, **options)


def test_a_device_that_is_not_there_is_not_run() -> None:
    report = verified(NET, "onnx", "pytorch", device="cuda:9")
    assert not report.passed
    assert {row.status for row in report.rows} == {"not run"}
    assert "cuda:9" in report.rows[0].note


def test_a_target_of_another_package_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convspec.verify.check.target_names", lambda: ("onnx", "mine"))
    report = verified()
    assert report.passed
    assert report.rows[-1].note == "not run: convspec knows no runtime for the target `mine`"


def test_a_batch_norm_on_one_value_cannot_train() -> None:
    report = verified("model M {\n    input x: float32[1, 3]\n    output x -> batchnorm\n}\n", train_steps=1)
    assert not report.passed
    assert "`batchnorm1` would see one value per channel" in report.rows[-1].note


# ── the report ───────────────────────────────────────────────────────────────────────────────────────────────

ROW = {
    "target", "runtime", "device", "precision", "mode", "sizes", "quantity", "against", "tensor", "error", "gate", "status",
    "note", "required",
}  # fmt: skip


def test_json_has_its_fields(break_op: Break) -> None:
    break_op("relu", "onnx", WRONG_RELU["onnx"])
    report: Report = verified(NET, "onnx", "pytorch")
    found = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert set(found) == {"model", "weights", "seed", "passed", "notes", "rows", "divergences"}
    assert found["model"] == "Net" and found["passed"] is False
    assert all(set(row) == ROW for row in found["rows"])
    assert found["rows"][0]["sizes"] == {"N": 1, "h": 1, "w": 1}
    assert {row["status"] for row in found["rows"]} == {"fail", "pass"}
    (divergence,) = found["divergences"]
    assert set(divergence) == {"target", "quantity", "label", "op", "diagnostic", "found", "expected", "first"}
    assert divergence["diagnostic"]["line"] == 7 and divergence["diagnostic"]["code"] == "CNN308"
    assert set(divergence["found"]) == {"dtype", "shape", "min", "max", "mean"}
    assert set(divergence["first"]) == {"position", "found", "expected", "count"}


def test_an_infinite_error_is_plain_json(break_op: Break) -> None:
    break_op("relu", "onnx", lambda a, x: Call("Log", (Call("Relu", (Arg(0),)),)))
    rows = verified(NET, "onnx").to_json()["rows"]
    assert rows[-1]["error"] == "inf" and rows[-1]["status"] == "fail"


def test_module_is_not_changed() -> None:
    made = module(DROPS)
    before = [(node.op.name, node.inputs, node.outputs) for node in made.graph.nodes]
    convspec.Net(made).verify(["pytorch", "tensorflow"], train_steps=1)
    assert [(node.op.name, node.inputs, node.outputs) for node in made.graph.nodes] == before


# ── element types ────────────────────────────────────────────────────────────────────────────────────────────

TYPED = """model Typed {{
    input image: {0}[N, 3, h, w]
    output image -> conv(8, 3x3, pad = 1) -> relu -> conv(4, 3x3, pad = 1) -> global_avgpool -> flatten -> fc: linear(3)
}}
"""


@pytest.mark.parametrize(("dtype", "gate"), [("float16", 1e-3), ("bfloat16", 1e-2), ("float64", 1e-8)])
def test_other_floats_have_their_gates_and_are_differentiated_in_float64(dtype: str, gate: float) -> None:
    report = verified(TYPED.format(dtype), gradients=True)
    assert report.passed
    outputs = [row for row in report.rows if row.precision == dtype and row.mode == "inference" and row.quantity == "outputs"]
    assert {row.gate for row in outputs if row.status == "pass"} == {gate}
    exact = [row for row in report.rows if row.quantity.endswith("gradients")]
    assert len(exact) == 2 and all(row.precision == "float64" and row.gate == 1e-8 for row in exact)
    if dtype != "float16":  # ONNX Runtime has no convolution of these on the CPU
        (onnx,) = [row for row in report.rows if row.target == "onnx"]
        assert onnx.status == "not run" and "Could not find an implementation for Conv" in onnx.note


def test_bytes_indices_and_masks_go_in_as_they_are_declared() -> None:
    text = """model M {
    input image: uint8[N, 3, 4*h, 4*w]
    input ids: int64[N, L]
    input real: bool[N, L]
    scaled = image -> cast(float32)
    output seen = (scaled / 255 - 0.5) -> conv(4, 3x3, pad = 1, bias = false) -> batchnorm -> relu
    words = ids -> embedding(50, 8)
    output told = words + (words -> attention(heads = 2, mask = real) -> dropout(0.1))
}
"""
    report = verified(text, gradients=True, train_steps=2)
    assert report.passed
    assert ("tensorflow", "inference", "input gradients") not in statuses(report), "no input has a gradient"
    assert statuses(report)["tensorflow", "training", "weights after 2 steps"] == "pass"


@pytest.mark.parametrize(
    "body",
    [
        "unused = x -> conv(3, 1) -> batchnorm -> relu\n    output x -> relu",
        "unused = parameter([4])\n    output x -> batchnorm",
        "unused = x -> conv(3, 1) -> batchnorm\n    output y = x -> conv(2, 1, bias = false)",
    ],
)
def test_layers_that_no_output_depends_on_are_not_compared(body: str) -> None:
    """A functional Keras model does not hold them."""
    report = verified(f"model M {{\n    input x: float32[N, 4, L]\n    {body}\n}}\n", gradients=True, train_steps=2)
    assert report.passed and set(statuses(report).values()) == {"pass"}
    assert not any("unused" in (row.tensor or "") or row.tensor == "conv1.bias" for row in report.rows)


def test_a_learned_tensor_may_itself_be_an_output() -> None:
    """PyTorch gives the parameter itself, which training changes in its place."""
    text = "model M {\n    input x: float32[N, 4, 3]\n    q = parameter([1, 4, 1])\n    output q\n    output y = x + q\n}\n"
    report = verified(text, gradients=True, train_steps=2)
    assert report.passed and set(statuses(report).values()) == {"pass"}
