"""What of an unfinished run is certain: a line for each stretch of rows that was written, with a checksum of its bytes.

After `kill -9` or a power cut the last stretch may be there by half, or the last line; both are recognised and dropped.
"""

from __future__ import annotations

import os
import re
import zlib
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

_LINE = re.compile(rb"(\d{1,15}) (\d{1,15}) (\d{1,15}) ([0-9a-f]{8})\n")


@dataclass(frozen=True, slots=True)
class Entry:
    """A stretch: how many rows, how many of them errors, how many bytes, and their CRC-32."""

    rows: int
    errors: int
    size: int
    crc: int

    def line(self) -> bytes:
        return b"%d %d %d %08x\n" % (self.rows, self.errors, self.size, self.crc)


def entry_of(data: bytes, rows: int, errors: int) -> Entry:
    """The entry for `data`."""
    return Entry(rows, errors, len(data), zlib.crc32(data))


def read_entries(path: Path) -> list[Entry]:
    """The entries up to the first line that is not whole."""
    found = []
    with path.open("rb") as file:
        for line in file:
            match = _LINE.fullmatch(line)
            if match is None:
                break
            rows, errors, size = (int(number) for number in match.groups()[:3])
            found.append(Entry(rows, errors, size, int(match[4], 16)))
    return found


def matches(entry: Entry, file: BinaryIO | RawIOBase) -> bool:
    """Whether the next bytes of `file` are those of `entry`."""
    left, crc = entry.size, 0
    while left:
        data = file.read(min(left, 1 << 20))
        if not data:
            return False
        crc, left = zlib.crc32(data, crc), left - len(data)
    return crc == entry.crc


def write_all(file: RawIOBase, data: bytes) -> None:
    """Write all of `data` to an unbuffered file. OSError where a part of it cannot be written; a part of it may be."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]


class Journal:
    """The journal at `path`, of which `entries` hold; the rest is cut off."""

    def __init__(self, path: Path, entries: list[Entry]) -> None:
        self.rows, self.errors = sum(e.rows for e in entries), sum(e.errors for e in entries)
        self._file = path.open("r+b", buffering=0)
        self._file.truncate(sum(len(entry.line()) for entry in entries))
        self._file.seek(0, os.SEEK_END)

    def add(self, entry: Entry) -> None:
        """Note a stretch, which must have been written before."""
        write_all(self._file, entry.line())
        self.rows, self.errors = self.rows + entry.rows, self.errors + entry.errors

    def sync(self) -> None:
        """Bring it to the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


__all__ = ["Entry", "Journal", "entry_of", "matches", "read_entries", "write_all"]
