"""Rows as Parquet, read back by pyarrow and held against the arrays."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from convspec.ir.dims import symbol
from convspec.ir.types import Array, TensorType
from convspec.runtime import parquet
from convspec.runtime.parquet import Tables
from convspec.runtime.rows import Columns, Part, make_rows
from convspec.runtime.signature import TensorSpec
from tests.runtime.helpers import told

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
N = symbol("N")


def spec(dtype: str, *shape: int, name: str = "y") -> TensorSpec:
    return TensorSpec(name, TensorType(dtype, (N, *shape)))


def table(columns: Columns, part: Part) -> Any:
    return pq.read_table(io.BytesIO(Tables(columns, "{}").part(make_rows(part, columns, softmax=False))))


def values(dtype: str, *shape: int) -> Array:
    numbers = np.random.default_rng(0).normal(size=shape) * 50
    return numbers.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3)])
def test_outputs_of_every_type_and_rank(dtype: str, shape: tuple[int, ...]) -> None:
    arrays = values(dtype, 4, *shape)
    columns = Columns(None, 5, None, (spec(dtype, *shape),))
    part = Part(list("abcdef"), ["bad", None, None, "bad", None, None], {"y": list(arrays)})
    found = table(columns, part)
    column = found.column("output_y").to_pylist()
    assert (column[0], column[3]) == (None, None)
    back = np.array([column[i] for i in (1, 2, 4, 5)])
    np.testing.assert_array_equal(back, arrays.astype(np.float32 if dtype in ("float16", "bfloat16") else arrays.dtype))
    assert found.column("error").to_pylist() == ["bad", None, None, "bad", None, None]


def test_rows_of_different_sizes() -> None:
    sizes = [(2, 1, 3), (2, 2, 2), (2, 4, 1)]
    arrays = [values("float32", *size) for size in sizes]
    columns = Columns(None, 5, None, (TensorSpec("y", TensorType("float32", (N, 2, symbol("h"), symbol("w")))),))
    column = table(columns, Part(list("abc"), [None] * 3, {"y": arrays})).column("output_y").to_pylist()
    for found, array in zip(column, arrays, strict=True):
        np.testing.assert_array_equal(np.array(found, np.float32), array)


def test_only_errors_have_the_types_of_results() -> None:
    columns = Columns(spec("float32", 4, name="s"), 2, ["a", "b", "c", "d"], (spec("float32", 2, 2),))
    bad = table(columns, Part(["a"], ["bad"], {"s": [], "y": []}))
    good = table(columns, Part(["a"], [None], {"s": [values("float32", 4)], "y": [values("float32", 2, 2)]}))
    assert bad.schema == good.schema
    assert [str(field.type) for field in bad.schema] == [
        "string", "string", "int32", "string", "double", "int32", "string", "double", "list<element: list<element: float>>",
    ]  # fmt: skip


def test_numbers_that_json_does_not_have() -> None:
    columns = Columns(None, 5, None, (spec("float32", 3),))
    array = np.array([np.nan, np.inf, -np.inf], np.float32)
    (found,) = table(columns, Part(["a"], [None], {"y": [array]})).column("output_y").to_pylist()
    np.testing.assert_array_equal(np.array(found, np.float32), array)


def test_parts_are_merged_into_groups_of_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_GROUP_ROWS", 10)
    columns = Columns(None, 5, None, (spec("int32"),))
    tables = Tables(columns, '{"weights": "abc"}')
    for name, sizes in (("a", [37]), ("b", [1, 9, 3, 20, 4]), ("c", [])):
        first, paths = 0, []
        for size in sizes:
            numbers = np.arange(first, first + size, dtype=np.int32)
            rows = make_rows(Part([str(i) for i in numbers], [None] * size, {"y": list(numbers)}), columns, softmax=False)
            paths.append(tmp_path / f"{name}{first}")
            paths[-1].write_bytes(tables.part(rows))
            first += size
        tables.merge(paths, tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    found = pq.ParquetFile(tmp_path / "b.parquet")
    assert [found.metadata.row_group(i).num_rows for i in range(found.num_row_groups)] == [10, 10, 10, 7]
    assert found.read().column("output_y").to_pylist() == list(range(37))
    assert found.schema_arrow.metadata[b"convspec"] == b'{"weights": "abc"}'
    assert pq.read_table(tmp_path / "c.parquet").num_rows == 0


def test_groups_of_large_outputs_are_small() -> None:
    assert Tables(Columns(None, 5, None, (spec("float32", 1000, 1000),)), "{}")._group_rows() == 7
    assert Tables(Columns(None, 5, None, (spec("float32", 10_000, 1000),)), "{}")._group_rows() == 1


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    message = told(parquet.require_pyarrow)
    assert message.startswith("error[CNN303]: Parquet files need pyarrow, which cannot be imported (")
    assert message.endswith('  = pip install "convspec[parquet]", or write .jsonl or .csv')
