"""Weights written in every format: other programs read them, they come back bit for bit, and nothing is written by halves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec import api
from convspec.diagnostics import Failure
from convspec.files import write_file
from convspec.ir.types import Array
from convspec.weights.convert import convert
from convspec.weights.sinks import write

SPEC = """model Net {
    input x: float32[N, 3, 8, 8]
    h = x -> stem: conv(8, 3x3, pad = 1) -> norm: batchnorm -> relu -> dw: depthwise_conv(3x3, pad = 1) -> act: prelu
    output y = h -> maxpool(2x2) -> flatten -> head: linear(5)
}
"""
FORMATS = (".safetensors", ".pt", ".pth", ".weights.h5", ".keras", ".onnx")


@pytest.fixture(scope="module")
def net() -> api.Net:
    return api.loads(SPEC)


@pytest.fixture(scope="module")
def weights(net: api.Net) -> dict[str, Array]:
    """Numbers that are all different, with bits that only survive if nothing computes with them."""
    rng = np.random.default_rng(1)
    drawn: dict[str, Array] = {name: np.asarray(rng.random(array.shape, np.float32)) for name, array in net.weights.items()}
    drawn["stem.bias"][:4] = [-0.0, 1e-42, np.nan, -np.inf]
    return drawn


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_written_comes_back_bit_for_bit(net: api.Net, weights: dict[str, Array], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    assert write(path, net.module, weights)[0] == path
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    found = convert(net.module, path).weights
    assert {name: array.tobytes() for name, array in found.items()} == {n: a.tobytes() for n, a in weights.items()}


@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_pytorch_loads_it_strictly(net: api.Net, weights: dict[str, Array], tmp_path: Path, suffix: str) -> None:
    torch = pytest.importorskip("torch")
    write(tmp_path / f"w{suffix}", net.module, weights)
    state = torch.load(tmp_path / f"w{suffix}", weights_only=True)
    assert set(state) == {*weights, "norm.num_batches_tracked"}
    module = api.loads(SPEC, seed=5).to_torch()
    assert list(state) == list(module.state_dict())
    module.load_state_dict(state, strict=True)
    for name, array in weights.items():
        assert module.state_dict()[name].numpy().tobytes() == array.tobytes()


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_keras_loads_it(net: api.Net, tmp_path: Path, suffix: str) -> None:
    keras = pytest.importorskip("keras")
    path = tmp_path / f"w{suffix}"
    write(path, net.module, net.weights)
    model: Any = api.loads(SPEC, seed=5).to_keras()
    if suffix == ".keras":
        model = keras.models.load_model(path)
    else:
        model.load_weights(path)
    x = np.random.default_rng(2).random((2, 3, 8, 8), np.float32)
    wanted = net.run(x)["y"]
    np.testing.assert_allclose(model.predict(x.transpose(0, 2, 3, 1), verbose=0), wanted, atol=1e-5)


def test_the_onnx_file_runs(net: api.Net, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    write(tmp_path / "w.onnx", net.module, net.weights)
    x = np.random.default_rng(2).random((2, 3, 8, 8), np.float32)
    session = onnxruntime.InferenceSession(tmp_path / "w.onnx")
    np.testing.assert_allclose(session.run(None, {"x": x})[0], net.run(x)["y"], atol=1e-5)


@pytest.mark.parametrize("suffix", FORMATS)
def test_where_it_cannot_be_written_what_stood_there_stays(
    net: api.Net, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_text("before")

    def broken(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(Failure, match="CNN400"):
        write(path, net.module, net.weights)
    assert path.read_text() == "before"
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_folder_that_is_not_there_is_said(net: api.Net, tmp_path: Path, suffix: str) -> None:
    with pytest.raises(Failure, match="CNN400"):
        write(tmp_path / "none" / f"w{suffix}", net.module, net.weights)


@pytest.mark.parametrize("name", ["w", "w.h5", "w.npz", "w.weights"])
def test_a_suffix_that_says_no_format_is_an_error(net: api.Net, tmp_path: Path, name: str) -> None:
    with pytest.raises(Failure, match="CNN401"):
        write(tmp_path / name, net.module, net.weights)


def test_float64_survives(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    net = api.loads("model M {\n    input x: float64[N, 4]\n    output y = x -> fc: linear(3)\n}\n")
    assert {array.dtype.name for array in net.weights.values()} == {"float64"}
    for suffix in (".safetensors", ".pt", ".onnx", ".weights.h5"):
        write(tmp_path / f"w{suffix}", net.module, net.weights)
        found = convert(net.module, tmp_path / f"w{suffix}").weights
        assert {n: (a.dtype, a.tobytes()) for n, a in found.items()} == {
            n: (a.dtype, a.tobytes()) for n, a in net.weights.items()
        }, suffix


def test_files_are_not_mixed_up(tmp_path: Path) -> None:
    """What the helper of every sink promises: a file that exists keeps its mode."""
    path = write_file(tmp_path / "w.pt", b"before")
    path.chmod(0o600)
    net = api.loads(SPEC)
    write(path, net.module, net.weights)
    assert path.stat().st_mode & 0o777 == 0o600
