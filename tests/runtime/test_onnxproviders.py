"""What ONNX Runtime is told, value by value; where TensorRT's engines are kept, and that what differs shares no place."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort
import pytest

from convspec.runtime import onnxproviders as providers
from convspec.runtime.base import RunOptions
from convspec.runtime.devices import CPU, Device
from tests.runtime.helpers import codes

CUDA, TENSORRT = Device("cuda", 1), Device("tensorrt")


@pytest.mark.parametrize(
    ("device", "order"),
    [
        (CPU, ["CPUExecutionProvider"]),
        (CUDA, ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        (TENSORRT, ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]),
    ],
)
def test_the_order_of_providers_is_said(device: Device, order: list[str]) -> None:
    found = providers.provider_list(device, RunOptions())
    assert [each if isinstance(each, str) else each[0] for each in found] == order


def test_cuda_in_float32() -> None:
    assert providers.cuda_options(CUDA, RunOptions()) == {
        "device_id": "1",
        "use_tf32": "0",
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "cudnn_conv_use_max_workspace": "1",
        "cudnn_conv1d_pad_to_nc1d": "1",
        "prefer_nhwc": "0",
        "fuse_conv_bias": "0",
        "do_copy_in_default_stream": "1",
        "arena_extend_strategy": "kSameAsRequested",
        "enable_cuda_graph": "0",
    }


@pytest.mark.parametrize(
    ("options", "last"),
    [
        (RunOptions(), False),
        (RunOptions(tf32=True), True),
        (RunOptions(precision="fp16"), True),
        (RunOptions(precision="bf16"), True),
        (RunOptions(precision="fp16", layout="channels_first"), False),
        (RunOptions(layout="channels_last"), True),
    ],
)
def test_channels_lie_last_where_tensor_cores_work(options: RunOptions, last: bool) -> None:
    told = providers.cuda_options(CUDA, options)
    assert (told["prefer_nhwc"], told["fuse_conv_bias"]) == (("1", "1") if last else ("0", "0"))
    assert told["use_tf32"] == str(int(options.tf32))


def test_tensorrt_takes_the_precision_that_was_asked_for_and_no_other(tmp_path: Path) -> None:
    kept = providers.EngineCache(tmp_path, "")
    plain = providers.tensorrt_options(TENSORRT, RunOptions(), kept)
    assert (plain["trt_fp16_enable"], plain["trt_bf16_enable"], plain["trt_int8_enable"]) == ("0", "0", "0")
    assert (plain["trt_engine_cache_enable"], plain["trt_engine_cache_path"]) == ("1", str(tmp_path))
    half = providers.tensorrt_options(TENSORRT, RunOptions(precision="fp16"), None)
    assert (half["trt_fp16_enable"], half["trt_bf16_enable"], half["trt_engine_cache_enable"]) == ("1", "0", "0")
    assert "trt_engine_cache_path" not in half
    assert providers.tensorrt_options(TENSORRT, RunOptions(precision="bf16"), None)["trt_bf16_enable"] == "1"


def test_session_options_are_said_and_taken() -> None:
    made = providers.make_session_options(ort, RunOptions(threads=2))
    assert made.graph_optimization_level == ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    assert made.execution_mode == ort.ExecutionMode.ORT_SEQUENTIAL
    assert (made.intra_op_num_threads, made.inter_op_num_threads) == (2, 1)
    assert made.enable_cpu_mem_arena and made.enable_mem_pattern and made.enable_mem_reuse
    assert providers.make_session_options(ort, RunOptions()).intra_op_num_threads == 0


@pytest.mark.parametrize(
    ("device", "options"),
    [
        (CPU, RunOptions(cuda_graph=True)),
        (CPU, RunOptions(layout="channels_last")),
        (CPU, RunOptions(compile=True)),
        (TENSORRT, RunOptions(cuda_graph=True)),
        (TENSORRT, RunOptions(layout="channels_first")),
        (CUDA, RunOptions(layout="NHWC")),
        (CUDA, RunOptions(precision="half")),
    ],
)
def test_what_a_device_does_not_have_is_refused(device: Device, options: RunOptions) -> None:
    assert codes(lambda: providers.check_runtime_options(options, device)) == ["CNN305"]


def test_what_it_has_is_let_through() -> None:
    providers.check_runtime_options(RunOptions(threads=1, precision="bf16", cuda_graph=True, layout="channels_last"), CUDA)
    providers.check_runtime_options(RunOptions(threads=1, precision="fp16"), CPU)


# ── TensorRT's engines ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """A GPU and a TensorRT that can be exchanged."""
    known: dict[str, str | None] = {"gpu": "H100, 9.0, 570.1", "tensorrt": "10.9"}
    monkeypatch.setattr(providers, "gpu_of", lambda index: known["gpu"])
    monkeypatch.setattr(providers, "_tensorrt_version", lambda: known["tensorrt"])
    monkeypatch.setattr(providers, "cache_home", lambda environment, platform: tmp_path)
    return known


def folder(model: bytes = b"model", version: str = "1.32", options: RunOptions | None = None) -> Path:
    found = providers.engine_cache(model, version, TENSORRT, options or RunOptions())
    assert found.folder is not None
    assert found.folder.is_dir()
    assert found.note == f"TensorRT's engines are kept in {found.folder}"
    return found.folder


def test_engines_of_what_differs_never_share_a_folder(machine: dict[str, str | None], tmp_path: Path) -> None:
    found = [folder(), folder(b"other"), folder(version="1.33")]
    found += [folder(options=RunOptions(tf32=True)), folder(options=RunOptions(precision="fp16"))]
    machine["gpu"] = "H100, 9.0, 575.2"
    found.append(folder())
    machine["tensorrt"] = "10.10"
    found.append(folder())
    assert len(set(found)) == len(found) == 7
    assert all(each.parent == tmp_path / "convspec" / "tensorrt" for each in found)


def test_the_same_comes_back_to_the_same_folder(machine: dict[str, str | None]) -> None:
    assert folder() == folder(options=RunOptions("tensorrt", threads=3))


@pytest.mark.parametrize(("unknown", "said"), [("gpu", "GPU and driver"), ("tensorrt", "version of TensorRT")])
def test_nothing_is_kept_where_it_could_be_wrong(machine: dict[str, str | None], unknown: str, said: str) -> None:
    machine[unknown] = None
    found = providers.engine_cache(b"model", "1.32", TENSORRT, RunOptions())
    assert found == providers.EngineCache(None, f"TensorRT's engines are not kept: the {said} could not be told")


def test_weights_beside_a_model_are_part_of_it(tmp_path: Path) -> None:
    from convspec import loads

    def key(seed: int) -> str:
        net = loads("model M {\ninput x: float32[N, 4]\noutput x -> linear(4)\n}", seed=seed)
        path = net.to_onnx(tmp_path / "m.onnx", external_data=True)[0]
        return providers.cache_key(str(path), {})

    assert key(0) == key(0) != key(1)
    next(tmp_path.glob("*.data")).unlink()
    assert codes(lambda: providers.cache_key(str(tmp_path / "m.onnx"), {})) == ["CNN306"]


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"XDG_CACHE_HOME": "/x/cache"}, "linux", Path("/x/cache")),
        ({"XDG_CACHE_HOME": "relative"}, "linux", Path.home() / ".cache"),
        ({}, "linux", Path.home() / ".cache"),
        ({"XDG_CACHE_HOME": "/x"}, "darwin", Path.home() / "Library" / "Caches"),
        ({"LOCALAPPDATA": "/local"}, "win32", Path("/local")),
    ],
)
def test_the_user_s_folder_for_caches(environment: dict[str, str], platform: str, expected: Path) -> None:
    assert providers.cache_home(environment, platform) == expected


def test_where_nvidia_smi_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert providers.gpu_of(0) is None
