"""The ONNX model of a network in Netron, which a browser shows: served on this machine alone until Ctrl-C.

The model is written to a folder of its own, since Netron's server gives out whatever lies beside the model.
"""

from __future__ import annotations

import logging
import re
import signal
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import current_thread, main_thread
from typing import Any

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir.types import Array

_HOST = "localhost"
_TICK = 0.1
"""Seconds between two looks at whether the server still runs."""


def _say(text: str) -> None:
    print(text, flush=True)


def view(
    module: Module,
    weights: Mapping[str, Array],
    *,
    browser: bool = True,
    port: int = 0,
    say: Callable[[str], None] = _say,
) -> None:
    """Serve the model and open it in the browser; returns after Ctrl-C. `say` is told the address.

    `port` 0 is one that is free. Failure CNN303 without Netron, CNN400 where the port is taken, and those of the ONNX target.
    """
    if find_spec("netron") is None:
        hint = "pip install 'convspec[view]', or compile to ONNX and open the file at netron.app"
        raise fail(error("CNN303", "Netron, which shows the model, is not installed", hint=hint))
    with TemporaryDirectory(prefix="convspec-view-") as folder:
        path = _write(module, weights, Path(folder))
        with _serving(path, port) as url, _ended_by_signals():
            say(f"Netron shows {module.name} at {url} until Ctrl-C")
            if browser and not webbrowser.open(url):
                say("no browser was found: open the address yourself")
            _wait(url)


def _write(module: Module, weights: Mapping[str, Array], folder: Path) -> Path:
    """The model, with its weights beside it, which Netron fetches only where they are looked at."""
    from convspec.artifacts import target_options
    from convspec.targets.base import find_target

    target = find_target("onnx")
    # Netron puts the name into its page as it is, so that nothing but letters, digits and `_` may be in it.
    stem = re.sub(r"\W", "_", module.name, flags=re.ASCII) or "model"
    return target.emit(module, weights, target_options(target, stem, {"external_data": True})).write(folder)[0]


@contextmanager
def _serving(path: Path, port: int) -> Iterator[str]:
    """Netron's server in a thread, and its address."""
    from netron import server

    # Called a development version, its page asks no server for the reader's country and sends nothing about the use.
    server.__version__ = "0.0.0"
    try:
        with _quiet():
            address = server.serve(str(path), None, address=(_HOST, port), browse=False)
    except OSError as problem:
        hint = "leave the port out to have one that is free"
        raise fail(error("CNN400", f"port {port} of {_HOST} cannot be opened: {problem.strerror}", hint=hint)) from None
    try:
        yield f"http://{address[0]}:{address[1]}"
    finally:
        with _quiet():
            server.stop(address)


@contextmanager
def _quiet() -> Iterator[None]:
    """Netron sets up Python's logging where nobody has; with a handler that does nothing it leaves that alone."""
    root, handler = logging.getLogger(), logging.NullHandler()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Ctrl-C and a request to terminate both end what stands inside, in order."""
    if current_thread() is not main_thread():
        yield
        return

    def end(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(url: str) -> None:
    from netron import server

    port = int(url.rpartition(":")[2])
    while server.status((_HOST, port)):
        time.sleep(_TICK)
