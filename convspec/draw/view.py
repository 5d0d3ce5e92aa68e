"""The ONNX model of a network in Netron, which a browser shows: served on this machine alone until Ctrl-C."""

from __future__ import annotations

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

_TICK = 3600.0
"""Seconds of a sleep that a signal ends."""


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
    from convspec.draw.serving import serving

    package = _package()
    with TemporaryDirectory(prefix="convspec-view-") as folder, _ended_by_signals():
        files = _write(module, weights, Path(folder))
        with serving(package, module.name, files, port) as url:
            say(f"Netron shows {module.name} at {url} until Ctrl-C")
            if browser and not webbrowser.open(url):
                say("no browser was found: open the address yourself")
            _wait(url)


def _package() -> Path:
    """The folder of Netron's package. What it holds is served; none of it is run here."""
    found = find_spec("netron")
    if found is None or not found.submodule_search_locations:
        hint = "pip install 'convspec[view]', or compile to ONNX and open the file at netron.app"
        raise fail(error("CNN303", "Netron, which shows the model, is not installed", hint=hint))
    return Path(found.submodule_search_locations[0])


def _write(module: Module, weights: Mapping[str, Array], folder: Path) -> dict[str, Path]:
    """The model and its weights, which Netron fetches apart; the model first."""
    from convspec.artifacts import target_options
    from convspec.targets.base import find_target

    target = find_target("onnx")
    stem = re.sub(r"\W", "_", module.name, flags=re.ASCII) or "model"
    artifact = target.emit(module, weights, target_options(target, stem, {"external_data": True}))
    return {path.name: path for path in artifact.write(folder)}


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
    """Until a signal comes."""
    while True:
        time.sleep(_TICK)
