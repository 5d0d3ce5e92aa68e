"""A model written against a data file that is there: only where it fits, and then it computes the same."""

from __future__ import annotations

import json
import struct
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convspec
from convspec.diagnostics import Diagnostic, Failure
from convspec.targets.base import find_target
from tests.targets.onnx.nets import run

FLAT = """
model M(classes: int = 5, stride: int = 1, side: int = 32) {
    input x: float32[N, 3, side, side]
    output z = x -> a: conv(8, 3x3, stride = stride, pad = 1) -> bn: batchnorm -> relu
        -> b: separable_conv(16, 3x3) -> global_avgpool -> flatten -> fc: linear(classes)
}
"""


def net(**settings: Any) -> convspec.Net:
    return convspec.loads(FLAT, "m.cnn", settings=settings, seed=3)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data file, beside the model it was written with."""
    _, written = net().compile("onnx", tmp_path / "m.onnx", external_data=True)
    return written


def failure(data: Path | str, made: convspec.Net | None = None, to: str = "other.onnx", **options: Any) -> Diagnostic:
    """The one diagnostic; nothing has been written."""
    folder = Path(data).parent
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(Failure) as caught:
        (made or net()).compile("onnx", folder / to, reuse_data=data, **options)
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_the_model_alone_is_written_and_is_the_same(data: Path) -> None:
    again = net().compile("onnx", data.parent / "again.onnx", reuse_data=data)
    assert again == [data.parent / "again.onnx"]
    assert again[0].read_bytes() == (data.parent / "m.onnx").read_bytes()


def test_another_network_over_the_same_weights(data: Path) -> None:
    """Another stride, size and opset. The weights are the file's, whatever the seed says."""
    other = convspec.loads(FLAT, "m.cnn", settings={"stride": 2, "side": 48}, seed=99)
    (path,) = other.compile("onnx", data.parent / "other.onnx", reuse_data=str(data), opset=20)
    assert "weights" not in vars(other), "nothing was drawn"
    import_module("onnx").checker.check_model(str(path), full_check=True)
    x = np.random.default_rng(0).standard_normal((2, 3, 48, 48)).astype(np.float32)
    expected = convspec.loads(FLAT, "m.cnn", settings={"stride": 2, "side": 48}, seed=3).run(x, "reference")
    np.testing.assert_allclose(run(str(path), {"x": x})["z"], expected["z"], rtol=1e-4, atol=1e-5)


def test_several_models_share_a_file(data: Path) -> None:
    for side in (32, 64):
        net(side=side).compile("onnx", data.parent / f"m{side}.onnx", reuse_data=data)
    locations = {
        entry.value
        for side in (32, 64)
        for init in import_module("onnx").load(data.parent / f"m{side}.onnx", load_external_data=False).graph.initializer
        for entry in init.external_data
        if entry.key == "location"
    }
    assert locations == {"m.onnx.data"}


def test_the_model_itself_can_be_written_again(data: Path) -> None:
    model = data.parent / "m.onnx"
    before = model.read_bytes(), data.read_bytes()
    net().compile("onnx", model, reuse_data=data)
    assert (model.read_bytes(), data.read_bytes()) == before


# ── what does not fit ────────────────────────────────────────────────────────────────────────────────────────


def test_another_shape(data: Path) -> None:
    found = failure(data, net(classes=6))
    assert found.code == "CNN201"
    assert list(found.notes) == [
        "`fc.bias` is float32[5] in the file, float32[6] in the model",
        "`fc.weight` is float32[5, 16] in the file, float32[6, 16] in the model",
    ]
    assert found.hint is not None and "--external-data" in found.hint


def test_another_name(data: Path) -> None:
    found = failure(data, convspec.loads(FLAT.replace("fc:", "head:"), "m.cnn"))
    assert found.code == "CNN201"
    assert list(found.notes) == [
        *(f"not in the file: `head.{role}`" for role in ("bias", "weight")),
        *(f"not in the model: `fc.{role}`" for role in ("bias", "weight")),
    ]


def test_another_dtype_of_the_same_size(tmp_path: Path) -> None:
    text = "model M { input x: DTYPE[N, 64] output x -> linear(64) }"
    half = convspec.loads(text.replace("DTYPE", "float16"), "m.cnn")
    _, data = half.compile("onnx", tmp_path / "m.onnx", external_data=True)
    found = failure(data, convspec.loads(text.replace("DTYPE", "bfloat16"), "m.cnn"))
    assert found.code == "CNN201" and "float16" in found.notes[0] and "bfloat16" in found.notes[0]


