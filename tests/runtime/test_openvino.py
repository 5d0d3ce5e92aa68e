"""OpenVINO against the reference, over networks and layers; what it cannot honour is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec import load
from convspec.elaborate import loads
from convspec.runtime import devices, openvino
from convspec.runtime.base import ModelFile, Network, RunOptions
from convspec.runtime.openvino import RUNTIME, properties
from convspec.runtime.reference import evaluate
from convspec.verify.compare import scaled_error
from convspec.weights.randomised import randomised
from tests.conformance.catalogue import cells
from tests.conformance.cell import Cell
from tests.runtime.helpers import SMALL, TWO, codes, network, random, told

EXAMPLES = Path(__file__).parents[2] / "examples"
OPS = (
    "conv",
    "depthwise_conv",
    "conv_transpose",
    "batchnorm",
    "maxpool",
    "avgpool",
    "linear",
    "resize",
    "layernorm",
    "gelu",
    "softmax",
)
CELLS = [pytest.param(cell, id=f"{op}-{cell!r}") for op in OPS for cell in cells(op)[:2] if not cell.training]


def missing(name: str) -> Any:
    raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def test_where_it_is_missing_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "import_module", missing)
    assert told(lambda: RUNTIME.open(network(SMALL), RunOptions())) == (
        'error[CNN303]: the runtime openvino is not installed\n  = pip install "convspec[openvino]"'
    )


def test_float32_is_always_said() -> None:
    assert properties(RunOptions()) == {
        "INFERENCE_PRECISION_HINT": "f32",
        "EXECUTION_MODE_HINT": "ACCURACY",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
    }


def test_threads_and_precision_are_passed_on() -> None:
    given = properties(RunOptions(precision="bf16", threads=3))
    assert (given["INFERENCE_PRECISION_HINT"], given["INFERENCE_NUM_THREADS"]) == ("bf16", 3)


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(precision="int8"),
        RunOptions(precision="fp8"),
        RunOptions(threads=0),
        RunOptions(compile=True),
        RunOptions(cuda_graph=True),
        RunOptions(layout="channels_last"),
        RunOptions("tensorrt"),
    ],
)
def test_what_it_does_not_have_is_refused(options: RunOptions) -> None:
    pytest.importorskip("openvino")
    assert codes(lambda: RUNTIME.open(network(SMALL), options)) == ["CNN305"]


def test_a_gpu_is_not_taken() -> None:
    assert codes(lambda: RUNTIME.open(network(SMALL), RunOptions("cuda"))) == ["CNN304"]


class TestReal:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("openvino")

    def test_a_spec_agrees_with_the_reference(self) -> None:
        small, x = network(SMALL), random(3, 1, 8, 8)
        session = RUNTIME.open(small, RunOptions("cpu", threads=1))
        expected = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
        assert scaled_error(session.run({"image": x})["logits"], expected) <= 1e-5
        assert (session.about.runtime, session.about.device, session.about.notes) == ("openvino", "cpu", ())
        x = random(1, 1, 8, 8, seed=5)
        assert session.run({"image": x})["logits"].shape == (1, 4)

    def test_several_inputs_and_outputs_by_name(self) -> None:
        session = RUNTIME.open(network(TWO), RunOptions())
        left, right = random(1, 2, 4, 4), random(1, 2, 4, 4, seed=1)
        right.flags.writeable = False
        outputs = session.run({"right": right, "left": left})
        np.testing.assert_array_equal(outputs["sum"], left + right)
        assert list(outputs) == ["sum", "max.0"]

    def test_prepared_runs_again_and_its_results_stay(self) -> None:
        session = RUNTIME.open(network(SMALL), RunOptions())
        one = session.prepare({"image": random(2, 1, 8, 8)})
        one.run()
        first = one.outputs()["logits"]
        two = session.prepare({"image": random(2, 1, 8, 8, seed=1)})
        two.run()
        one.run()
        one.wait()
        np.testing.assert_array_equal(one.outputs()["logits"], first)
        assert not np.array_equal(two.outputs()["logits"], first)

    @pytest.mark.parametrize("cell", CELLS)
    def test_a_layer_agrees_with_the_reference(self, cell: Cell) -> None:
        weights = randomised(cell.module.graph, 0)
        types = {each.value.name: each.value.type.dtype for each in cell.module.graph.inputs}
        arrays = {name: np.ascontiguousarray(array.astype(types[name])) for name, array in cell.arrays.items()}
        expected = evaluate(cell.module.graph, weights, arrays).outputs
        found = RUNTIME.open(Network(cell.module, weights), RunOptions(threads=1)).run(arrays)
        assert max(scaled_error(found[name], expected[name]) for name in expected) <= cell.gate

    @pytest.mark.parametrize(
        ("name", "model", "shape"),
        [
            ("lenet5.cnn", None, (2, 1, 28, 28)),
            ("sequence.cnn", None, (2, 4, 40)),
            ("tiny_convnext.cnn", None, (1, 3, 32, 32)),
            ("unet.cnn", "UNet3D", (1, 1, 8, 8, 8)),
        ],
    )
    def test_an_example_agrees_with_the_reference(self, name: str, model: str | None, shape: tuple[int, ...]) -> None:
        net = load(EXAMPLES / name, model)
        weights = randomised(net.module.graph, 0)
        put = net.module.graph.inputs[0].value
        x = (100 * np.abs(random(*shape))).astype(put.type.dtype)
        expected = evaluate(net.module.graph, weights, {put.name: x}).outputs
        found = RUNTIME.open(Network(net.module, weights), RunOptions(threads=1)).run({put.name: x})
        assert max(scaled_error(found[each], expected[each]) for each in expected) <= 1e-5

    def test_bfloat16_must_be_asked_for_and_is_said(self) -> None:
        small, x = network(SMALL), random(3, 1, 8, 8)
        expected = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
        session = RUNTIME.open(small, RunOptions(precision="bf16"))
        assert 1e-5 < scaled_error(session.run({"image": x})["logits"], expected) < 3e-2
        assert session.about.notes == ("openvino computes in bf16 what it can, from float32 weights",)

    def test_a_precision_that_the_processor_takes_for_another_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(openvino._PRECISIONS, "fp32", "bf16")
        session = RUNTIME.open(network(SMALL), RunOptions())
        monkeypatch.setitem(openvino._PRECISIONS, "fp32", "f32")
        message = told(lambda: openvino._check_honoured(session.compiled, RunOptions()))
        assert "does not compute in fp32 on this processor: it would take bfloat16" in message

    @pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
    def test_floats_that_it_would_compute_in_float32_are_refused(self, dtype: str) -> None:
        text = f"model M {{\ninput x: float32[N, 2]\noutput x -> cast({dtype}) -> relu -> cast(float32)\n}}"
        message = told(lambda: RUNTIME.open(network(text), RunOptions()))
        assert message.startswith(f"error[CNN305]: openvino computes in float32 what M declares as {dtype}")

    def test_a_layer_that_it_lacks_is_told(self) -> None:
        text = "model M {\ninput x: float32[N, 2, 5, 5]\noutput x -> pad(1, mode = circular)\n}"
        made = loads(text)
        message = told(lambda: RUNTIME.open(Network(made, {}), RunOptions()))
        assert message.startswith("error[CNN305]: openvino cannot run M: ") and "Pad" in message

    def test_a_compiled_model_runs_under_its_own_names(self, tmp_path: Path) -> None:
        net = load(EXAMPLES / "lenet5.cnn")
        path = net.to_onnx(tmp_path / "m.onnx")[0]
        session, ours = (
            RUNTIME.open(ModelFile(path), RunOptions()),
            RUNTIME.open(Network(net.module, net.weights), RunOptions()),
        )
        assert [spec.type for spec in session.signature.inputs] == [spec.type for spec in ours.signature.inputs]
        assert [spec.picture for spec in session.signature.inputs] == [spec.picture for spec in ours.signature.inputs]
        x = {session.signature.inputs[0].name: random(2, 1, 28, 28)}
        for name, array in ours.run(x).items():
            np.testing.assert_array_equal(session.run(x)[name], array)

    @pytest.mark.parametrize("content", [None, b"junk", b""])
    def test_files_that_are_no_model(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "m.onnx"
        if content is not None:
            path.write_bytes(content)
        assert codes(lambda: RUNTIME.open(ModelFile(path), RunOptions())) == ["CNN306"]
