"""Devices by name, runtimes that are missing or broken, installations that stand in each other's way."""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError
from types import ModuleType

import pytest

from convspec.runtime import devices
from convspec.runtime.base import RUNTIMES, find_runtime
from convspec.runtime.devices import CPU, Device, parse_device, require, side_by_side
from tests.runtime.helpers import told


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("auto", None),
        ("cpu", CPU),
        ("cuda", Device("cuda", 0)),
        ("cuda:1", Device("cuda", 1)),
        ("tensorrt", Device("tensorrt", 0)),
        ("tensorrt:2", Device("tensorrt", 2)),
    ],
)
def test_names_of_devices(text: str, device: Device | None) -> None:
    assert parse_device(text) == device


def test_devices_show_their_number() -> None:
    assert [str(d) for d in (CPU, Device("cuda"), Device("tensorrt", 3))] == ["cpu", "cuda:0", "tensorrt:3"]


@pytest.mark.parametrize("text", ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:99999", "cpu:0", "CUDA", "auto ", "cuda:1\n"])
def test_other_names_are_told(text: str) -> None:
    head, hint = told(lambda: parse_device(text)).rsplit("\n  = ", 1)
    assert head.startswith("error[CNN305]: there is no device `")
    assert hint == "devices are auto, cpu, cuda, cuda:1, tensorrt"


def missing(name: str) -> ModuleType:
    raise ModuleNotFoundError(f"No module named '{name}'", name=name)


@pytest.mark.parametrize(
    ("module", "runtime", "hint"),
    [
        ("onnxruntime", "onnxruntime", 'pip install "convspec[cpu]" (or "convspec[gpu]" for an NVIDIA GPU)'),
        ("torch", "pytorch", 'pip install "convspec[torch]"'),
        ("tensorflow", "tensorflow", 'pip install "convspec[tensorflow]"'),
    ],
)
def test_a_missing_runtime_names_its_extra(monkeypatch: pytest.MonkeyPatch, module: str, runtime: str, hint: str) -> None:
    monkeypatch.setattr(devices, "import_module", missing)
    assert told(lambda: require(module, runtime)) == (f"error[CNN303]: the runtime {runtime} is not installed\n  = {hint}")


@pytest.mark.parametrize(
    "problem",
    [ImportError("libcudnn.so.9: cannot open shared object file"), OSError("libcudnn.so.9: cannot open shared object file")],
)
def test_a_broken_runtime_says_why(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def broken(name: str) -> ModuleType:
        raise problem

    monkeypatch.setattr(devices, "import_module", broken)
    assert told(lambda: require("torch", "pytorch")) == (
        "error[CNN303]: the runtime pytorch is installed, but cannot be imported: "
        "libcudnn.so.9: cannot open shared object file\n"
        '  = install it anew: pip uninstall torch, then pip install "convspec[torch]"'
    )


def test_a_runtime_that_lacks_a_package_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "import_module", lambda name: missing("flatbuffers"))
    assert told(lambda: require("onnxruntime", "onnxruntime")).startswith(
        "error[CNN303]: the runtime onnxruntime is installed, but cannot be imported: No module named 'flatbuffers'"
    )


@pytest.mark.parametrize(
    ("installed", "said"),
    [(set(), False), ({"onnxruntime"}, False), ({"onnxruntime-gpu"}, False), ({"onnxruntime", "onnxruntime-gpu"}, True)],
)
def test_two_onnxruntimes_side_by_side(monkeypatch: pytest.MonkeyPatch, installed: set[str], said: bool) -> None:
    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(devices, "version", version)
    text = side_by_side()
    assert (text is not None) == said
    if text:
        assert text == (
            "onnxruntime and onnxruntime-gpu are both installed and hide each other: pip uninstall -y onnxruntime "
            'onnxruntime-gpu, then pip install "convspec[gpu]" (for a GPU) or "convspec[cpu]"'
        )


def test_every_runtime_is_found_by_its_name() -> None:
    assert [find_runtime(name).name for name in RUNTIMES] == list(RUNTIMES)
    assert told(lambda: find_runtime("tvm")) == (
        "error[CNN305]: there is no runtime `tvm`\n  = the runtimes are onnxruntime, pytorch, tensorflow, openvino, reference"
    )


def test_finding_a_runtime_imports_no_framework() -> None:
    source = importlib.util.find_spec("convspec.runtime.tensorflow")
    assert source is not None
