"""Networks that take indices, masks and bytes: from the command line, on every runtime, as a spec and compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec import load
from convspec.ir.types import Array
from tests.cli.helpers import convspec

RUNTIMES = ("onnxruntime", "pytorch", "tensorflow", "reference")

TEXT = """model Text(classes: int = 3) {
    input tokens: int64[N, L >= 3]
    input there: bool[N, L]
    input kinds: int32[N]
    input image: uint8[N, 3, 4, 4]

    place = parameter([1, 8, 1], init = normal(0.5))
    words = (tokens -> embedding(20, 8, padding = 0)) + place
    read = words + (words -> attention(2, mask = there) -> drop_path(0.1))
    two = read -> conv(4, 2) -> relu -> global_maxpool -> flatten
    three = read -> conv(4, 3) -> relu -> global_maxpool -> flatten
    seen = image -> normalize(mean = [0.5, 0.4, 0.3], std = 0.25) -> conv(4, 3x3) -> channel_dropout(0.1) -> flatten
    logits = [two, three, seen, kinds -> embedding(5, 6)] -> concat -> fc: linear(classes)
    output logits
    output odd = (tokens * 15) -> cast(uint8)
}
"""


def arrays() -> dict[str, Array]:
    draw = np.random.default_rng(5)
    there = draw.random((3, 6)) < 0.6
    there[1] = False
    return {
        "tokens": draw.integers(0, 20, (3, 6)),
        "there": there,
        "kinds": np.array([0, 4, 2], np.int32),
        "image": draw.integers(0, 256, (3, 3, 4, 4)).astype(np.uint8),
    }


@pytest.fixture(autouse=True)
def _files(_in_folder: None) -> None:
    Path("text.cnn").write_text(TEXT)
    saved_with("data.npz")


def saved_with(name: str, **changed: Array) -> str:
    found: dict[str, Any] = {**arrays(), **changed}
    np.savez(name, **found)
    return name


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_takes_them(runtime: str) -> None:
    done = convspec("run", "text.cnn", "--input", "data.npz", "--runtime", runtime, "--device", "cpu", "--output", "out.npz")
    assert done.code == 0, done.err
    found, expected = np.load("out.npz"), load("text.cnn").run(arrays(), "reference")
    np.testing.assert_allclose(found["logits"], expected["logits"], rtol=1e-4, atol=1e-5)
    assert found["odd"].dtype == np.uint8
    np.testing.assert_array_equal(found["odd"], arrays()["tokens"] * 15 % 256)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("value", [20, -1])
def test_an_index_out_of_range_is_refused_before_the_data_goes_in(runtime: str, value: int) -> None:
    tokens = arrays()["tokens"]
    tokens[1, 2] = value
    done = convspec("run", "text.cnn", "--input", saved_with("bad.npz", tokens=tokens), "--runtime", runtime)
    assert done.code != 0
    assert f"CNN301]: bad.npz holds {value} at [1, 2], for the input `tokens`" in " ".join(done.err.split())
    assert "from 0 to 19" in done.err


def test_every_indexed_input_is_checked_and_all_are_counted() -> None:
    kinds = np.array([5, 1, -7], np.int32)
    done = convspec("run", "text.cnn", "--input", saved_with("bad.npz", kinds=kinds))
    assert "bad.npz holds 5 at [0], for the input `kinds`" in done.err
    assert "2 of its elements are out of range" in done.err


def test_a_compiled_model_knows_the_ranges() -> None:
    assert convspec("compile", "text.cnn", "--target", "onnx").code == 0
    assert convspec("run", "text.onnx", "--input", "data.npz").code == 0
    tokens = arrays()["tokens"]
    tokens[2, 5] = -20
    done = convspec("run", "text.onnx", "--input", saved_with("bad.npz", tokens=tokens))
    assert done.code != 0
    assert "bad.npz holds -20 at [2, 5], for the input `tokens`" in done.err


@pytest.mark.parametrize("file", ["part.cnn", "part.onnx"])
def test_parts_of_an_input_are_checked_by_themselves(file: str) -> None:
    Path("part.cnn").write_text(
        """model Part {
    input x: int64[N, 6]
    word, others = x -> split([1, 5])
    output y = word -> embedding(4, 2)
    output z = others -> slice(-4, axis = channels, step = 2) -> embedding(9, 2)
    output other = others -> cast(float32)
}
"""
    )
    assert convspec("compile", "part.cnn", "--target", "onnx").code == 0
    np.save("good.npy", np.array([[3, 99, 8, -1, 0, 7]]))
    assert convspec("run", file, "--input", "good.npy").code == 0
    for place, value, most in ((0, 4, 3), (2, 9, 8), (4, -1, 8)):
        x = np.load("good.npy")
        x[0, place] = value
        np.save("bad.npy", x)
        done = convspec("run", file, "--input", "bad.npy")
        assert done.code == 1
        assert f"bad.npy holds {value} at [0, {place}], for the input `x`" in done.err
        assert f"from 0 to {most}" in done.err


def test_an_index_that_is_computed_is_refused_by_the_reference_and_pytorch() -> None:
    """It cannot be seen in the input."""
    Path("late.cnn").write_text("model Late {\n    input x: int64[N, L]\n    output y = (x + 1) -> embedding(4, 2)\n}\n")
    np.save("late.npy", np.array([[0, 3]]))
    for runtime in ("reference", "pytorch"):
        done = convspec("run", "late.cnn", "--input", "late.npy", "--runtime", runtime)
        assert done.code == 1 and "error[CNN301]" in done.err, done.err
