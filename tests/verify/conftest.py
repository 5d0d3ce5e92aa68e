"""One quiet TensorFlow for all tests here, and layers with something wrong in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from convspec import ops

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

Break = Callable[[str, str, Callable[..., Any]], None]


@pytest.fixture
def break_op(monkeypatch: pytest.MonkeyPatch) -> Iterator[Break]:
    """`break_op("relu", "onnx", lower)` gives the op `relu` another lowering for ONNX until the test ends."""

    def broken(name: str, target: str, lower: Callable[..., Any]) -> None:
        home = import_module(f"convspec.ops.{name}")
        monkeypatch.setattr(home, "OP", replace(home.OP, lower={**home.OP.lower, target: lower}))
        ops.find.cache_clear()

    yield broken
    monkeypatch.undo()
    ops.find.cache_clear()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`without("torch")` lets a package look as if it were not installed."""

    def hidden(*packages: str) -> None:
        def importing(name: str) -> Any:
            if name in packages:
                raise ModuleNotFoundError(f"No module named '{name}'", name=name)
            return import_module(name)

        monkeypatch.setattr("convspec.runtime.devices.import_module", importing)

    return hidden
