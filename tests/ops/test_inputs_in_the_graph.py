"""`normalize` and `embedding` to the last bit, and how an embedding begins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import convspec
from convspec.elaborate import loads
from convspec.targets.tensorflow.packaging import save_keras
from convspec.weights.init import initial_weights
from tests.conformance.cell import Cell

IMAGENET = "mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225]"


@pytest.mark.parametrize("runtime", ["onnxruntime", "pytorch", "tensorflow"])
def test_every_pixel_is_prepared_to_the_same_bits(runtime: str) -> None:
    """Division, subtraction, division: each rounded once, in float32."""
    x = np.arange(3 * 256, dtype=np.int64).reshape(1, 3, 16, 16).astype(np.uint8)
    mean, std = (np.array(each, np.float32).reshape(1, 3, 1, 1) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    expected = (x.astype(np.float32) / np.float32(255) - mean) / std
    cell = Cell(f"x -> normalize({IMAGENET})", x=x)
    found = convspec.Net(cell.module, {}).run({"x": x}, runtime=runtime, device="cpu")["out0"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_constants_are_no_parameters() -> None:
    cell = Cell(f"x -> normalize({IMAGENET})", x=np.zeros((2, 3, 4), np.uint8))
    assert not cell.module.graph.parameters()
    assert not convspec.Net(cell.module, {}).to_torch().state_dict()


def test_a_padding_vector_begins_as_zeros() -> None:
    """And no other number depends on it."""
    spec = "model Net {{\n    input x: int32[N, 4]\n    output y = x -> words: embedding(50, 8{})\n}}\n"
    [padded], [plain] = (initial_weights(loads(spec.format(more)).graph, 7).values() for more in (", padding = 3", ""))
    assert not padded[3].any() and plain[3].any()
    np.testing.assert_array_equal(np.delete(padded, 3, 0), np.delete(plain, 3, 0))
    assert abs(plain.std() - 1) < 0.2


def test_the_reference_names_an_index_that_is_out_of_range() -> None:
    from convspec.diagnostics import Failure

    cell = Cell("(x - 1) -> embedding(4, 2)", x=np.array([[1, 0]]))
    with pytest.raises(Failure, match="an index of `embedding` is -1, with entries 0 to 3"):
        convspec.Net(cell.module, cell.weights).run(cell.arrays, runtime="reference")


def test_a_keras_file_holds_a_padded_embedding(tmp_path: Path) -> None:
    """In inference it is an embedding like any other, which Keras reads without a class of ours."""
    import keras

    cell = Cell("x -> embedding(4, 2, padding = 1)", x=np.array([[1, 0, 3], [2, 2, 1]]))
    save_keras(cell.module, cell.weights, tmp_path / "net.keras")
    found = keras.models.load_model(tmp_path / "net.keras")(cell.arrays["x"])
    expected = convspec.Net(cell.module, cell.weights).run(cell.arrays, runtime="reference")["out0"]
    np.testing.assert_allclose(np.moveaxis(found.numpy(), -1, 1), expected, rtol=1e-6)
