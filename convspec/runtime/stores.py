"""Where rows go while a run is under way, in the form in which they will stay: text that grows, or parts of Parquet.

A store never writes a row twice and never loses one that its journal holds. `finish` makes the results of what was written.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from convspec.files import staged, sync_folder, write_file
from convspec.runtime.journal import Entry, Journal, entry_of, matches, read_entries, write_all
from convspec.runtime.rows import Columns, Row, cells, csv_lines, json_line

KINDS = (".jsonl", ".csv", ".parquet")
JOURNAL, ROWS, PARTS = "journal", "rows", "parts"
_PART_ROWS = 50_000
_PART_BYTES = 64_000_000


class Store(Protocol):
    journal: Journal

    def add(self, rows: Sequence[Row]) -> None:
        """Take rows, to be written now or soon. OSError where they cannot be."""
        ...

    def sync(self) -> None:
        """Bring everything that was taken to the disk."""
        ...

    def finish(self, target: Path) -> None:
        """Put the results in place, whole or not at all; nothing may be added afterwards. Failure CNN400."""
        ...

    def close(self) -> None: ...


def prepare_store(folder: Path, kind: str) -> None:
    """What a store of `kind` needs in a new `folder`."""
    (folder / JOURNAL).touch()
    if kind == ".parquet":
        (folder / PARTS).mkdir()
    else:
        (folder / ROWS).touch()


def rows_are_gone(folder: Path) -> bool:
    """Whether the rows of this store have become results already."""
    return (folder / JOURNAL).exists() and not (folder / ROWS).exists() and not (folder / PARTS).exists()


def open_store(folder: Path, kind: str, columns: Columns, metadata: str) -> Store:
    """The store in `folder`, with what of it is whole. `metadata` is JSON that Parquet files carry."""
    return _Parts(folder, columns, metadata) if kind == ".parquet" else _Text(folder, kind, columns)


class _Text:
    """JSON Lines and CSV: one file that grows."""

    def __init__(self, folder: Path, kind: str, columns: Columns) -> None:
        self._path, self._kind, self._columns = folder / ROWS, kind, columns
        self._file = self._path.open("r+b", buffering=0)
        whole: list[Entry] = []
        for entry in read_entries(folder / JOURNAL):
            if not matches(entry, self._file):
                break
            whole.append(entry)
        self._file.truncate(sum(entry.size for entry in whole))
        self._file.seek(0, os.SEEK_END)
        self.journal = Journal(folder / JOURNAL, whole)
        if kind == ".csv" and not whole:
            self._write(csv_lines([columns.header()]), [])

    def add(self, rows: Sequence[Row]) -> None:
        columns = self._columns
        if self._kind == ".csv":
            data = csv_lines(cells(row, columns) for row in rows)
        else:
            data = b"".join(json_line(row, columns) for row in rows)
        self._write(data, rows)

    def _write(self, data: bytes, rows: Sequence[Row]) -> None:
        write_all(self._file, data)
        self.journal.add(entry_of(data, len(rows), sum(row.error is not None for row in rows)))

    def sync(self) -> None:
        os.fsync(self._file.fileno())
        self.journal.sync()

    def finish(self, target: Path) -> None:
        self.sync()
        self.close()
        os.replace(self._path, target)
        sync_folder(target.parent)

    def close(self) -> None:
        self._file.close()
        self.journal.close()


class _Parts:
    """Parquet: whole files of some rows each, brought together in the end. A Parquet file cannot grow."""

    def __init__(self, folder: Path, columns: Columns, metadata: str) -> None:
        from convspec.runtime.parquet import Tables

        self._folder = folder / PARTS
        self._tables = Tables(columns, metadata)
        self._waiting: list[Row] = []
        self._bytes = 0
        whole = []
        for place, entry in enumerate(read_entries(folder / JOURNAL)):
            if not self._is_whole(place, entry):
                break
            whole.append(entry)
        for left in set(self._folder.iterdir()) - {self._part(place) for place in range(len(whole))}:
            left.unlink()
        self._count = len(whole)
        self.journal = Journal(folder / JOURNAL, whole)

    def _part(self, place: int) -> Path:
        return self._folder / f"{place:08d}.parquet"

    def _is_whole(self, place: int, entry: Entry) -> bool:
        try:
            with self._part(place).open("rb") as file:
                return matches(entry, file) and not file.read(1)
        except OSError:
            return False

    def add(self, rows: Sequence[Row]) -> None:
        self._waiting += rows
        self._bytes += sum(array.nbytes for row in rows for array in row.values.values())
        if len(self._waiting) >= _PART_ROWS or self._bytes >= _PART_BYTES:
            self.sync()

    def sync(self) -> None:
        if not self._waiting:
            return
        data = self._tables.part(self._waiting)
        write_file(self._part(self._count), data)
        self._count += 1
        self.journal.add(entry_of(data, len(self._waiting), sum(row.error is not None for row in self._waiting)))
        self.journal.sync()
        self._waiting, self._bytes = [], 0

    def finish(self, target: Path) -> None:
        self.sync()
        self.close()
        with staged(target) as temporary:
            self._tables.merge([self._part(place) for place in range(self._count)], temporary)
        self._folder.rename(self._folder.with_name("merged"))

    def close(self) -> None:
        self.journal.close()


__all__ = ["KINDS", "Store", "open_store", "prepare_store", "rows_are_gone"]