def test_the_order_counts(tmp_path: Path) -> None:
    """Two layers of one size, in the other order: offsets would be mixed up."""
    text = "model M { input x: float32[N, 64] output x -> ONE: linear(64) -> TWO: linear(64) }"
    made = convspec.loads(text.replace("ONE", "a").replace("TWO", "b"), "m.cnn")
    _, data = made.compile("onnx", tmp_path / "m.onnx", external_data=True)
    found = failure(data, convspec.loads(text.replace("ONE", "b").replace("TWO", "a"), "m.cnn"))
    assert found.code == "CNN201" and "order" in found.notes[0]


def test_a_large_constant_with_other_values(tmp_path: Path) -> None:
    """It lies in the file, and comes from the spec: the resize's weights, say, or numbers of a normalisation."""
    means = ", ".join(f"{i}.5" for i in range(300))
    text = f"model M {{ input x: float32[N, 300, 2, 2] output x -> normalize(mean = [{means}], std = 2.0) -> conv(4, 1x1) }}"
    _, data = convspec.loads(text, "m.cnn").compile("onnx", tmp_path / "m.onnx", external_data=True)
    convspec.loads(text, "m.cnn").compile("onnx", tmp_path / "same.onnx", reuse_data=data)
    found = failure(data, convspec.loads(text.replace("17.5", "17.25"), "m.cnn"))
    assert found.code == "CNN201" and "constant" in found.notes[0]


def test_of_many_misfits_a_few_are_shown(tmp_path: Path) -> None:
    text = "model M { input x: float32[N, 4] y = x for i in 0..40 { y = y -> linear(SIZE) } output z = y }"
    _, data = convspec.loads(text.replace("SIZE", "4"), "m.cnn").compile("onnx", tmp_path / "m.onnx", external_data=True)
    found = failure(data, convspec.loads(text.replace("SIZE", "5"), "m.cnn"))
    assert len(found.notes) == 11 and found.notes[-1] == "and 70 more"


@pytest.mark.parametrize("cut", [1, 8, 16, 17, 100, 4000])
def test_a_truncated_file(data: Path, cut: int) -> None:
    data.write_bytes(data.read_bytes()[:-cut])
    assert failure(data).code == "CNN200"


def test_longer_and_shorter_data_under_a_right_manifest(data: Path) -> None:
    whole = data.read_bytes()
    tail = whole[whole.rindex(b'{"rewritten"') :]
    for body in (whole[: -len(tail)] + b"\0", whole[: -len(tail) - 1], b""):
        data.write_bytes(body + tail)
        assert failure(data).code in ("CNN200", "CNN201")


BAD_MANIFESTS: list[Any] = [[], {}, {"tensors": 3}, {"tensors": [1]}, {"tensors": [["a"]]}, {"tensors": [["a", "b", 1, 2, 3]]}]


@pytest.mark.parametrize(
    "end",
    [
        b"",
        b"cnnspec1",
        struct.pack("<Q", 1 << 60) + b"cnnspec1",
        b"{" * 100_000 + struct.pack("<Q", 100_000) + b"cnnspec1",
        *(
            json.dumps(manifest).encode() + struct.pack("<Q", len(json.dumps(manifest))) + b"cnnspec1"
            for manifest in BAD_MANIFESTS
        ),
    ],
)
def test_hostile_ends(data: Path, end: bytes) -> None:
    data.write_bytes(b"\1" * 5000 + end)
    assert failure(data).code == "CNN200"


def test_no_such_file_and_a_folder(data: Path) -> None:
    assert failure(data.parent / "absent.data").code == "CNN200"
    (data.parent / "folder.data").mkdir()
    assert failure(data.parent / "folder.data").code == "CNN200"


def test_a_file_elsewhere(data: Path, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    found = failure(data, to="inner/m.onnx")
    assert found.code == "CNN401" and "beside" in found.message


def test_the_file_is_not_overwritten_with_the_model(data: Path) -> None:
    named = data.rename(data.parent / "weights.onnx")
    assert failure(named, to="weights.onnx").code == "CNN401"


def test_weights_cannot_be_given_too(data: Path) -> None:
    given = net().save_weights(data.parent / "w.safetensors")
    assert failure(data, convspec.loads(FLAT, "m.cnn", weights=given)).code == "CNN401"


def test_optimised_networks_neither_write_nor_use_such_files(data: Path) -> None:
    """By the same names they hold other numbers."""
    assert failure(data, optimize=1).code == "CNN401"
    net().compile("onnx", data.parent / "m.onnx", external_data=True, optimize=1)
    assert failure(data).code == "CNN201"


def test_what_is_not_an_option_of_other_targets(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        net().compile("pytorch", tmp_path, reuse_data=tmp_path / "x")
    assert caught.value.diagnostics[0].code == "CNN401"
    assert find_target("onnx").options().stem is None
