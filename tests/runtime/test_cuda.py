"""On a machine with a GPU the same numbers come from it; on one without, asking for it is refused, with the true reason.

Both are asserted: which of the two holds is found out from nvidia-smi and the message, never by skipping.
"""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.runtime.base import RunOptions, find_runtime
from convspec.runtime.reference import evaluate
from tests.runtime.helpers import network, random

TRUNK = """model Trunk {
    input image: float32[N, 3, 16*h, 16*w]
    x = image -> conv(16, 3x3, pad = 1) -> batchnorm -> relu -> maxpool(2x2)
    y = x -> conv(16, 3x3, stride = 2, pad = 1, groups = 4) -> gelu
    z = x -> avgpool(2x2) -> conv(16, 1x1)
    output logits = y + z -> global_avgpool -> flatten -> linear(10)
}
"""


def gpus() -> int:
    """How many GPUs the driver knows."""
    if shutil.which("nvidia-smi") is None:
        return 0
    done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU") for line in done.stdout.splitlines()) if done.returncode == 0 else 0


@pytest.mark.parametrize(
    ("runtime", "device"),
    [("onnxruntime", "cuda"), ("onnxruntime", "tensorrt"), ("pytorch", "cuda"), ("tensorflow", "cuda")],
)
def test_a_gpu_computes_the_same_or_is_refused(runtime: str, device: str) -> None:
    trunk = network(TRUNK)
    try:
        session = find_runtime(runtime).open(trunk, RunOptions(device))
    except Failure as failure:
        assert [diagnostic.code for diagnostic in failure.diagnostics] == ["CNN304"]  # noqa: PT017
        assert gpus() == 0 or _is_about_the_installation(str(failure), device)  # noqa: PT017
        return
    assert gpus() > 0
    assert session.about.device == f"{device}:0"
    x = random(4, 3, 64, 48)
    expected = evaluate(trunk.module.graph, trunk.weights, {"image": x}).outputs["logits"]
    result = session.run({"image": x})["logits"]
    assert np.abs(result - expected).max() <= 1e-5 * np.abs(expected).max()


def _is_about_the_installation(message: str, device: str) -> bool:
    """There is a GPU, but this package was built without CUDA, or TensorRT is not installed."""
    return "is built without" in message or (device == "tensorrt" and "TensorrtExecutionProvider did not start" in message)


@pytest.mark.parametrize("runtime", ["onnxruntime", "pytorch", "tensorflow"])
def test_auto_takes_a_gpu_where_there_is_one_and_says_what_it_chose(runtime: str) -> None:
    about = find_runtime(runtime).open(network(TRUNK), RunOptions("auto")).about
    note = about.notes[0]
    assert (about.device, note) == ("cuda:0", "auto chose CUDA") or (
        about.device == "cpu" and note.startswith("auto chose the CPU: ") and (gpus() == 0 or "without CUDA" in note)
    )
