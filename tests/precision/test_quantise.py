"""int8: made from pictures or arrays, the same every time, of integer kernels, and right where the weights are trained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convspec import Failure, api
from convspec.ir.types import Array
from convspec.precision import Quantised, QuantiseOptions, quantise, read_calibration
from convspec.precision.accuracy import compare
from convspec.precision.calibration import split
from convspec.verify.inputs import draw
from convspec.weights.randomised import randomised
from tests.precision.proving import network

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = """
model T {
    input x: float32[N, 4, 8, 8]
    y = x -> first: conv(8, 3x3, pad = 1) -> relu
    z = y -> conv(8, 3x3, pad = 1)
    output (z + y) -> global_avgpool -> flatten -> head: linear(3)
}
"""


@pytest.fixture(scope="module")
def lenet() -> api.Net:
    return api.load(EXAMPLES / "lenet5.cnn", weights=EXAMPLES / "lenet5.safetensors").optimise(1)


def shifted_digits() -> Array:
    """Every digit moved by up to two pixels in both directions: 250 pictures that the network was not made of."""
    found = []
    for path in sorted((EXAMPLES / "digits").glob("*.png")):
        digit = np.asarray(Image.open(path).convert("L"), np.float32)
        found += [np.roll(digit, (dy, dx), (0, 1)) for dy in range(-2, 3) for dx in range(-2, 3)]
    return np.stack(found)[:, None] / np.float32(255)


def session(model: bytes, dump: Path | None = None) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if dump:
        options.optimized_model_filepath = str(dump)
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def of(body: str, count: int = 6, options: QuantiseOptions | None = None) -> Quantised:
    net = network(body)
    shapes = {i.value.name: [s if isinstance(s, int) else 1 for s in i.value.type.shape] for i in net.module.graph.inputs}
    generator = np.random.default_rng(0)
    items = [{n: generator.standard_normal(shape).astype(np.float32) for n, shape in shapes.items()} for _ in range(count)]
    return quantise(net.module, net.weights, split(items), options)


def test_trained_digits_stay_what_they_are(lenet: api.Net, tmp_path: Path) -> None:
    """Counted here by hand, with ONNX Runtime alone: int8 finds nearly always the digit that float32 finds."""
    pictures = shifted_digits()
    np.save(tmp_path / "digits.npy", pictures[::2])
    made = quantise(lenet.module, lenet.weights, read_calibration(tmp_path / "digits.npy", lenet.module.graph))
    lenet.compile("onnx", tmp_path / "plain.onnx")
    others = pictures[1::2]
    ours = session(made.model).run(None, {"image": others})[0].argmax(1)
    theirs = session((tmp_path / "plain.onnx").read_bytes()).run(None, {"image": others})[0].argmax(1)
    assert len(set(theirs.tolist())) == 10
    assert (ours == theirs).mean() >= 0.97
    (accuracy,) = made.report.accuracy
    assert accuracy.name == "logits"
    assert accuracy.top1 is not None and accuracy.top1 >= 0.95
    assert accuracy.top5 is not None and accuracy.top5 >= 0.99
    assert accuracy.cosine > 0.998
    assert made.report.bytes_after < 0.4 * made.report.bytes_before


def test_the_accuracy_that_is_reported_is_the_accuracy(lenet: api.Net, tmp_path: Path) -> None:
    """Worked out again from the two models, with plain NumPy."""
    pictures = shifted_digits()[:50]
    made = quantise(lenet.module, lenet.weights, split([{"image": picture[None]} for picture in pictures]))
    lenet.compile("onnx", tmp_path / "plain.onnx")
    held = pictures[4::5]
    ours = session(made.model).run(None, {"image": held})[0].astype(np.float64)
    theirs = session((tmp_path / "plain.onnx").read_bytes()).run(None, {"image": held})[0].astype(np.float64)
    (accuracy,) = made.report.accuracy
    assert (made.report.items, made.report.held, made.report.apart) == (40, 10, True)
    assert accuracy.scaled_error == pytest.approx(np.abs(ours - theirs).max() / np.abs(theirs).max(), rel=1e-3)
    product = (ours * theirs).sum() / np.sqrt((ours**2).sum() * (theirs**2).sum())
    assert accuracy.cosine == pytest.approx(product, rel=1e-5)
    assert accuracy.top1 == (ours.argmax(1) == theirs.argmax(1)).mean()


def test_layers_run_in_integers(tmp_path: Path) -> None:
    """Unsigned activations, signed weights with a scale for each channel, and what ONNX Runtime makes of them."""
    made = of(SMALL)
    model = onnx.load_from_string(made.model)
    onnx.checker.check_model(model)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    weights = [n for n in model.graph.node if n.op_type == "DequantizeLinear" and n.input[0] in stored]
    kinds = {stored[n.input[0]].data_type for n in weights}
    assert kinds == {onnx.TensorProto.INT8, onnx.TensorProto.INT32}
    scales = [stored[n.input[1]] for n in weights if stored[n.input[0]].data_type == onnx.TensorProto.INT8]
    assert [list(scale.dims) for scale in scales] == [[8], [8], [3]]
    zeros = {stored[n.input[2]].data_type for n in model.graph.node if n.op_type == "QuantizeLinear"}
    assert zeros == {onnx.TensorProto.UINT8}
    session(made.model, tmp_path / "fused.onnx")
    fused = [node.op_type for node in onnx.load(tmp_path / "fused.onnx").graph.node]
    assert fused.count("QLinearConv") == 2
    assert not {"Conv", "Gemm", "Add", "GlobalAveragePool"}.intersection(fused)
    assert made.report.quantised == {"Conv": 2, "Add": 1, "GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1}


def test_inputs_outputs_and_metadata_stay() -> None:
    made = of(SMALL)
    model = onnx.load_from_string(made.model)
    assert [(i.name, i.type.tensor_type.elem_type) for i in model.graph.input] == [("x", onnx.TensorProto.FLOAT)]
    assert model.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said["convspec.model"] == "T"
    assert said["convspec.rewritten"] == "in int8 where that pays"
    assert session(made.model).run(None, {"x": np.zeros((3, 4, 8, 8), np.float32)})[0].shape == (3, 3)


def test_the_same_data_gives_the_same_bytes() -> None:
    assert of(SMALL).model == of(SMALL).model


def test_outliers_can_be_left_out() -> None:
    """One value a thousand times as large as all others: by extremes nothing is left of those."""
    net = network("input x: float32[N, 64]\noutput x -> linear(16)")
    generator = np.random.default_rng(0)
    items = [{"x": generator.standard_normal((1, 64)).astype(np.float32)} for _ in range(200)]
    items[0]["x"][0, 0] = 1000
    cosines = {
        method: quantise(net.module, net.weights, split(items), QuantiseOptions(method=method)).report.accuracy[0].cosine
        for method in ("minmax", "percentile")
    }
    assert cosines["minmax"] < 0.6 < cosines["percentile"]


def test_layers_that_are_kept_compute_in_floats() -> None:
    made = of(SMALL, options=QuantiseOptions(exclude=("first", "head*")))
    assert made.report.quantised["Conv"] == 1
    assert "Gemm" not in made.report.quantised
    assert made.report.excluded == ("first", "head")
    assert "left in float32 as asked: first, head" in made.report.text()
    assert made.report.accuracy[0].scaled_error < of(SMALL).report.accuracy[0].scaled_error


@pytest.mark.parametrize(("body", "options", "told"), [
    (SMALL, QuantiseOptions(exclude=("second",)), "no layer that could be quantised is called `second`"),
    (SMALL, QuantiseOptions(exclude=("*",)), "no convolution or product left"),
    (SMALL, QuantiseOptions(opset=12), "opset 12 has no scale for each channel"),
    (SMALL, QuantiseOptions(method="mean"), "there is no calibration method `mean`"),
    ("input x: float32[N, 4]\noutput x -> relu", None, "no convolution or product left"),
])  # fmt: skip
def test_options_that_do_not_fit(body: str, options: QuantiseOptions | None, told: str) -> None:
    with pytest.raises(Failure, match="CNN401") as caught:
        of(body, options=options)
    assert told in str(caught.value)


def test_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(Failure, match="CNN303"):
        of(SMALL)


ODD = {
    "one axis": ("input x: float32[N, 3, 16]\noutput x -> conv(4, 3) -> relu", {"Conv": 1}),
    "three axes": ("input x: float32[N, 3, 8, 8, 8]\noutput x -> conv(4, 3x3x3) -> relu", {"Conv": 1}),
    "sizes by name": (
        "input x: float32[N, 3, H, W]\noutput x -> conv(4, 3x3, pad = 1) -> upsample(2) -> conv(2, 1x1)",
        {"Conv": 2, "Resize": 1},
    ),
    "transposed": ("input x: float32[N, 3, 8, 8]\noutput x -> conv_transpose(3, 2x2, stride = 2) -> conv(2, 1x1)", {"Conv": 1}),
    "integers": ("input w: int32[N, 5]\noutput w -> embedding(10, 8) -> conv(4, 3) -> global_maxpool", {"Conv": 1}),
    "a shared layer": (
        "model T {\ninput x: float32[N, 4, 8, 8]\nlayer c = conv(4, 3x3, pad = 1)\noutput x -> c -> relu -> c\n}",
        {"Conv": 2},
    ),
    "two factors": ("input x: float32[N, 8, 8]\ninput z: float32[N, 8, 8]\noutput matmul(x, z)", {"MatMul": 1}),
    "gates": (
        "input x: float32[N, 8, 8, 8]\ny = x -> conv(8, 1x1) -> silu\n"
        "g = y -> global_avgpool -> conv(8, 1x1) -> sigmoid\noutput y * g",
        {"Conv": 2, "Sigmoid": 2, "Mul": 2, "GlobalAveragePool": 1},
    ),
    "a norm between": (
        "input x: float32[N, 8, 8, 8]\noutput x -> conv(8, 1x1) -> layernorm -> conv(8, 1x1) -> softmax",
        {"Conv": 2, "Transpose": 1},
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_networks(name: str) -> None:
    """Weights are such that every layer matters; items are many, so that what is held back stays inside the ranges."""
    body, quantised = ODD[name]
    net = network(body)
    items = [draw(net.module.graph, {"N": 1, "H": 6 + seed % 3, "W": 5}, seed) for seed in range(60)]
    made = quantise(net.module, randomised(net.module.graph, 0), split(items))
    assert made.report.quantised == quantised
    assert all(one.cosine > 0.995 for one in made.report.accuracy)


def test_an_output_that_a_relu_reads_keeps_what_is_below_zero() -> None:
    made = of("input x: float32[N, 3, 8, 8]\ny = x -> conv(4, 3x3)\noutput y\noutput r = y -> relu", 60)
    assert {one.name: one.cosine > 0.999 for one in made.report.accuracy} == {"y": True, "r": True}
    names = [output.name for output in onnx.load_from_string(made.model).graph.output]
    assert names == ["y", "r"]


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_other_floats_are_refused(dtype: str) -> None:
    with pytest.raises(Failure, match="CNN401") as caught:
        of(f"input x: {dtype}[N, 3, 8, 8]\noutput x -> conv(4, 3x3)")
    assert f"this `conv` computes in {dtype}" in str(caught.value)


def test_nothing_is_written_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    of(SMALL)
    of(SMALL, options=QuantiseOptions(method="percentile"))
    assert capfd.readouterr() == ("", "")


# ── calibration data ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_of_pictures(lenet: api.Net) -> None:
    found = read_calibration(EXAMPLES / "digits", lenet.module.graph)
    assert (len(found.used), len(found.held), found.apart) == (8, 2, True)
    assert found.used[0]["image"].shape == (1, 1, 28, 28)
    fifth = np.asarray(Image.open(EXAMPLES / "digits" / "4.png").convert("L"), np.float32) / 255
    np.testing.assert_allclose(found.held[0]["image"][0, 0], fifth, atol=1e-6)


def test_of_many_pictures_some_are_taken_at_even_distances(lenet: api.Net) -> None:
    few = read_calibration(EXAMPLES / "digits", lenet.module.graph, most=5)
    every = read_calibration(EXAMPLES / "digits", lenet.module.graph)
    assert len(few.used) + len(few.held) == 5
    np.testing.assert_array_equal(few.used[1]["image"], every.used[2]["image"])


def test_subfolders_are_entered(lenet: api.Net, tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        Image.new("L", (28, 28), 80).save(tmp_path / label / "one.png")
    found = read_calibration(tmp_path, lenet.module.graph)
    assert len(found.used) == 2 and not found.apart


def test_arrays_of_several_inputs(tmp_path: Path) -> None:
    net = network("input x: float32[N, 4]\ninput z: float32[N, 6]\noutput [x -> linear(3), z -> linear(3)] -> concat")
    generator = np.random.default_rng(0)
    arrays = {name: generator.standard_normal((10, size)).astype(np.float32) for name, size in (("x", 4), ("z", 6))}
    np.savez(tmp_path / "both.npz", x=arrays["x"], z=arrays["z"])
    found = read_calibration(tmp_path / "both.npz", net.module.graph)
    assert (len(found.used), len(found.held)) == (8, 2)
    np.testing.assert_array_equal(found.held[1]["z"], arrays["z"][9:])
    assert quantise(net.module, net.weights, found).report.quantised["Gemm"] == 2


def test_a_batch_that_is_declared_stays_whole(tmp_path: Path) -> None:
    net = network("input x: float32[5, 4]\noutput x -> linear(3)")
    np.save(tmp_path / "x.npy", np.ones((5, 4), np.float32))
    found = read_calibration(tmp_path / "x.npy", net.module.graph)
    assert [item["x"].shape for item in found.used] == [(5, 4)]


def test_with_few_items_nothing_is_held_back_and_that_is_said() -> None:
    made = of(SMALL, count=3)
    assert not made.report.apart
    assert "against float32 on the same 3 items, for want of more:" in made.report.text()


@pytest.mark.parametrize(("name", "code"), [("nothing", "CNN300"), ("empty", "CNN300"), ("notes.txt", "CNN300")])
def test_data_that_cannot_be_read(name: str, code: str, lenet: api.Net, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no numbers")
    with pytest.raises(Failure, match=code):
        read_calibration(tmp_path / name, lenet.module.graph)


def test_no_items() -> None:
    with pytest.raises(Failure, match="CNN301"):
        split([])


# ── accuracy ─────────────────────────────────────────────────────────────────────────────────────────────────


def rows(*values: list[float]) -> dict[str, Array]:
    return {"y": np.array(values, np.float32)}


def test_shares_of_classes() -> None:
    """Two of three rows have the same best class; in one more it is the fifth of six."""
    ours = rows([5, 4, 3, 2, 1, 0], [5, 4, 3, 2, 1, 0], [0, 1, 2, 3, 4, 5])
    theirs = rows([9, 4, 3, 2, 1, 0], [0, 0, 0, 0, 1, 0], [0, 1, 2, 3, 4, 9])
    (found,) = compare(lambda item: ours, lambda item: theirs, [{}])
    assert found.top1 == pytest.approx(2 / 3)
    assert found.top5 == 1
    assert found.scaled_error == pytest.approx(5 / 9)


def test_a_best_class_that_is_the_last_of_all_is_not_among_five() -> None:
    (found,) = compare(lambda item: rows([5, 4, 3, 2, 1, 0]), lambda item: rows([0, 0, 0, 0, 0, 1]), [{}])
    assert (found.top1, found.top5) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(2, 1), (2, 3, 4), (2,)])
def test_what_is_no_row_of_classes_has_no_shares(shape: tuple[int, ...]) -> None:
    array = {"y": np.ones(shape, np.float32)}
    (found,) = compare(lambda item: array, lambda item: array, [{}, {}])
    assert (found.top1, found.top5, found.scaled_error) == (None, None, 0)
    assert found.cosine == pytest.approx(1)


def test_outputs_of_zeros() -> None:
    zeros, ones = rows([0, 0]), rows([1, 1])
    assert compare(lambda item: zeros, lambda item: zeros, [{}])[0].cosine == 1.0
    assert compare(lambda item: ones, lambda item: zeros, [{}])[0].cosine == 0.0


def test_opposite_is_told() -> None:
    (found,) = compare(lambda item: rows([1, -1]), lambda item: rows([-1, 1]), [{}])
    assert found.cosine == pytest.approx(-1)
    assert found.scaled_error == 2
