"""Tests marked `gpu` run where there is an NVIDIA GPU, and elsewhere say that there is none."""

from __future__ import annotations

import pytest

from convspec.bench.gpu import gpus

NONE = "there is no NVIDIA GPU here: nvidia-smi finds none"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("gpu") is not None]
    if marked and not gpus():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=NONE))
