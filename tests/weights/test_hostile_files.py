"""Weights files that are damaged or made to do harm: a diagnostic, or what was in them; no traceback, no hang, no growth."""

from __future__ import annotations

import os
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from convspec.diagnostics import Failure
from convspec.weights.sources import open_source
from tests.weights.files import CONFIGS, LAYERS, contents, floats, refusal, rezipped, write_h5, write_keras, write_onnx

torch = pytest.importorskip("torch")
h5py = pytest.importorskip("h5py")


def write_pt(path: Path) -> Path:
    torch.save({"a.weight": torch.arange(12.0).reshape(3, 4), "b": torch.ones(5)}, path)
    return path


def write_old_pt(path: Path) -> Path:
    torch.save({"a.weight": torch.arange(12.0), "b": torch.ones(5)}, path, _use_new_zipfile_serialization=False)
    return path


def write_safetensors(path: Path) -> Path:
    save_file({"a": floats(3, 4), "b": floats(2)}, path)
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "w.pt": write_pt,
    "old.pt": write_old_pt,
    "w.safetensors": write_safetensors,
    "w.weights.h5": write_h5,
    "w.keras": lambda path: write_keras(path, CONFIGS),
    "deflated.keras": lambda path: write_keras(path, CONFIGS, deflated=True),
    "w.onnx": write_onnx,
}

CHECKED = ("w.pt", "w.keras", "deflated.keras")
"""Formats with checksums: what they hold is never anything else."""


def damaged(data: bytes, number: int, seed: int) -> Iterator[bytes]:
    """Truncated, with bits flipped, with sizes blown up."""
    rng = random.Random(seed)
    for _ in range(number):
        found, place = bytearray(data), rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                yield data[:place]
                continue
            case 1:
                found[place] ^= 1 << rng.randrange(8)
            case 2:
                found[place] = rng.choice((0, 0x7F, 0x80, 0xFF))
            case 3:
                found[place : place + 8] = struct.pack("<Q", rng.choice((0, 1 << 31, (1 << 63) - 1, (1 << 64) - 1)))
        yield bytes(found)


@pytest.mark.parametrize("name", list(WRITERS))
def test_damage_anywhere_is_a_diagnostic(tmp_path: Path, name: str) -> None:
    path = WRITERS[name](tmp_path / name)
    whole, data = contents(path), path.read_bytes()
    codes: list[set[str]] = []
    for index, bad in enumerate(damaged(data, 120, seed=len(name))):
        path = tmp_path / f"{index}-{name}"
        path.write_bytes(bad)
        try:
            found = contents(path)
        except Failure as caught:
            codes.append({d.code for d in caught.diagnostics})
        else:
            assert name not in CHECKED or found == whole
        path.unlink()
    assert len(codes) > 30
    assert all(found == {"CNN200"} for found in codes)


