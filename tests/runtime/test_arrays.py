"""NumPy's files are read without running what they hold, and whatever is wrong with them is told."""

from __future__ import annotations

import io
import pickle
import random
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.runtime.arrays import read_npy, read_npz
from tests.runtime.helpers import told


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_was_saved_is_read() -> None:
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    np.save("a.npy", np.asfortranarray(array))
    np.savez("a.npz", left=array, right=array.astype(">f8"))
    np.testing.assert_array_equal(read_npy(Path("a.npy")), array)
    both = read_npz(Path("a.npz"))
    assert list(both) == ["left", "right"]
    np.testing.assert_array_equal(both["right"], array)


def npy(header: str) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file or directory"),
        (b"", "no data left in file"),
        (b"hello world", "it is no NumPy file, or holds Python objects, which are never loaded"),
        (b"\x93NUMPY\x01\x00", "EOF: reading array header length, expected 2 bytes got 0"),
        (pickle.dumps([1, 2]), "it is no NumPy file, or holds Python objects, which are never loaded"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }") + pickle.dumps([1]),
         "it is no NumPy file, or holds Python objects, which are never loaded"),
    ],
)  # fmt: skip
def test_what_is_no_npy(content: bytes | None, reason: str) -> None:
    if content is not None:
        Path("a.npy").write_bytes(content)
    assert told(lambda: read_npy(Path("a.npy"))) == f"error[CNN300]: cannot read a.npy: {reason[:1].lower()}{reason[1:]}"


def test_a_header_that_asks_for_the_world() -> None:
    Path("a.npy").write_bytes(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000000,), }"))
    assert told(lambda: read_npy(Path("a.npy"))).startswith("error[CNN300]: cannot read a.npy: ")


def test_an_array_of_text_is_refused() -> None:
    np.save("a.npy", np.array(["x"]))
    assert told(lambda: read_npy(Path("a.npy"))) == "error[CNN300]: cannot use a.npy: it holds <U1, not plain numbers"
    np.savez("a.npz", words=np.array(["x"]))
    expected = "error[CNN300]: cannot use a.npz: its array `words` holds <U1, not plain numbers"
    assert told(lambda: read_npz(Path("a.npz"))) == expected


def test_one_kind_named_as_the_other() -> None:
    np.savez("a.npz", x=np.zeros(1))
    Path("a.npz").rename("b.npy")
    assert told(lambda: read_npy(Path("b.npy"))) == (
        "error[CNN300]: cannot read b.npy: it is an .npz archive by its content\n  = name it .npz"
    )
    np.save("c.npy", np.zeros(1))
    Path("c.npy").rename("c.npz")
    assert told(lambda: read_npz(Path("c.npz"))) == "error[CNN300]: cannot read c.npz: it is a single .npy array by its content"


def test_a_zip_of_something_else() -> None:
    with zipfile.ZipFile("a.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert told(lambda: read_npz(Path("a.npz"))) == "error[CNN300]: cannot read a.npz: its member `readme.txt` is no array"


def test_damaged_files_never_show_a_traceback() -> None:
    array = np.random.default_rng(0).normal(size=(3, 4))
    np.save("whole.npy", array)
    np.savez_compressed("whole.npz", x=array, y=array)
    dice, refused = random.Random(2), 0
    for name, read in (("whole.npy", read_npy), ("whole.npz", read_npz)):
        whole = Path(name).read_bytes()
        for turn in range(300):
            damaged = bytearray(whole[: dice.randrange(len(whole))] if turn % 3 == 0 else whole)
            for _ in range(dice.randrange(1, 4)):
                if damaged:
                    damaged[dice.randrange(min(len(damaged), 140 if turn % 2 else 10**6))] = dice.randrange(256)
            path = Path("damaged" + name[-4:])
            path.write_bytes(damaged)
            try:
                read(path)
            except Failure as failure:
                refused += failure.diagnostics[0].code == "CNN300"
    assert refused > 300


def test_nothing_is_executed() -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (exec, ("raise SystemExit('executed')",))

    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap()], dtype=object), allow_pickle=True)
    Path("a.npy").write_bytes(buffer.getvalue())
    assert told(lambda: read_npy(Path("a.npy"))).endswith("Python objects, which are never loaded")
