"""`--set` and `--sizes`: values as a spec writes them."""

from __future__ import annotations

from typing import Any

import pytest

from convspec.cli.values import parse_memory, parse_settings, parse_sizes
from convspec.diagnostics import Failure
from convspec.ir.attrs import Extent
from tests.runtime.helpers import told


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100", 100),
        ("5M", 5_000_000),
        ("-3", -3),
        ("0.5", 0.5),
        ("-1e-3", -0.001),
        ("true", True),
        ("false", False),
        ("3x5", Extent((3, 5))),
        ("same", "same"),
        ('"a b=c"', "a b=c"),
        ("[3, 4, [6, 3x3], wide]", [3, 4, [6, Extent((3, 3))], "wide"]),
        ("[]", []),
        (" 7 ", 7),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = parse_settings([f"k={text}"])["k"]
    assert (found, type(found)) == (value, type(value))


def test_several() -> None:
    assert parse_settings(["a=1", " b = 2"]) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "text",
    ["", "3+", "1 + 1", "f(3)", "x.channels", "[1, n // 2]", "1 let b = 2", '"{a}"', "relu -> tanh", "if", "1 model A {}", "["],
)
def test_what_is_no_value(text: str) -> None:
    assert told(lambda: parse_settings([f"k={text}"])) == (
        f"error[CNN401]: --set k: `{text}` is not a value\n"
        '  = write a number, true or false, a word or "string", a size such as 3x3, or a list of these'
    )


@pytest.mark.parametrize("text", ["classes", "=3", "a b=3", "3=a", ""])
def test_what_is_no_setting(text: str) -> None:
    assert told(lambda: parse_settings([text])) == (
        f"error[CNN401]: --set takes NAME=VALUE, not `{text}`\n  = for instance --set classes=100"
    )


def test_a_name_given_twice() -> None:
    assert told(lambda: parse_settings(["a=1", "a=2"])) == "error[CNN401]: --set gives `a` twice"


def test_sizes() -> None:
    assert parse_sizes(["N=1, h=7", "w=224"]) == {"N": 1, "h": 7, "w": 224}
    assert parse_sizes([]) == {}


@pytest.mark.parametrize("text", ["N", "N=", "N=0", "N=-1", "N=1.5", "N=x", "=1", "N=²"])
def test_what_is_no_size(text: str) -> None:
    assert told(lambda: parse_sizes([f"w=1,{text}"])) == (
        f"error[CNN401]: --sizes takes NAME=INTEGER with an integer of at least 1, not `{text}`\n"
        "  = for instance --sizes N=1,h=7,w=7"
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("8GB", 8 * 10**9),
        ("8GiB", 8 * 2**30),
        ("1.5 gib", 3 * 2**29),
        ("0.1GB", 10**8),
        ("4.35GB", 4_350_000_000),
        ("1.1TB", 1_100_000_000_000),
        ("123", 123),
        ("1.9", 1),
        ("8388607.999TiB", (8388607999 * 2**40) // 1000),
    ],
)
def test_memory_is_read_exactly(text: str, count: int) -> None:
    """In integers: as floats, 4.35 GB would be a byte short."""
    assert parse_memory(text) == count


@pytest.mark.parametrize(
    "text", ["", "0", "0.5", "-1GB", "1e3", "8G B", "8XB", "GB", "1.GB", ".5GB", "9" * 30, "８GB", "8388608TiB"]
)
def test_what_is_no_memory(text: str) -> None:
    with pytest.raises(Failure):
        parse_memory(text)
