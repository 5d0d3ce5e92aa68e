"""`convspec summary`."""

from __future__ import annotations

import json

from tests.cli.helpers import convspec


def test_the_table() -> None:
    done = convspec("summary", "small.cnn", "--sizes", "N=1")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "Small(image: float32[1, 1, 8, 8]) at N = 1"
    assert any(line.split()[0] == "fc" and "196" in line for line in lines if line.strip())  # 48 * 4 + 4
    assert "parameters         226 learnable" in lines  # and 3 * 9 + 3


def test_settings_and_json() -> None:
    done = convspec("summary", "small.cnn", "--set", "classes=10", "--format", "json")
    found = json.loads(done.out)
    assert found["name"] == "Small"
    assert found["totals"]["parameters"] == 30 + 490


def test_sizes_that_are_not_there() -> None:
    done = convspec("summary", "small.cnn", "--sizes", "h=3")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error[CNN401]: there is no symbolic size `h`\n  = the inputs have N\n"
