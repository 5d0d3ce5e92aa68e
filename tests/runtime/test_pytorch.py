"""The PyTorch runtime: real runs on the CPU, CUDA's answers through a stand-in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

from convspec.ir.types import Array
from convspec.runtime import pytorch as runtime
from convspec.runtime.base import ModelFile, Network, RunOptions
from convspec.runtime.devices import Device
from convspec.runtime.pytorch import RUNTIME
from convspec.runtime.reference import evaluate
from convspec.verify.compare import scaled_error
from tests.runtime.helpers import SMALL, TWO, codes, network, random, told


def test_a_spec_agrees_with_the_reference() -> None:
    small = network(SMALL)
    session = RUNTIME.open(small, RunOptions("cpu"))
    x = random(3, 1, 8, 8)
    x.setflags(write=False)
    ours = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
    result = session.run({"image": x})["logits"]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, ours, atol=1e-5 * np.abs(ours).max(), rtol=0)
    assert (session.about.version, session.about.device, session.about.notes) == (torch.__version__, "cpu", ())


def test_several_inputs_and_outputs_by_name() -> None:
    session = RUNTIME.open(network(TWO), RunOptions("cpu"))
    left, right = random(1, 2, 4, 4), random(1, 2, 4, 4, seed=1)
    outputs = session.run({"right": right, "left": left})
    np.testing.assert_array_equal(outputs["sum"], left + right)
    assert list(outputs) == ["sum", "max.0"]


def test_batch_norm_and_dropout_are_in_inference() -> None:
    session = RUNTIME.open(network("model Net {\ninput x: float32[N, 2]\noutput x -> dropout(0.5)\n}"), RunOptions("cpu"))
    x = random(50, 2)
    (result,) = session.run({"x": x}).values()
    np.testing.assert_array_equal(result, x)


def test_bfloat16_passes_both_ways() -> None:
    session = RUNTIME.open(network("model Net {\ninput x: bfloat16[N, 2]\noutput x -> relu\n}"), RunOptions("cpu"))
    x = np.array([[-1.5, 2.5]], ml_dtypes.bfloat16)
    (result,) = session.run({"x": x}).values()
    assert result.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(result, np.array([[0, 2.5]], ml_dtypes.bfloat16))


def test_tf32_is_off_while_it_runs_and_as_before_afterwards() -> None:
    seen: list[tuple[str, str]] = []

    def flags() -> tuple[str, str]:
        return torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]

    before = flags()
    for tf32 in (False, True):
        session = RUNTIME.open(network(SMALL), RunOptions("cpu", tf32))
        session.model.register_forward_hook(lambda *args: seen.append(flags()))
        session.run({"image": random(1, 1, 8, 8)})
        assert flags() == before
    assert seen == [("ieee", "ieee"), ("tf32", "tf32")]
    assert torch.backends.cudnn.allow_tf32 in (True, False)  # the old way can still be read


def test_tf32_in_older_versions() -> None:
    matmul, cudnn = SimpleNamespace(allow_tf32=True), SimpleNamespace(allow_tf32=True)
    older = SimpleNamespace(backends=SimpleNamespace(cuda=SimpleNamespace(matmul=matmul), cudnn=cudnn))
    with runtime._tf32(older, False):
        assert (matmul.allow_tf32, cudnn.allow_tf32) == (False, False)
    assert (matmul.allow_tf32, cudnn.allow_tf32) == (True, True)


def test_auto_says_why_it_is_the_cpu() -> None:
    notes = RUNTIME.open(network(SMALL), RunOptions("auto")).about.notes
    assert notes == ("auto chose the CPU: this PyTorch is built without CUDA",)


def test_a_run_that_fails_is_told() -> None:
    session = RUNTIME.open(network(SMALL), RunOptions("cpu"))
    message = told(lambda: session.run({"image": random(1, 1, 20, 20)}))
    assert message.startswith("error[CNN307]: pytorch failed on cpu: mat1 and mat2 shapes cannot be multiplied")


def test_a_compiled_model_is_not_for_pytorch() -> None:
    assert told(lambda: RUNTIME.open(ModelFile(Path("net.onnx")), RunOptions())) == (
        "error[CNN305]: net.onnx is a compiled ONNX model, which pytorch cannot run\n"
        "  = use --runtime onnxruntime or openvino, or run the .cnn spec"
    )


class FakeModel:
    def __init__(self) -> None:
        self.place = ""

    def eval(self) -> FakeModel:
        return self

    def to(self, place: str = "", memory_format: str | None = None) -> FakeModel:
        self.place = place or self.place
        return self


def fake_torch(cuda: str | None = "13.0", available: bool = True, count: int = 2) -> Any:
    there = SimpleNamespace(
        is_available=lambda: available, device_count=lambda: count, get_device_name=lambda index: f"NVIDIA H100 no. {index}"
    )
    return SimpleNamespace(__version__="2.99", version=SimpleNamespace(cuda=cuda), cuda=there, channels_last="last")


def opened(monkeypatch: pytest.MonkeyPatch, device: str, torch_: Any) -> Any:
    monkeypatch.setattr(runtime, "require", lambda module, name: torch_)
    monkeypatch.setattr("convspec.targets.pytorch.to_torch", lambda module, weights: FakeModel())
    return RUNTIME.open(network(SMALL), RunOptions(device))


def test_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    session = opened(monkeypatch, "cuda:1", fake_torch())
    assert (session.model.place, session.about.device, session.about.provider) == ("cuda:1", "cuda:1", "NVIDIA H100 no. 1")
    session = opened(monkeypatch, "auto", fake_torch())
    assert (session.model.place, session.about.notes) == ("cuda:0", ("auto chose CUDA",))
    session = opened(monkeypatch, "auto", fake_torch(available=False))
    assert session.about.notes == ("auto chose the CPU: PyTorch sees no CUDA device",)


@pytest.mark.parametrize(
    ("device", "torch_", "message"),
    [
        (
            "cuda",
            fake_torch(cuda=None),
            "error[CNN304]: the device cuda:0 is not available to pytorch: PyTorch 2.99 is built without CUDA\n"
            '  = on Linux, pip install "convspec[torch]" from PyPI brings a CUDA build; for others see pytorch.org/get-started',
        ),
        (
            "cuda",
            fake_torch(available=False),
            "error[CNN304]: the device cuda:0 is not available to pytorch: there is no NVIDIA GPU, or its driver does not "
            "work\n  = check it with nvidia-smi",
        ),
        (
            "cuda:4",
            fake_torch(),
            "error[CNN304]: the device cuda:4 is not available to pytorch: this machine has 2\n  = use cuda:0 … cuda:1",
        ),
        (
            "cuda:1",
            fake_torch(count=1),
            "error[CNN304]: the device cuda:1 is not available to pytorch: this machine has 1\n  = use cuda:0",
        ),
    ],
)
def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch, device: str, torch_: Any, message: str) -> None:
    assert told(lambda: opened(monkeypatch, device, torch_)) == message


def test_tensorrt_is_not_for_pytorch() -> None:
    assert codes(lambda: RUNTIME.open(network(SMALL), RunOptions("tensorrt"))) == ["CNN305"]


# ── options ──────────────────────────────────────────────────────────────────────────────────────────────────

GROUPS = """model Groups {
    input image: float32[N, 3, 8, 8]
    y = image -> conv(8, 3x3, pad = 1) -> batchnorm -> relu -> depthwise_conv(3x3) -> maxpool(2x2)
    output logits = y -> flatten -> linear(4)
    output map = y
}
"""


def expected(made: Network, x: Array) -> dict[str, Array]:
    return evaluate(made.module.graph, made.weights, {"image": x}).outputs


@pytest.mark.parametrize("layout", ["auto", "channels_first", "channels_last"])
def test_the_layout_inside_does_not_show_outside(layout: str) -> None:
    made, x = network(GROUPS), random(2, 3, 8, 8)
    session = RUNTIME.open(made, RunOptions("cpu", layout=layout))
    found = session.run({"image": x})
    assert session.model.get_parameter("conv1.weight").is_contiguous() == (layout == "channels_first")
    for name, array in expected(made, x).items():
        assert found[name].flags.c_contiguous
        assert scaled_error(found[name], array) <= 1e-5  # a layout that shows would be as far off as the numbers are large


def test_channels_lie_last_where_it_pays() -> None:
    cpu, cuda = Device("cpu"), Device("cuda")
    flat = network("model M {\ninput x: float32[N, 4, 9]\noutput x -> conv(2, 3)\n}").module.graph
    small = network(SMALL).module.graph
    assert [runtime.channels_last(small, device, RunOptions()) for device in (cpu, cuda)] == [True, False]
    assert not runtime.channels_last(flat, cpu, RunOptions())
    assert runtime.channels_last(small, cuda, RunOptions(tf32=True))
    assert runtime.channels_last(small, cuda, RunOptions(precision="bf16"))
    assert not runtime.channels_last(small, cuda, RunOptions(precision="bf16", layout="channels_first"))


def test_threads_hold_for_the_run_alone() -> None:
    before = torch.get_num_threads()
    session = RUNTIME.open(network(SMALL), RunOptions("cpu", threads=before + 1))
    seen: list[int] = []
    session.model.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    session.run({"image": random(1, 1, 8, 8)})
    assert (seen, torch.get_num_threads()) == ([before + 1], before)


def test_bfloat16_is_what_was_asked_for() -> None:
    made, x = network(SMALL), random(3, 1, 8, 8)
    session = RUNTIME.open(made, RunOptions("cpu", precision="bf16"))
    found = session.run({"image": x})["logits"]
    error = np.abs(found - expected(made, x)["logits"]).max() / np.abs(expected(made, x)["logits"]).max()
    assert found.dtype == np.float32
    assert 1e-5 < error < 3e-2


@pytest.mark.parametrize(
    "options",
    [
        RunOptions("cpu", cuda_graph=True),
        RunOptions("cpu", precision="int8"),
        RunOptions("cpu", precision="tf32"),
        RunOptions("cpu", threads=0),
        RunOptions("cpu", layout="last"),
    ],
)
def test_what_cannot_be_honoured_is_refused(options: RunOptions) -> None:
    assert codes(lambda: RUNTIME.open(network(SMALL), options)) == ["CNN305"]


def test_compiled_it_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def compile_eagerly(model: Any, **settings: Any) -> Any:
        asked.append(settings)
        return real(model, backend="aot_eager")  # no C++ compiler needed, and seconds less

    real = torch.compile
    monkeypatch.setattr(torch, "compile", compile_eagerly)
    made, x = network(SMALL), random(3, 1, 8, 8)
    found = RUNTIME.open(made, RunOptions("cpu", compile=True)).run({"image": x})["logits"]
    np.testing.assert_allclose(found, expected(made, x)["logits"], atol=2e-6)
    assert asked == [{"options": {"freezing": True}}]
    assert runtime.compile_settings(Device("cuda")) == {"mode": "max-autotune-no-cudagraphs"}


def test_a_compiler_that_gives_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.exc import BackendCompilerFailed

    class Broken:
        def __call__(self, *feeds: Any) -> Any:
            raise BackendCompilerFailed(print, RuntimeError("No working C++ compiler found"), None)

    session = RUNTIME.open(network(SMALL), RunOptions("cpu"))
    broken = replace(session, model=Broken(), options=RunOptions("cpu", compile=True))
    message = told(lambda: broken.run({"image": random(1, 1, 8, 8)}))
    assert message.startswith("error[CNN305]: torch.compile cannot compile Small: ")
    assert message.endswith("= leave out --compile; on a CPU it needs a C++ compiler, on a GPU Triton")
