"""Rows as tables of Parquet, through pyarrow. Column types come from the network, so that a column of errors has its type too.

A label and an error are strings, a class is int32, a probability is float64; an output is a number or nested lists of its
dtype (float16 and bfloat16 as float32, exactly). What a row does not have is null; NaN and infinities stay what they are.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convspec.diagnostics import error, fail
from convspec.ir.types import Array
from convspec.runtime.rows import Columns, Row
from convspec.runtime.signature import TensorSpec

_GROUP_ROWS = 65_536
_GROUP_BYTES = 64_000_000
_UNKNOWN = 256
"""What a symbolic size counts as where the rows of a group are reckoned."""


def require_pyarrow() -> None:
    """Failure CNN303 where pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as problem:
        message = f"Parquet files need pyarrow, which cannot be imported ({problem})"
        hint = 'pip install "convspec[parquet]", or write .jsonl or .csv'
        raise fail(error("CNN303", message, hint=hint)) from None


class Tables:
    """Turns rows into tables of one schema. `metadata` is JSON, kept in the file under the key `convspec`."""

    def __init__(self, columns: Columns, metadata: str) -> None:
        require_pyarrow()
        import pyarrow as pa

        self._columns = columns
        ranked = {"class": pa.int32(), "label": pa.string(), "probability": pa.float64()}
        types = [pa.string(), pa.string()]
        types += [ranked[name.rpartition("_")[0]] for name in columns.header()[2 : -len(columns.values) or None]]
        types += [_type(spec) for spec in columns.values]
        fields = [pa.field(name, kind) for name, kind in zip(columns.header(), types, strict=True)]
        self._schema = pa.schema(fields, metadata={"convspec": metadata})

    def part(self, rows: Sequence[Row]) -> bytes:
        """The rows as a Parquet file."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with io.BytesIO() as file:
            pq.write_table(pa.Table.from_arrays(self._arrays(rows), schema=self._schema), file, compression="none")
            return file.getvalue()

    def merge(self, parts: Sequence[Path], target: Path) -> None:
        """One file of all parts, in row groups that do not depend on where the parts begin."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        size = self._group_rows()
        with pq.ParquetWriter(target, self._schema) as writer:
            table = self._schema.empty_table()
            for part in parts:
                table = pa.concat_tables([table, pq.read_table(part, schema=self._schema)])
                while len(table) >= size:
                    writer.write_table(table.slice(0, size).combine_chunks(), size)
                    table = table.slice(size)
            if len(table):
                writer.write_table(table.combine_chunks(), size)

    def _group_rows(self) -> int:
        each = 8
        for spec in self._columns.values:
            each += 8 * math.prod(size if isinstance(size, int) else _UNKNOWN for size in spec.type.shape[1:])
        return max(1, min(_GROUP_ROWS, _GROUP_BYTES // each))

    def _arrays(self, rows: Sequence[Row]) -> list[Any]:
        import pyarrow as pa

        columns = self._columns
        made = [pa.array([row.file for row in rows]), pa.array([row.error for row in rows], pa.string())]
        for place in range(columns.top if columns.scores is not None else 0):
            guesses = [row.guesses[place] if place < len(row.guesses) else None for row in rows]
            made.append(pa.array([guess and guess.index for guess in guesses], pa.int32()))
            if columns.labels is not None:
                labels = columns.labels
                made.append(pa.array([guess and labels[guess.index] for guess in guesses], pa.string()))
            made.append(pa.array([guess and guess.probability for guess in guesses], pa.float64()))
        return made + [_nested([row.values.get(spec.name) for row in rows], spec) for spec in columns.values]


def _element(spec: TensorSpec) -> str:
    """The type of a number: Parquet has no bfloat16, and few readers know its float16."""
    return "float32" if spec.type.dtype in ("float16", "bfloat16") else spec.type.dtype


def _type(spec: TensorSpec) -> Any:
    import pyarrow as pa

    made = pa.from_numpy_dtype(_element(spec))
    for _ in spec.type.shape[1:]:
        made = pa.list_(made)
    return made


def _nested(rows: Sequence[Array | None], spec: TensorSpec) -> Any:
    """A column of nested lists, one for each row; null for None. Built from offsets, not from Python numbers."""
    import numpy as np
    import pyarrow as pa

    rank = len(spec.type.shape) - 1
    missing = np.array([row is None for row in rows])
    there = [row for row in rows if row is not None]
    flat = np.concatenate([row.ravel() for row in there]) if there else np.empty(0)
    numbers = flat.astype(_element(spec))
    if rank == 0:
        spread = np.zeros(len(rows), numbers.dtype)
        spread[~missing] = numbers
        return pa.array(spread, mask=missing)
    made = pa.array(numbers)
    for axis in range(rank - 1, 0, -1):
        lengths = np.concatenate([np.full(math.prod(row.shape[:axis]), row.shape[axis]) for row in there] or [np.empty(0, int)])
        made = pa.ListArray.from_arrays(_offsets(lengths), made)
    outer = _offsets(np.array([0 if row is None else row.shape[0] for row in rows], int))
    return pa.ListArray.from_arrays(pa.array(outer, pa.int32(), mask=np.append(missing, False)), made)


def _offsets(lengths: Array) -> Array:
    import numpy as np

    return np.append(0, np.cumsum(lengths)).astype(np.int32)


__all__ = ["Tables", "require_pyarrow"]