def grows(action: Callable[[], Any]) -> int:
    """Bytes that Python and NumPy allocate at most on the way."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def replaced(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert old in data and len(old) == len(new)
    path.write_bytes(data.replace(old, new))
    return path


def test_members_that_stand_twice_or_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    path = write_keras(tmp_path / "w.keras", CONFIGS)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")
    assert "`config.json` stands twice" in refusal(path).message
    for name in ("../evil", "/etc/passwd", "a/../../b", "C:/evil", "a\\..\\b"):
        path = write_keras(tmp_path / "w.keras", CONFIGS)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, "x")
        assert "leads out of the archive" in refusal(path).message, name


def test_zip_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "w.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", '{"config": {}}')
        archive.writestr("model.weights.h5", bytes(200 << 20))
    assert path.stat().st_size < 1 << 20
    assert grows(lambda: refusal(path)) < 20 << 20
    assert "would grow to 209715200 bytes" in refusal(path).message


def test_sizes_that_differ_between_directory_and_member_are_refused(tmp_path: Path) -> None:
    for name, write in (("w.pt", write_pt), ("w.keras", WRITERS["w.keras"])):
        path = write(tmp_path / name)
        with zipfile.ZipFile(path) as archive:
            member = max(archive.infolist(), key=lambda member: member.file_size)
        data = bytearray(path.read_bytes())
        size = struct.pack("<I", member.file_size)
        directory = data.rindex(size + size)  # the sizes in the central directory
        for fake in (member.file_size - 4, member.file_size * 2, 0xFFFFFFF0):
            data[directory : directory + 8] = struct.pack("<II", fake, fake)
            path.write_bytes(bytes(data))
            refusal(path)


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    """Many entries of a directory that point to one member unfold a small file to any size."""
    path = write_pt(tmp_path / "w.pt")
    with zipfile.ZipFile(path) as archive:
        first, second = (archive.getinfo(f"w/data/{index}") for index in (0, 1))
    entry = path.read_bytes().rindex(b"w/data/1") - 4  # its header_offset, before the name
    data = bytearray(path.read_bytes())
    assert data[entry : entry + 4] == struct.pack("<I", second.header_offset)
    data[entry : entry + 4] = struct.pack("<I", first.header_offset)
    path.write_bytes(bytes(data))
    refusal(path)


def test_a_compressed_or_wrong_storage_in_pytorch_s_archive_is_refused(tmp_path: Path) -> None:
    path = write_pt(tmp_path / "w.pt")
    assert "checksum" in refusal(replaced(path, np.float32(11).tobytes(), np.float32(12).tobytes())).message
    with zipfile.ZipFile(write_pt(path)) as source, zipfile.ZipFile(tmp_path / "z.pt", "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            target.writestr(member.filename, source.read(member))
    assert "compressed in an unusual way" in refusal(tmp_path / "z.pt").message
    with zipfile.ZipFile(path) as archive:
        opcodes = archive.read("w/data.pkl")
    path = rezipped(path, {"data.pkl": opcodes.replace(b"K\x0c", b"K\x0d")}, tmp_path / "claims.pt")
    refusal(path)


def with_dataset(path: Path, add: Callable[[Any], None]) -> Path:
    write_h5(path, LAYERS[:1])
    with h5py.File(path, "a") as file:
        add(file["layers/conv2d/vars"])
    return path


def test_hdf5_that_reaches_elsewhere_is_refused(tmp_path: Path) -> None:
    other = write_h5(tmp_path / "other.h5")
    raw = tmp_path / "raw"
    raw.write_bytes(bytes(8))
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource(str(other), "layers/dense/vars/1", shape=(3,))[:2]

    def loop(group: Any) -> None:
        group["again"] = group.file["layers"]

    cases: dict[str, Callable[[Any], Any]] = {
        "soft": lambda group: group.__setitem__("2", h5py.SoftLink("/layers/conv2d/vars/0")),
        "outer": lambda group: group.__setitem__("2", h5py.ExternalLink(str(other), "layers/dense/vars/0")),
        "virtual": lambda group: group.create_virtual_dataset("2", layout),
        "external": lambda group: group.create_dataset("2", (2,), "f4", external=[(str(raw), 0, 8)]),
        "loop": loop,
        "type": lambda group: group.__setitem__("2", np.dtype("f4")),
        "texts": lambda group: group.create_dataset("2", data=["a"]),
    }
    for name, add in cases.items():
        message = refusal(with_dataset(tmp_path / f"{name}.weights.h5", add)).message
        said = ("link to elsewhere", "in another file", "reached in two ways", "neither a group", "holds no numbers")
        assert any(words in message for words in said), (name, message)


def test_a_heap_of_texts_whose_free_space_is_nothing_does_not_hang(tmp_path: Path) -> None:
    """The HDF5 library would go round in it for ever."""
    path = write_h5(tmp_path / "w.weights.h5")
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    while number := int.from_bytes(data[at : at + 2], "little"):
        assert number < 100
        at += 16 + (int.from_bytes(data[at + 8 : at + 16], "little") + 7) // 8 * 8
    data[at + 8 : at + 16] = bytes(8)
    path.write_bytes(bytes(data))
    assert "a heap of texts" in refusal(path).message


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
def test_hdf5_that_claims_more_than_it_stores_is_refused(tmp_path: Path, compression: str | None) -> None:
    chunks = (1 << 20,) if compression else None

    def add(group: Any) -> None:
        made = group.create_dataset("2", (1 << 38,), "f4", chunks=chunks, compression=compression)
        if compression:
            made[: 1 << 20] = 0

    path = with_dataset(tmp_path / "w.weights.h5", add)
    assert path.stat().st_size < 1 << 20
    assert grows(lambda: refusal(path)) < 1 << 22


def test_compressed_hdf5_of_reasonable_size_is_read(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "w.weights.h5", LAYERS[:1])
    with h5py.File(path, "a") as file:
        file["layers/conv2d/vars"].create_dataset("2", data=floats(100), compression="gzip")
    assert contents(path)["first/2"][2] == floats(100).tobytes()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("w.bin.gz", b"\x1f\x8b" + bytes(20), "no weights file that is known"),
        ("w.safetensors", b"", "not a safetensors file"),
        ("w.unknown", b"", "it is empty"),
        ("w.pt", b"version https://git-lfs.github.com/spec/v1\n", "it is"),
        ("w", b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        ("w.pt", b"PK\x03\x04", "zip"),
        ("w.keras", b"PK\x03\x04" + bytes(100), "zip"),
        ("w.onnx", b"\x08\x07", "no ONNX model"),
    ],
)
def test_what_is_no_weights_file_is_said(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert said in refusal(tmp_path / name).message


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert "it is a folder" in refusal(tmp_path).message
    assert "no such file" in refusal(tmp_path / "none.pt").message
    os.mkfifo(tmp_path / "pipe.pt")
    assert "no ordinary file" in refusal(tmp_path / "pipe.pt").message


def test_an_archive_of_something_else_is_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", a=floats(2))
    assert "neither of PyTorch nor of Keras" in refusal(tmp_path / "w.npz").message


def test_content_goes_before_the_suffix(tmp_path: Path) -> None:
    for name, write in WRITERS.items():
        path = write(tmp_path / name)
        kind = open_source(path).kind
        if name != "w.onnx":  # protobuf has nothing to be known by
            assert open_source(path.rename(tmp_path / "anything")).kind == kind
