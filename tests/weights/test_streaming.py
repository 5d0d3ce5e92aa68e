"""Weights on their way into a file: the same bytes wherever they go, nothing kept, and nobody writes on after a failure."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convspec
from convspec.diagnostics import Failure
from convspec.files import write_file
from convspec.ir.init import Init
from convspec.ir.types import Array
from convspec.weights import store, streaming
from convspec.weights.check import Stored
from convspec.weights.draw import BLOCK
from convspec.weights.init import drawn_weights, initial_weights
from convspec.weights.streaming import LazyWeights, Piece, literal, run_all, write_pieces
from tests.weights.graphs import graph_of, parameter

NORMAL = Init("normal", value=1.0)

GRAPH = graph_of(
    parameter("a.weight", (2, BLOCK + 5), NORMAL),
    parameter("rows", (7, 50_000), Init("normal", value=1.0, zero_row=5)),
    parameter("last_row", (7, 50_000), Init("uniform", value=1.0, zero_row=-1)),
    parameter("ones", (70_000,), Init("ones")),
    parameter("scalar", (), NORMAL, dtype="float64"),
    parameter("half", (3, 3), Init("kaiming_normal", fan_in=9), dtype="float16"),
    parameter("brain", (5,), NORMAL, dtype="bfloat16"),
    parameter("none", (0, 4), NORMAL),
)

SPEC = """
block Part(x: tensor) { return x -> conv(64, 3x3, pad = 1, bias = false) -> batchnorm -> relu }
model M {
    input x: float32[N, 64, h, w]
    y = x
    for i in 0..12 { y = y -> Part() }
    output z = y -> global_avgpool -> flatten -> linear(10)
}
"""


class Counted(LazyWeights):
    """Weights that know how many of them are alive."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self.alive: set[int] = set()
        self.most = 0
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[str]:
        return iter(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, name: str) -> Array:
        array = np.full(self.sizes[name], len(name), np.float32)
        with self._lock:
            self.alive.add(id(array))
            self.most = max(self.most, len(self.alive))
        weakref.finalize(array, self.alive.discard, id(array))
        return array

    def stored(self, name: str) -> Stored:
        return Stored("float32", (self.sizes[name],))


def contents() -> list[Piece]:
    """Small and large pieces, empty ones too."""
    sizes = [0, 1, 3, 1 << 21, 100, 1 << 20, 0, 7, (1 << 20) + 1, 5]
    return [Piece(size, lambda size=size, i=i: bytes([i]) * size) for i, size in enumerate(sizes)]  # type: ignore[misc]


def test_the_same_bytes_wherever_they_go(tmp_path: Path) -> None:
    expected = b"".join(bytes(piece.make()) for piece in contents())
    buffer = BytesIO()
    write_pieces(buffer, contents())
    assert buffer.getvalue() == expected
    with (tmp_path / "f").open("wb") as file:
        file.write(b"before")
        write_pieces(file, contents())
        file.write(b"after")
    assert (tmp_path / "f").read_bytes() == b"before" + expected + b"after"


def test_a_pipe_is_written_in_order() -> None:
    reading, writing = os.pipe()
    received: list[bytes] = []

    def read() -> None:
        with os.fdopen(reading, "rb") as file:
            received.append(file.read())

    thread = threading.Thread(target=read)
    thread.start()
    with os.fdopen(writing, "wb") as file:
        write_pieces(file, contents())
    thread.join()
    assert received == [b"".join(bytes(piece.make()) for piece in contents())]


