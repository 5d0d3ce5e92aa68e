"""ONNX Runtime: real runs on the CPU; CUDA and TensorRT through a stand-in that behaves as ONNX Runtime documents.

The stand-in proves what convspec does with ONNX Runtime's answers, not that a GPU computes the right numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from convspec.runtime import onnxruntime as runtime
from convspec.runtime.base import ModelFile, RunOptions
from convspec.runtime.onnxruntime import RUNTIME
from convspec.runtime.reference import evaluate
from tests.runtime.helpers import SMALL, TWO, codes, network, random, told

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"


# ── real runs on the CPU ─────────────────────────────────────────────────────────────────────────────────────


def test_a_spec_agrees_with_the_reference() -> None:
    small = network(SMALL)
    session = RUNTIME.open(small, RunOptions("cpu"))
    x = random(3, 1, 8, 8)
    ours = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
    result = session.run({"image": x})["logits"]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, ours, atol=1e-5 * np.abs(ours).max(), rtol=0)
    assert (session.about.device, session.about.provider, session.about.notes) == ("cpu", CPU, ())


def test_several_inputs_and_outputs_by_name() -> None:
    session = RUNTIME.open(network(TWO), RunOptions("cpu"))
    left, right = random(1, 2, 4, 4), random(1, 2, 4, 4, seed=1)
    outputs = session.run({"right": right, "left": left})
    np.testing.assert_array_equal(outputs["sum"], left + right)
    assert list(outputs) == ["sum", "max.0"]


def test_auto_says_why_it_is_the_cpu() -> None:
    about = RUNTIME.open(network(SMALL), RunOptions("auto")).about
    assert (about.device, about.notes) == ("cpu", ("auto chose the CPU: this onnxruntime is built without CUDA",))


def test_weights_beside_the_model_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convspec.targets.onnx import stream

    small, x = network(SMALL), random(1, 1, 8, 8)
    whole = RUNTIME.open(small, RunOptions("cpu")).run({"image": x})["logits"]
    monkeypatch.setattr(stream, "MOST_BYTES", 100)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    apart = RUNTIME.open(small, RunOptions("cpu"))
    np.testing.assert_array_equal(apart.run({"image": x})["logits"], whole)
    assert list(tmp_path.iterdir()) == []


def test_what_the_provider_lacks_is_told() -> None:
    text = "model Wide {\ninput x: float64[N, 1, 4, 4]\noutput x -> conv(1, 3x3)\n}"
    message = told(lambda: RUNTIME.open(network(text), RunOptions("cpu")))
    assert message.startswith("error[CNN305]: onnxruntime cannot run Wide on cpu: Could not find an implementation for Conv")
    assert message.endswith("\n  = use --runtime pytorch, tensorflow or reference")


@pytest.mark.parametrize(("device", "name"), [("cuda:0", "CUDA"), ("tensorrt:0", "TENSORRT")])
def test_a_gpu_that_this_build_lacks_is_told(device: str, name: str) -> None:
    message = told(lambda: RUNTIME.open(network(SMALL), RunOptions(device)))
    assert message.startswith(f"error[CNN304]: the device {device} is not available to onnxruntime: onnxruntime ")
    assert message.endswith(f'is built without {name}\n  = pip uninstall -y onnxruntime, then pip install "convspec[gpu]"')


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "error[CNN306]: cannot read the model m.onnx: no such file or directory"),
        (b"junk", "error[CNN306]: onnxruntime cannot load m.onnx: "),
        (b"", "error[CNN306]: onnxruntime cannot load m.onnx: "),
    ],
)
def test_files_that_are_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, reason: str) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("m.onnx").write_bytes(content)
    assert told(lambda: RUNTIME.open(ModelFile(Path("m.onnx")), RunOptions("cpu"))).startswith(reason)


def test_float16_runs_and_says_how() -> None:
    small, x = network(SMALL), random(3, 1, 8, 8)
    session = RUNTIME.open(small, RunOptions("cpu", precision="fp16"))
    expected = evaluate(small.module.graph, small.weights, {"image": x}).outputs["logits"]
    error = np.abs(session.run({"image": x})["logits"] - expected).max() / np.abs(expected).max()
    assert 1e-6 < error < 3e-3
    assert session.about.notes == ("onnxruntime computes float16 in float32 on the CPU, between roundings to float16",)


def test_bfloat16_has_no_kernels_on_the_cpu() -> None:
    message = told(lambda: RUNTIME.open(network(SMALL), RunOptions("cpu", precision="bf16")))
    assert message.startswith("error[CNN305]: onnxruntime cannot run Small on cpu: ")
    assert message.endswith(
        "= onnxruntime has no bfloat16 kernels on the CPU: use --precision fp16, or --runtime pytorch or openvino"
    )


@pytest.mark.parametrize("precision", ["int8", "fp8"])
def test_a_precision_that_it_cannot_make_is_refused(precision: str) -> None:
    assert codes(lambda: RUNTIME.open(network(SMALL), RunOptions("cpu", precision=precision))) == ["CNN305"]


def test_a_compiled_model_runs_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"never read")
    assert codes(lambda: RUNTIME.open(ModelFile(tmp_path / "m.onnx"), RunOptions("cpu", precision="fp16"))) == ["CNN305"]


def test_threads_do_not_change_what_comes_out() -> None:
    small, x = network(SMALL), {"image": random(3, 1, 8, 8)}
    one, two = (RUNTIME.open(small, RunOptions("cpu", threads=n)).run(x)["logits"] for n in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    assert told(lambda: RUNTIME.open(ModelFile(tmp_path), RunOptions("cpu"))).endswith("is a directory")


def test_a_run_that_fails_is_told() -> None:
    session = RUNTIME.open(network(SMALL), RunOptions("cpu"))
    message = told(lambda: session.run({"image": random(1, 1, 9, 9)}))
    assert message.startswith("error[CNN307]: onnxruntime failed on cpu: ")


# ── a stand-in for ONNX Runtime on a GPU ─────────────────────────────────────────────────────────────────────


@dataclass
class FakeSession:
    providers: list[str]
    nodes: dict[str, int]

    def get_providers(self) -> list[str]:
        return self.providers

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return [SimpleNamespace(ep_name=n, get_nodes=lambda k=k: [None] * k) for n, k in self.nodes.items()]


@dataclass
class FakeOrt:
    """ONNX Runtime as it behaves: a provider that cannot start is logged and left out, without an exception."""

    works: tuple[str, ...] = (CUDA,)
    nodes: dict[str, int] = field(default_factory=lambda: {CUDA: 50, CPU: 3})
    raises: Exception | None = None
    log: str = "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open"
    available: tuple[str, ...] = (TENSORRT, CUDA, CPU)
    asked: list[Any] = field(default_factory=list)
    preloaded: int = 0
    callback: Callable[..., None] | None = None
    __version__ = "1.99"

    def get_available_providers(self) -> list[str]:
        return list(self.available)

    def SessionOptions(self) -> Any:
        return SimpleNamespace(add_session_config_entry=lambda key, value: None)

    GraphOptimizationLevel = SimpleNamespace(ORT_ENABLE_ALL=99)
    ExecutionMode = SimpleNamespace(ORT_SEQUENTIAL=0)

    def preload_dlls(self) -> None:
        print("Failed to load libnvinfer")
        self.preloaded += 1

    def set_default_logger_callback(self, callback: Callable[..., None] | None, severity: int = 2) -> None:
        self.callback = callback

    def InferenceSession(self, model: object, options: object, providers: list[Any], enable_fallback: int) -> FakeSession:
        assert enable_fallback == 0
        self.asked = providers
        names = [p if isinstance(p, str) else p[0] for p in providers]
        if self.raises is not None and names[0] != CPU:
            raise self.raises
        started = [n for n in names if n in (*self.works, CPU)]
        if names[0] not in started and self.callback:
            self.callback(3, "onnxruntime", "Default", "provider_bridge_ort.cc:1", self.log + "\nmore")
        taken = self.nodes if started[0] != CPU else {CPU: sum(self.nodes.values())}
        return FakeSession(started, {n: k for n, k in taken.items() if n in started})


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeOrt:
    made = FakeOrt()
    monkeypatch.setattr(runtime, "require", lambda module, name: made)
    monkeypatch.setattr(runtime, "onnx_model", lambda program, folder: b"")
    monkeypatch.setattr(runtime, "side_by_side", lambda: None)
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    return made


def opened(device: str, tf32: bool = False) -> Any:
    return RUNTIME.open(network(SMALL), RunOptions(device, tf32))


def test_cuda_runs_and_tells_who_took_what(fake: FakeOrt, capsys: pytest.CaptureFixture[str]) -> None:
    about = opened("cuda:1").about
    assert (about.device, about.provider) == ("cuda:1", f"{CUDA} (50 nodes), {CPU} (3 nodes)")
    assert [fake.asked[0][0], fake.asked[1]] == [CUDA, CPU]
    assert (fake.asked[0][1]["device_id"], fake.asked[0][1]["use_tf32"]) == ("1", "0")
    assert fake.preloaded == 1
    assert fake.callback is None
    assert capsys.readouterr().out == ""
    assert "NVIDIA_TF32_OVERRIDE" not in os.environ


def test_tf32_on_request(fake: FakeOrt) -> None:
    opened("cuda", tf32=True)
    assert fake.asked[0][1]["use_tf32"] == "1"


def test_tensorrt_runs_with_cuda_behind_it(fake: FakeOrt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "NVIDIA_TF32_OVERRIDE", "1")
    fake.works, fake.nodes = (TENSORRT, CUDA), {CPU: 1, TENSORRT: 2}
    about = opened("tensorrt").about
    assert (about.device, about.provider) == ("tensorrt:0", f"{TENSORRT} (2 nodes), {CPU} (1 node)")
    assert fake.asked[0][1]["trt_fp16_enable"] == "0"
    assert [p if isinstance(p, str) else p[0] for p in fake.asked] == [TENSORRT, CUDA, CPU]
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"


def test_cuda_graphs_and_channels_last_are_passed_on(fake: FakeOrt) -> None:
    about = RUNTIME.open(network(SMALL), RunOptions("cuda", cuda_graph=True, layout="channels_last")).about
    assert (fake.asked[0][1]["enable_cuda_graph"], fake.asked[0][1]["prefer_nhwc"]) == ("1", "1")
    assert about.notes == ("convolutions run channels last",)


@pytest.mark.parametrize("options", [RunOptions("auto", cuda_graph=True), RunOptions("auto", layout="channels_last")])
def test_what_auto_cannot_have_on_the_cpu_is_refused(fake: FakeOrt, options: RunOptions) -> None:
    fake.works = ()
    assert codes(lambda: RUNTIME.open(network(SMALL), options)) == ["CNN305"]


def test_a_network_that_is_not_one_graph_is_told(fake: FakeOrt) -> None:
    fake.raises = RuntimeError("This session cannot use the graph capture feature as requested by the user")
    message = told(lambda: RUNTIME.open(network(SMALL), RunOptions("cuda", cuda_graph=True)))
    assert message.startswith("error[CNN305]: this network cannot be one CUDA graph: ")


def test_a_quiet_fall_back_is_found_out(fake: FakeOrt) -> None:
    fake.works = ()
    assert told(lambda: opened("cuda")) == (
        "error[CNN304]: the device cuda:0 is not available to onnxruntime: CUDAExecutionProvider did not start: Failed to load "
        "library libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open\n"
        '  = check the driver with nvidia-smi; CUDA and cuDNN come with pip install "convspec[gpu]"'
    )
    assert fake.callback is None


def test_tensorrt_falling_back_to_cuda_is_found_out(fake: FakeOrt) -> None:
    message = told(lambda: opened("tensorrt"))
    assert message.startswith(
        "error[CNN304]: the device tensorrt:0 is not available to onnxruntime: TensorrtExecutionProvider did not start: "
    )
    assert "install NVIDIA TensorRT" in message


def test_a_device_that_takes_no_node_is_told(fake: FakeOrt) -> None:
    fake.nodes = {CPU: 53}
    assert told(lambda: opened("cuda")) == (
        "error[CNN304]: the device cuda:0 is not available to onnxruntime: CUDAExecutionProvider took none of the network's "
        "nodes\n  = use --device cpu"
    )


def test_a_gpu_number_that_is_not_there_is_told(fake: FakeOrt) -> None:
    fake.raises = RuntimeError("[ONNXRuntimeError] : 1 : FAIL : CUDA failure 101: invalid device ordinal ; GPU=7")
    assert told(lambda: opened("cuda:7")) == (
        "error[CNN304]: the device cuda:7 is not available to onnxruntime: CUDA failure 101: invalid device ordinal ; GPU=7\n"
        '  = check the driver with nvidia-smi; CUDA and cuDNN come with pip install "convspec[gpu]"'
    )


def test_a_model_that_cuda_cannot_run_is_told_as_such(fake: FakeOrt) -> None:
    fake.raises = RuntimeError("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for Foo(1)")
    assert codes(lambda: opened("cuda")) == ["CNN305"]


def test_auto_takes_cuda(fake: FakeOrt) -> None:
    about = opened("auto").about
    assert (about.device, about.notes) == ("cuda:0", ("auto chose CUDA",))


def test_auto_falls_back_and_says_why(fake: FakeOrt) -> None:
    fake.works = ()
    about = opened("auto").about
    assert (about.device, about.provider) == ("cpu", CPU)
    (note,) = about.notes
    assert note.startswith(
        "auto chose the CPU: the device cuda:0 is not available to onnxruntime: CUDAExecutionProvider did not"
    )


def test_auto_does_not_hide_what_is_wrong_with_the_network(fake: FakeOrt) -> None:
    fake.raises = RuntimeError("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for Foo(1)")
    assert codes(lambda: opened("auto")) == ["CNN305"]


def test_two_installations_are_the_hint_and_a_note(fake: FakeOrt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "side_by_side", lambda: "both are installed: …")
    assert opened("cpu").about.notes == ("both are installed: …",)
    fake.available = (CPU,)
    assert told(lambda: opened("cuda")).endswith("is built without CUDA\n  = both are installed: …")


def test_an_onnxruntime_that_tells_less(fake: FakeOrt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeOrt, "set_default_logger_callback", property(lambda self: (_ for _ in ()).throw(AttributeError())))
    monkeypatch.setattr(
        FakeSession, "get_provider_graph_assignment_info", property(lambda self: (_ for _ in ()).throw(AttributeError()))
    )
    assert opened("cuda").about.provider == CUDA
    fake.works = ()
    assert "did not start: its libraries or the driver were not found" in told(lambda: opened("cuda"))
