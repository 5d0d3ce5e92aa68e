"""Pictures decoded by threads come in order, each once, and within the room they are given."""

from __future__ import annotations

import random
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convspec.diagnostics import Failure
from convspec.ir.types import Array
from convspec.runtime import decoding
from convspec.runtime.decoding import decode_in_order
from convspec.runtime.signature import TensorSpec
from tests.runtime.helpers import signature

FIXED = signature("image: float32[N, 1, 2, 2]").inputs[0]
OPEN = signature("image: float32[N, 1, H, W]").inputs[0]


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "usable_cores", lambda: 4)


def numbered(monkeypatch: pytest.MonkeyPatch, size: int = 4, most: list[int] | None = None) -> None:
    """A picture called `7` is an array of sevens, after a moment; `most` collects how many are decoded and not handed out."""

    def read(path: Path, spec: TensorSpec) -> Array:
        time.sleep(random.random() / 2000)
        if most is not None:
            most.append(int(path.name))
        return np.full((1, 1, 1, size), float(path.name), np.float32)

    monkeypatch.setattr(decoding, "read_picture", read)
    monkeypatch.setattr(decoding, "picture_area", lambda path: size)


@pytest.mark.parametrize("ahead", [1, 3, 64])
@pytest.mark.parametrize("count", [1, 7, 100])
@pytest.mark.parametrize("room", [None, 1, 40, 10_000])
def test_in_order_and_each_once(monkeypatch: pytest.MonkeyPatch, ahead: int, count: int, room: int | None) -> None:
    numbered(monkeypatch)
    found = list(decode_in_order([str(i) for i in range(count)], OPEN, ahead, room))
    assert [float(array[0, 0, 0, 0]) for array in found if not isinstance(array, Failure)] == list(range(count))


def test_nothing_is_nothing() -> None:
    assert list(decode_in_order([], OPEN, 8)) == []


def test_no_further_ahead_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    numbered(monkeypatch, most=decoded)
    with closing(decode_in_order([str(i) for i in range(200)], FIXED, 20)) as pictures:
        for taken in range(1, 150):
            next(pictures)
            assert max(decoded) < taken + 20 + decoding._GROUP


def test_room_holds_back_what_was_decoded_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes 400 bytes: with room for five, no more wait, but for those that somebody waits for."""
    decoded: list[int] = []
    numbered(monkeypatch, size=100, most=decoded)
    with closing(decode_in_order([str(i) for i in range(60)], OPEN, 16, room=2000)) as pictures:
        for taken in range(1, 61):
            next(pictures)
            time.sleep(0.002)
            assert len(decoded) - taken <= 5 + 2


def test_a_picture_larger_than_the_room_comes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    numbered(monkeypatch, size=1000)
    assert len(list(decode_in_order([str(i) for i in range(20)], OPEN, 8, room=10))) == 20


def test_a_header_that_promises_much_leaves_no_room_taken(tmp_path: Path) -> None:
    """Files that are cut off give their room back: with room for one picture, all come."""
    for i in range(12):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (30, 30), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        if i % 2:
            data = (tmp_path / f"{i}.png").read_bytes()
            (tmp_path / f"{i}.png").write_bytes(data[:200])
    found = list(decode_in_order([str(tmp_path / f"{i}.png") for i in range(12)], OPEN, 8, room=4000))
    assert [isinstance(picture, Failure) for picture in found] == [False, True] * 6


def test_closing_stops_the_threads(monkeypatch: pytest.MonkeyPatch, new_threads: Callable[[], set[threading.Thread]]) -> None:
    numbered(monkeypatch)
    pictures = decode_in_order([str(i) for i in range(10_000)], OPEN, 64, room=50)
    next(pictures)
    pictures.close()
    assert not new_threads()


def test_a_bug_in_a_thread_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path, spec: TensorSpec) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(decoding, "read_picture", broken)
    with pytest.raises(ZeroDivisionError):
        list(decode_in_order(["a", "b"], FIXED, 2))


def test_threads_leave_the_filters_of_warnings_as_they_were(tmp_path: Path) -> None:
    """`warnings.catch_warnings` in several threads at once leaves the filters of whoever came last."""
    for i in range(40):
        Image.new("L", (2, 2), i).save(tmp_path / f"{i}.png")
    before = list(warnings.filters)
    assert len(list(decode_in_order([str(tmp_path / f"{i}.png") for i in range(40)] * 5, FIXED, 32))) == 200
    assert list(warnings.filters) == before
