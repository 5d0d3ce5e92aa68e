"""What tests of several areas use."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from convspec import ops

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts what runs in the background so that it ignores Ctrl+C, and so would every process that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

PACKAGES = Path(__file__).parent / "plugins" / "packages"


@pytest.fixture(scope="module", autouse=True)
def _earlier_objects_frozen() -> None:
    """What earlier tests left, frameworks above all, is looked through no more: `verify` collects garbage at each step."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def installed_packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the sample packages of tests/plugins were installed."""
    monkeypatch.syspath_prepend(PACKAGES)
    _look_anew()
    yield
    monkeypatch.undo()
    _look_anew()


@pytest.fixture
def new_threads() -> Callable[[], set[threading.Thread]]:
    """Tells which threads were not there when the test began, whatever earlier tests have left running."""
    before = set(threading.enumerate())
    return lambda: set(threading.enumerate()) - before


def _look_anew() -> None:
    for remembered in (ops._installed, ops.names, ops.find):
        remembered.cache_clear()
