"""Safetensors: what its own package writes comes out, and a header in doubt is refused with the tensor named."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from convspec.weights.sources import open_source
from tests.weights.files import contents, floats, refusal


def written(path: Path, header: Any, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_every_dtype_comes_out(tmp_path: Path) -> None:
    names = ("float32", "float64", "float16", "int64", "int32", "uint8")
    arrays = {name: np.array([[1, 2], [3, 4]], name) for name in names}
    arrays |= {"bool": np.array([True, False]), "scalar": np.array(1.5, np.float32), "empty": np.zeros((0, 3), np.float32)}
    arrays["bfloat16"] = np.array([1.5, -2], ml_dtypes.bfloat16)
    save_file(arrays, tmp_path / "w.safetensors", {"format": "pt"})
    source = open_source(tmp_path / "w.safetensors")
    assert (source.kind, source.metadata) == ("safetensors", {"format": "pt"})
    found = contents(tmp_path / "w.safetensors")
    assert {name: (a.dtype.name, a.shape, a.tobytes()) for name, a in arrays.items()} == found


def test_a_dtype_that_no_spec_has_comes_out_too(tmp_path: Path) -> None:
    save_file({"a": np.array([1, 2], np.int8)}, tmp_path / "w.safetensors")
    assert open_source(tmp_path / "w.safetensors").tensors["a"].dtype == "int8"


def test_the_files_of_the_tensorflow_target_are_keras_files(tmp_path: Path) -> None:
    metadata = {"convspec": json.dumps({"layout": "keras", "version": 1, "variables": {}})}
    save_file({"conv1/kernel": floats(3, 3, 1, 2)}, tmp_path / "w.safetensors", metadata)
    source = open_source(tmp_path / "w.safetensors")
    assert source.kind == "keras"
    assert source.tensors["conv1/kernel"].role == "kernel"


@pytest.mark.parametrize(
    ("header", "data", "said"),
    [
        ({"a": entry([2], 0, 8)}, b"1234", "the data of `a` end at byte 8, and there are 4"),
        ({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12), "the data of `b` overlap"),
        ({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, bytes(12), "the data of `b` do not follow"),
        ({"a": entry([1], 0, 4)}, bytes(6), "2 bytes at its end belong to no tensor"),
        ({"a": entry([3], 0, 8)}, bytes(8), "`a`, F32[3], needs 12 bytes and has 8"),
        ({"a": entry([1 << 40, 1 << 40], 0, 8)}, bytes(8), "`a` has a shape that no tensor has"),
        ({"a": entry([0, 1 << 62, 8], 0, 0)}, b"", "`a` has a shape that no tensor has"),
        ({"a": entry([-1], 0, 4)}, bytes(4), "does not describe `a` as a tensor"),
        ({"a": entry([True], 0, 4)}, bytes(4), "does not describe `a` as a tensor"),
        ({"a": {"dtype": "F32", "shape": [1]}}, bytes(4), "does not describe `a` as a tensor"),
        ({"a": entry([1], 0, 4, "F33")}, bytes(4), "`a` is of a dtype that is not known: `F33`"),
        ({"__metadata__": {"a": 1}}, b"", "its metadata are not texts by name"),
        (b'{"a": 1, "a": 2}', b"", "the key `a` stands twice"),
        (b"{" * 100_000, b"", "its header is"),
        (b'{"a": ' + b"[" * 100_000, b"", "its header is"),
        (b'{"a"', b"", "its header is not JSON"),
        (b"{\xff}", b"", "damaged"),
    ],
)
def test_a_doubtful_header_is_refused(tmp_path: Path, header: Any, data: bytes, said: str) -> None:
    assert said in refusal(written(tmp_path / "w.safetensors", header, data)).message


def test_a_header_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    assert "its header would be" in refusal(path).message


def test_truth_values_are_0_or_1(tmp_path: Path) -> None:
    path = written(tmp_path / "w.safetensors", {"a": entry([2], 0, 2, "BOOL")}, b"\x01\x02")
    assert "neither 0 nor 1" in refusal(path).message


def test_a_file_that_changes_after_it_was_opened_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": floats(2)}, path)
    source = open_source(path)
    save_file({"a": floats(3)}, path)
    assert "changed while it was read" in refusal(path, lambda _: source.tensors["a"].read()).message


def test_names_that_move_the_cursor_are_shown_escaped(tmp_path: Path) -> None:
    path = written(tmp_path / "w.safetensors", {"\x1b[2J\u202e`": entry([3], 0, 8)}, bytes(8))
    message = refusal(path).message
    assert "\x1b" not in message and "\u202e" not in message and "\\x1b" in message
