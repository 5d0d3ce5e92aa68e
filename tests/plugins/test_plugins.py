"""A layer and a target of somebody else's package, found by their entry points, in processes that have it on their path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from convspec import ops
from convspec.diagnostics import Failure
from convspec.elaborate import loads

PACKAGES = Path(__file__).parent / "packages"

SPEC = """model Small {
    input x: float32[N, 3, 8, 8]
    output x -> conv(4, 3x3) -> scaled_tanh(2.0, slope = 0.5)
}
"""

COMPARE = """
import numpy as np
import convspec

net = convspec.load("small.cnn")
x = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)
expected = next(iter(net.run({"x": x}, runtime="reference").values()))
inner = convspec.loads(open("small.cnn").read().replace(" -> scaled_tanh(2.0, slope = 0.5)", ""))
assert not np.allclose(expected, 0)
for runtime in ("onnxruntime", "pytorch", "tensorflow"):
    found = next(iter(net.run({"x": x}, runtime=runtime).values()))
    assert np.abs(found - expected).max() < 1e-5, runtime
    before = next(iter(convspec.Net(inner.module, net.weights).run({"x": x}, runtime=runtime).values()))
    assert np.abs(found - 2 * np.tanh(before / 2)).max() < 1e-5, runtime
print("agree")
"""


def python(folder: Path, *args: str, packages: Path | None = PACKAGES) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parent.parent.parent
    paths = [str(root), *([str(packages)] if packages else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run([sys.executable, *args], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.cnn").write_text(SPEC)
    return tmp_path


def test_a_layer_of_a_package_runs_on_every_target(folder: Path) -> None:
    done = python(folder, "-c", COMPARE)
    assert done.stdout == "agree\n", done.stderr


def test_a_target_of_a_package(folder: Path) -> None:
    done = python(folder, "-m", "convspec", "compile", "small.cnn", "--target", "listing")
    assert done.returncode == 0, done.stderr
    assert (folder / "small.txt").read_text() == "conv1: convolve 4 of 3x3\nscaled_tanh1: squash to 2.0\n112 numbers\n"


def test_what_a_target_of_a_package_cannot_express(folder: Path) -> None:
    (folder / "small.cnn").write_text(SPEC.replace("scaled_tanh(2.0, slope = 0.5)", "gelu"))
    done = python(folder, "-m", "convspec", "compile", "small.cnn", "--target", "listing")
    assert done.returncode == 1
    assert "CNN090" in done.stderr
    assert "small.cnn:3:" in done.stderr


def test_a_layer_of_a_package_is_explained_and_checked(folder: Path) -> None:
    done = python(folder, "-m", "convspec", "explain", "scaled_tanh")
    assert "amplitude · tanh(slope · x)" in done.stdout
    (folder / "small.cnn").write_text(SPEC.replace("slope", "slop"))
    done = python(folder, "-m", "convspec", "check", "small.cnn")
    assert "CNN022" in done.stderr
    assert "did you mean `slope`?" in done.stderr


def test_a_package_cannot_replace_a_layer(folder: Path) -> None:
    done = python(folder, "-m", "convspec", "explain", "conv")
    assert "cross-correlation" in done.stdout.lower()


@pytest.mark.parametrize("name", ["broken_layer", "misnamed"])
def test_a_layer_that_cannot_be_used(folder: Path, name: str) -> None:
    (folder / "small.cnn").write_text(SPEC.replace("scaled_tanh(2.0, slope = 0.5)", name))
    done = python(folder, "-m", "convspec", "check", "small.cnn")
    assert done.returncode == 1
    assert "CNN027" in done.stderr
    assert name in done.stderr


def test_without_the_package_the_layer_is_not_known() -> None:
    assert ops.find("scaled_tanh") is None
    with pytest.raises(Failure) as caught:
        loads(SPEC)
    assert caught.value.diagnostics[0].code == "CNN021"
