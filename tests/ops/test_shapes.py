"""Layers that move elements, in files with symbolic sizes: Keras archives, exported PyTorch programs, other precisions."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec.elaborate import Module, loads
from convspec.ir.types import Array
from convspec.runtime.reference import evaluate
from convspec.targets.pytorch.package import export_pt2
from convspec.targets.tensorflow import helpers
from convspec.targets.tensorflow.packaging import save_keras, to_keras
from tests.conformance.frameworks import run_keras, run_torch

SPEC = """
model M {
    input image: DTYPE[N, 6, 4*h, 4*w]
    output row = image -> reshape([6, image.height * image.width]) -> permute([0, 2, 1])
    output rows = image -> reshape([2 * image.height, 3 * image.width])
    output blocks = image -> pixel_unshuffle(2) -> channel_shuffle(3) -> roll([1, -1], [height, width])
    output small = image -> slice(1, -1, step = 2) -> reverse(width)
    output middle = image -> crop(like = image -> slice(1, step = 2, axis = height) -> slice(1, step = 2, axis = width))
    output one = image -> slice(0, 1, axis = height) -> expand(image, axes = height) -> tile([1, 2, 1])
}
"""


def module(dtype: str = "float32") -> Module:
    return loads(SPEC.replace("DTYPE", dtype))


def picture() -> Array:
    return np.random.default_rng(3).standard_normal((2, 6, 8, 12))


def expected() -> dict[str, Array]:
    return evaluate(module().graph, {}, {"image": picture()}).outputs


def test_a_keras_archive_takes_other_sizes(tmp_path: Path) -> None:
    models: Any = import_module("keras").models
    save_keras(module(), {}, tmp_path / "m.keras")
    own = {cls.__name__: cls for cls in (helpers.ReshapeTo, helpers.CenterCrop)}
    model = models.load_model(tmp_path / "m.keras", custom_objects=own)
    found = model(picture().astype(np.float32).transpose(0, 2, 3, 1))
    for name, want in expected().items():
        got = np.asarray(found[name])
        np.testing.assert_allclose(np.moveaxis(got, -1, 1), want, rtol=1e-6, err_msg=name)


def test_an_exported_program_takes_other_sizes(tmp_path: Path) -> None:
    torch: Any = import_module("torch")
    program = torch.export.load(export_pt2(module(), {}, tmp_path / "m.pt2")).module()
    found = program(torch.tensor(picture().astype(np.float32)))
    for name, want in expected().items():
        np.testing.assert_allclose(found[name].numpy(), want, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8"])
def test_elements_keep_their_type_and_value(dtype: str) -> None:
    """They are moved, so every bit stays."""
    array = (picture() * 20).clip(0).astype(dtype)
    want = evaluate(module(dtype).graph, {}, {"image": array}).outputs
    found = run_torch(module(dtype), {}, {"image": array}, dtype if array.dtype.kind == "f" else "float32")
    model = to_keras(module(dtype), {})
    keras = model(np.moveaxis(array, 1, -1))
    for name, value in want.items():
        assert found.outputs[name].dtype == array.dtype == np.asarray(keras[name]).dtype
        np.testing.assert_array_equal(found.outputs[name], value)
        np.testing.assert_array_equal(np.moveaxis(np.asarray(keras[name]), -1, 1), value)


def test_gradients_of_all_together() -> None:
    arrays = {"image": picture()}
    ours, theirs = (run(module(), {}, arrays, "float64", True).gradients for run in (run_torch, run_keras))
    np.testing.assert_allclose(ours["image"], theirs["image"], rtol=1e-12, atol=1e-12)
