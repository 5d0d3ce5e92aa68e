"""Zip archives of strangers, as PyTorch and Keras save them: refused where what they say of themselves is not true."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from convspec.weights.names import quoted
from convspec.weights.sources.reading import FileBytes, explained, refused

MOST_MEMBERS = 200_000
PIECE = 1 << 20

FREE = 1 << 24
MOST_EXPANSION = 20
"""Weights hardly compress: past FREE bytes, a member that claims more than so many times what is stored is a bomb."""

ENCRYPTED = 1
LIES = "the archive is truncated, damaged or made to mislead"


def member_names(path: Path) -> list[str]:
    """The names in the archive, as they stand."""
    with explained(path), zipfile.ZipFile(path) as archive:
        return archive.namelist()


def check_archive(path: Path, *, compressed: bool) -> dict[str, zipfile.ZipInfo]:
    """Every member by name, after each was read once and found to be what the archive says of it: place, size, checksum.

    `compressed` says whether members may be deflated. Failure CNN200 for members that stand twice, share bytes, have names
    that lead elsewhere, or would grow out of proportion.
    """
    file = FileBytes.of(path)
    with explained(path), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise refused(path, f"it has {len(members)} members", hint=LIES)
        found: dict[str, zipfile.ZipInfo] = {}
        for member in members:
            _check_member(path, member, compressed)
            if member.filename in found:
                raise refused(path, f"its member {quoted(member.filename)} stands twice", hint=LIES)
            found[member.filename] = member
        _check_places(file, members)
        for member in members:
            _check_content(path, archive, member)
    return found


def _check_member(path: Path, member: zipfile.ZipInfo, compressed: bool) -> None:
    """What can be seen without reading it."""
    name = member.filename
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in member.orig_filename or ":" in parts[0]:
        raise refused(path, f"its member {quoted(name)} has a name that leads out of the archive", hint=LIES)
    allowed = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) if compressed else (zipfile.ZIP_STORED,)
    if member.flag_bits & ENCRYPTED or member.compress_type not in allowed:
        raise refused(path, f"its member {quoted(name)} is encrypted or compressed in an unusual way", hint=None)
    if member.compress_type == zipfile.ZIP_STORED and member.file_size != member.compress_size:
        raise refused(path, f"its member {quoted(name)} has two sizes", hint=LIES)
    if member.file_size > FREE and member.file_size > MOST_EXPANSION * member.compress_size:
        sizes = f"{member.file_size} bytes from {member.compress_size}"
        raise refused(path, f"its member {quoted(name)} would grow to {sizes}", hint=LIES)


def _check_places(file: FileBytes, members: list[zipfile.ZipInfo]) -> None:
    """No two members share bytes, none reaches past the end: else a small file could unfold to any size."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end or member.header_offset + 30 > file.size:
            raise refused(
                file.path, f"its member {quoted(member.filename)} lies where another does, or past the end", hint=LIES
            )
        end = data_offset(file, member) + member.compress_size
        if end > file.size:
            raise refused(file.path, f"its member {quoted(member.filename)} reaches past the end", hint=LIES)


def data_offset(file: FileBytes, member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin, by the header that stands before them; its sizes must be those of the directory."""
    header = file.read(member.header_offset, 30).tobytes()
    magic, flags, method, crc, stored, size, name, extra = struct.unpack("<4s2xHH4xIIIHH", header)
    if magic != b"PK\x03\x04" or method != member.compress_type:
        raise refused(file.path, f"the header of its member {quoted(member.filename)} is not that of the directory", hint=LIES)
    deferred = flags & 8  # sizes follow the data
    told = {0xFFFFFFFF, *((0,) if deferred else ())}
    if any(
        value not in told and value != wanted for value, wanted in ((stored, member.compress_size), (size, member.file_size))
    ):
        raise refused(file.path, f"its member {quoted(member.filename)} has two sizes", hint=LIES)
    if crc != member.CRC and not (deferred and not crc):
        raise refused(file.path, f"its member {quoted(member.filename)} has two checksums", hint=LIES)
    return int(member.header_offset + 30 + name + extra)


def member_slice(file: FileBytes, member: zipfile.ZipInfo) -> BinaryIO:
    """A member that is stored as it is, opened to read and seek in (zipfile reads on from the start for every step back)."""
    return io.BufferedReader(_Slice(file.path.open("rb"), data_offset(file, member), member.file_size))


class _Slice(io.RawIOBase):
    """A range of an open file as a file of its own."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._start + self._at)
        found = self._file.read(wanted)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()


def _check_content(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Its bytes have the size and the checksum that the directory gives (zipfile raises where the latter differs)."""
    size = 0
    try:
        with archive.open(member) as content:
            while piece := content.read(PIECE):
                size += len(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as problem:
        what = "has another checksum than its bytes" if "CRC" in str(problem) else "cannot be unpacked"
        raise refused(path, f"its member {quoted(member.filename)} {what}", hint=LIES) from None
    if size != member.file_size:
        raise refused(path, f"its member {quoted(member.filename)} is shorter than it says", hint=LIES)


__all__ = ["LIES", "check_archive", "data_offset", "member_names", "member_slice"]
