"""Subjects for processes of their own. They move a clock of their own: nothing here depends on the machine's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def sleepers(factor: float = 1.0) -> dict[str, Callable[[], object]]:
    return {"base": lambda: sum(range(1000)), "other": lambda: sum(range(int(1000 * factor)))}


def add(one: int, other: int) -> int:
    return one + other


def environment(name: str) -> str | None:
    return os.environ.get(name)


def chatter() -> list[int]:
    print('{"not": "the result"}')
    sys.stderr.write("warnings\n")
    return [1, 2]


def failing() -> None:
    raise ValueError("no such thing")


def dying() -> None:
    os._exit(9)


def large(megabytes: int) -> int:
    block = bytearray(megabytes * 2**20)
    block[:: 2**10] = b"x" * len(block[:: 2**10])
    return len(block)
