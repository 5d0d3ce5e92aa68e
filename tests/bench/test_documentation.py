"""docs/benchmarking.md: its numbers, its options and its program."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from convspec import loads
from convspec.bench.peaks import Peaks
from convspec.bench.roofline import work_of
from convspec.bench.statistics import CONFIDENCE
from convspec.bench.timing import LEAST
from tests.cli.helpers import convspec

TEXT = (Path(__file__).parent.parent.parent / "docs" / "benchmarking.md").read_text()
NET = """model Net {
    input x: float32[N, 256, 14, 14]
    output x -> conv(256, 3x3, pad = 1, bias = false)
}
"""


def test_the_example_of_a_convolution() -> None:
    graph = loads(NET).module.graph
    one, many = work_of(graph, {"N": 1}), work_of(graph, {"N": 32}, "bf16")
    assert one.flops == pytest.approx(231e6, rel=0.01) and "= 231 million" in TEXT
    assert one.bytes == pytest.approx(2.8e6, rel=0.02) and round(one.intensity) == 84 and "Its intensity is 84" in TEXT
    assert one.seconds(Peaks("", "fp32", 200e9, 20e9, "")) == pytest.approx(1.2e-3, rel=0.05) and "at least 1.2 ms" in TEXT
    assert work_of(graph, {"N": 1}, "bf16").intensity < 989 / 3.35 and round(many.intensity) == 973 and "973" in TEXT


def test_its_constants_are_those_of_the_code() -> None:
    assert f"{CONFIDENCE:.0%}".replace("%", " %") in TEXT and f"at least {round(100 * LEAST)} %" in TEXT


def test_its_options_are_those_of_the_command() -> None:
    shown = convspec("bench", "--help").out
    named = set(re.findall(r"--[a-z0-9]+", TEXT)) - {"--calibrate"}
    assert len(named) > 10
    missing = {option for option in named if option not in shown}
    assert not missing


def test_its_program_runs() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(program, "docs/benchmarking.md", "exec"), {})
    assert len(re.findall(r"[0-9.]+ \[[0-9.]+, [0-9.]+\]", out.getvalue())) == 2
