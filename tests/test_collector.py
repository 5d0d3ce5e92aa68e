"""The cycle collector is off while something is built, and is as it was afterwards."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

import convspec
from convspec.collector import collector_off
from convspec.diagnostics import Failure

SPEC = "model M { input x: float32[N, 3, h, w] output x -> conv(4, 1x1) }"


def test_it_is_put_off_and_comes_back() -> None:
    assert gc.isenabled()
    with collector_off():
        assert not gc.isenabled()
        with collector_off():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collector_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_comes_back_after_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Failure):
        convspec.loads("model M { nonsense }")
    assert gc.isenabled()
    with pytest.raises(Failure):
        convspec.loads(SPEC).compile("onnx", tmp_path / "absent" / "m.onnx")
    assert gc.isenabled()


def test_it_is_off_while_a_network_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convspec.targets.onnx import plan

    seen: list[bool] = []
    make = plan.make_plan

    def watched(*given: object) -> object:
        seen.append(gc.isenabled())
        return make(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(plan, "make_plan", watched)
    convspec.loads(SPEC).compile("onnx", tmp_path / "m.onnx")
    assert seen == [False] and gc.isenabled()
