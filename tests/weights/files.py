"""Weights files as other programs write them, made small and by hand; and ways to damage them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec.diagnostics import Diagnostic, Failure
from convspec.ir.types import Array
from convspec.weights.sources import open_source

Layers = Sequence[tuple[str, str | None, Sequence[Array]]]
"""The group's name, the layer's, and its variables."""


def floats(*shape: int, start: float = 0.0) -> Array:
    """Numbers that are all different."""
    return np.arange(start, start + np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)


LAYERS: Layers = (
    ("conv2d", "first", (floats(3, 3, 1, 2), floats(2))),
    ("batch_normalization", "norm", (floats(2), floats(2, start=3), floats(2, start=5), floats(2, start=7))),
    ("conv2d_1", "second", (floats(1, 1, 2, 4),)),
    ("dense", "head", (floats(4, 3), floats(3))),
)


def write_h5(path: Path, layers: Layers = LAYERS) -> Path:
    """A `.weights.h5` with groups in the order of writing, as Keras 3 has it."""
    import h5py

    with h5py.File(path, "w") as file:
        for key, name, arrays in layers:
            group = file.create_group(f"layers/{key}").create_group("vars")
            if name is not None:
                group.attrs["name"] = name
            for index, array in enumerate(arrays):
                group[str(index)] = array
    return path


def write_keras(path: Path, configs: Sequence[Mapping[str, Any]], layers: Layers = LAYERS, *, deflated: bool = False) -> Path:
    """A `.keras` archive; each of `configs` is a layer's settings, with its class under `class`."""
    inner = write_h5(path.with_suffix(".inner"), layers)
    entries = [{"class_name": config["class"], "config": config} for config in configs]
    config = {"class_name": "Functional", "config": {"name": "model", "layers": entries}}
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(config))
        archive.write(inner, "model.weights.h5")
    inner.unlink()
    return path


CONFIGS: Sequence[Mapping[str, Any]] = (
    {"class": "InputLayer", "name": "input"},
    {"class": "Conv2D", "name": "first", "use_bias": True},
    {"class": "BatchNormalization", "name": "norm", "scale": True, "center": True},
    {"class": "Conv2D", "name": "second", "use_bias": False},
    {"class": "Dense", "name": "head", "use_bias": True},
)


def write_onnx(path: Path) -> Path:
    """A model of one matrix, a vector in a typed field, and a Constant."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("MatMul", ["x", "fc.weight"], ["y"]),
        helper.make_node("Add", ["y", "fc.bias"], ["z"]),
        helper.make_node("Constant", [], ["scale"], value=numpy_helper.from_array(floats(1, 4))),
        helper.make_node("Mul", ["z", "scale"], ["out"]),
    ]
    tensors = [
        numpy_helper.from_array(floats(3, 4), "fc.weight"),
        helper.make_tensor("fc.bias", TensorProto.FLOAT, [4], [1, 2, 3, 4]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in (("x", 3), ("out", 4))]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)), path)
    return path


def contents(path: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Everything in a file, read; each tensor must be what was said of it."""
    found = {}
    for name, stored in open_source(path).tensors.items():
        array = stored.read()
        assert (name, array.shape, array.dtype.name) == (stored.name, stored.shape, stored.dtype)
        found[name] = (stored.dtype, stored.shape, array.tobytes())
    return found


def refusal(path: Path, action: Callable[[Path], Any] = contents) -> Diagnostic:
    """The one error CNN200 that reading the file gives."""
    with pytest.raises(Failure) as caught:
        action(path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "CNN200"
    assert diagnostic.message.startswith(f"cannot read {path}")
    return diagnostic


def rezipped(path: Path, changes: Mapping[str, bytes], copy: Path) -> Path:
    """A copy of an archive with the bytes of members changed, by the end of their names."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for member in source.infolist():
            data = next((new for end, new in changes.items() if member.filename.endswith(end)), source.read(member))
            target.writestr(member.filename, data)
    return copy