def test_without_pwrite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on Windows."""
    monkeypatch.delattr(os, "pwrite")
    path = write_file(tmp_path / "f", lambda file: write_pieces(file, contents()))
    assert path.read_bytes() == b"".join(bytes(piece.make()) for piece in contents())


def test_a_piece_of_another_size_is_our_own_mistake(tmp_path: Path) -> None:
    with (tmp_path / "f").open("wb") as file, pytest.raises(AssertionError):
        write_pieces(file, [literal(b"abc"), Piece(4, lambda: b"abc")])


def test_the_first_failure_ends_it_and_no_file_is_left(tmp_path: Path) -> None:
    def broken() -> bytes:
        raise OSError(28, "No space left on device")

    (tmp_path / "f").write_bytes(b"as it was")
    pieces = [Piece(1 << 20, lambda: b"x" * (1 << 20)), Piece(1 << 20, broken)] * 8
    with pytest.raises(Failure) as caught:
        write_file(tmp_path / "f", lambda file: write_pieces(file, pieces))
    assert caught.value.diagnostics[0].code == "CNN400"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"as it was"


@pytest.mark.parametrize("problem", [IndexError, KeyError, KeyboardInterrupt])
def test_whatever_a_job_raises_is_raised(
    problem: type[BaseException], monkeypatch: pytest.MonkeyPatch, new_threads: Callable[[], set[threading.Thread]]
) -> None:
    """An IndexError of a job is not taken for the end of the jobs."""
    monkeypatch.setattr(streaming, "threads", lambda: 3)
    done: list[int] = []

    def fail() -> None:
        raise problem

    def work() -> None:
        time.sleep(0.001)
        done.append(1)

    with pytest.raises(problem):
        run_all([fail, *[work] * 1000])
    assert not new_threads()
    assert len(done) < 1000, "the jobs went on after one had failed"


def test_every_job_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "threads", lambda: 4)
    done: list[int] = []
    run_all([lambda i=i: done.append(i) for i in range(3000)])  # type: ignore[misc]
    assert sorted(done) == list(range(3000))
    run_all([])


# ── what stands in the pieces ────────────────────────────────────────────────────────────────────────────────


def test_drawn_in_pieces_or_whole_the_numbers_are_the_same() -> None:
    whole, lazy = initial_weights(GRAPH, 11), drawn_weights(GRAPH, 11)
    assert list(whole) == list(lazy)
    for name, array in whole.items():
        assert lazy.stored(name) == Stored(array.dtype.name, array.shape)
        assert b"".join(bytes(piece.make()) for piece in lazy.pieces(name)) == array.tobytes()
        np.testing.assert_array_equal(lazy[name], array)
    assert not whole["rows"][5].any() and whole["rows"][4].all() and whole["rows"][6].all()
    assert not whole["last_row"][6].any() and whole["last_row"][5].all()


def test_a_weights_file_is_the_same_from_arrays_and_from_pieces(tmp_path: Path) -> None:
    """And the same in a buffer, where the header cannot be written last."""
    one = store.save(tmp_path / "a", initial_weights(GRAPH, 3), "M").read_bytes()
    two = store.save(tmp_path / "b", drawn_weights(GRAPH, 3), "M").read_bytes()
    store.content(drawn_weights(GRAPH, 3), "M")(buffer := BytesIO())
    assert one == two == buffer.getvalue()
    assert store.load(tmp_path / "b", GRAPH)["rows"].tobytes() == initial_weights(GRAPH, 3)["rows"].tobytes()


def test_nobody_keeps_a_tensor(tmp_path: Path) -> None:
    weights = Counted({f"w{'x' * i}": 400_000 for i in range(40)})
    store.save(tmp_path / "w", weights, "M")
    gc.collect()
    assert not weights.alive
    assert weights.most <= 2 * streaming.threads()


# ── through the API ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("target", ["onnx", "pytorch", "tensorflow"])
def test_compiling_keeps_no_weights_and_writes_what_it_would_with_them(target: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("lazy", "eager")]
    for folder in folders:
        folder.mkdir()
        net = convspec.loads(SPEC, "m.cnn", seed=4)
        if folder.name == "eager":
            assert len(net.weights) == 62
        net.compile(target, folder)
        assert ("weights" in vars(net)) == (folder.name == "eager")
    lazy, eager = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert lazy == eager


@pytest.mark.parametrize("target", ["onnx", "pytorch"])
def test_weights_of_a_file_are_read_on_the_way(target: str, tmp_path: Path) -> None:
    given = convspec.loads(SPEC, "m.cnn", seed=8).save_weights(tmp_path / "w.safetensors")
    kinds: list[Any] = [given, convspec.loads(SPEC, "m.cnn", seed=8).weights]
    written = []
    for number, weights in enumerate(kinds):
        (folder := tmp_path / str(number)).mkdir()
        net = convspec.loads(SPEC, "m.cnn", weights=weights)
        written.append({path.name: path.read_bytes() for path in net.compile(target, folder)})
        assert "weights" not in vars(net)
    assert written[0] == written[1]


def test_damage_that_is_found_on_the_way_leaves_no_file(tmp_path: Path) -> None:
    given = convspec.loads(SPEC, "m.cnn", seed=8).save_weights(tmp_path / "w.safetensors")
    data = bytearray(given.read_bytes())
    data[-1] ^= 1
    given.write_bytes(data)
    for target in ("onnx", "pytorch", "tensorflow"):
        (folder := tmp_path / target).mkdir()
        with pytest.raises(Failure) as caught:
            convspec.loads(SPEC, "m.cnn", weights=given).compile(target, folder)
        assert caught.value.diagnostics[0].code == "CNN200"
        assert not list(folder.iterdir())
