"""The table of GPUs, and what is measured on a CPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import convspec.bench.peaks
from convspec.bench.gpu import Gpu, gpu_at, parse
from convspec.bench.peaks import Peaks, bandwidth, best, cache_bytes, gpu_peaks, measure
from tests.bench.clocks import Clock

ROWS = json.loads(Path(convspec.bench.peaks.__file__).with_name("gpus.json").read_text())["gpus"]


@pytest.mark.parametrize("row", ROWS, ids=[row["model"] for row in ROWS])
def test_every_gpu_has_a_source_and_numbers_that_hang_together(row: dict[str, float]) -> None:
    assert row["source"] and row["names"]
    assert 100 <= row["bandwidth"] <= 10_000, "GB/s"
    assert row["fp32"] < row["fp16"] and row.get("bf16", row["fp16"]) == row["fp16"], "narrow floats are faster, and alike"
    assert row["fp32"] <= row.get("tf32", row["fp32"]) <= row["fp16"]
    assert row.get("int8", 2 * row["fp16"]) >= 1.9 * row["fp16"]


def test_no_name_stands_twice() -> None:
    names = [name.lower() for row in ROWS for name in row["names"]]
    assert len(names) == len(set(names))


def test_a_gpu_is_found_by_the_name_the_driver_gives_it() -> None:
    found = gpu_peaks("NVIDIA H100 80GB HBM3", "bf16")
    assert found == Peaks("H100 SXM", "bf16", 989.4e12, 3.35e12, ROWS[2]["source"])
    assert found is not None and found.ridge == pytest.approx(295, rel=0.01)
    assert gpu_peaks("nvidia h100 pcie ", "fp16") is not None


@pytest.mark.parametrize(
    ("name", "precision"),
    [("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "bf16"), ("Tesla T4", "bf16"), ("Tesla V100-SXM2-16GB", "tf32"), ("", "fp32")],
)
def test_what_the_table_has_not_got_is_not_guessed(name: str, precision: str) -> None:
    assert gpu_peaks(name, precision) is None


def test_the_best_of_several_calls_without_the_first() -> None:
    clock = Clock()
    assert best(clock.subject(iter([0.001, 5.0, 2.0, 3.0, 9.0])), 8.0, clock) == 2.0


def test_at_least_three_calls_however_long_they_take() -> None:
    clock = Clock()
    times = iter([9.0, 4.0, 3.0, 2.0])
    assert best(clock.subject(times), 0.0, clock) == 2.0
    assert next(times, None) is None


def test_a_triad_moves_something() -> None:
    assert bandwidth(threads=2, seconds=0.0, largest=2**22) > 0


def test_what_is_measured_of_a_cpu_hangs_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow float is no slower than fp32, which it can be computed in, and all share one memory."""
    peaks = {"fp32": Peaks("CPU", "fp32", 100.0, 7.0, "a"), "bf16": Peaks("CPU", "bf16", 60.0, 9.0, "b")}
    monkeypatch.setattr(convspec.bench.peaks, "cpu_peaks", lambda name, threads, seconds: peaks.get(name))
    found = {row["precision"]: row for row in measure(["bf16", "int8"])}
    assert (found["fp32"]["flops"], found["bf16"]["flops"]) == (100.0, 100.0)
    assert found["fp32"]["bandwidth"] == found["bf16"]["bandwidth"] == 9.0 and "int8" not in found


def test_the_cache_is_at_least_what_is_assumed() -> None:
    assert cache_bytes() >= 32 * 2**20


def test_what_nvidia_smi_says() -> None:
    text = "NVIDIA H100 80GB HBM3, 570.86.10, 512\nNVIDIA L4, 570.86.10, [N/A]\n"
    assert parse(text) == [Gpu("NVIDIA H100 80GB HBM3", "570.86.10", 512 * 2**20), Gpu("NVIDIA L4", "570.86.10", 0)]


@pytest.mark.parametrize("device", ["cpu", "auto", "cuda:99"])
def test_no_gpu_is_no_gpu(device: str) -> None:
    assert gpu_at(device) is None
