"""What literals mean, and what is none."""

from __future__ import annotations

import pytest

from convspec.syntax import ast, literals
from tests.syntax.helpers import errors, expression, messages


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("7", 7),
        ("1_000_000", 1_000_000),
        ("64K", 64_000),
        ("5M", 5_000_000),
        ("3G", 3_000_000_000),
        ("1_5K", 15_000),
        ("4.2G", 4_200_000_000),
        ("0.5K", 500),
        ("1.50M", 1_500_000),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854.775807M", 2**63 - 1),
    ],
)
def test_integers(text: str, value: int) -> None:
    literal = expression(text)
    assert isinstance(literal, ast.IntLit)
    assert literal.value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.0", 0.0), ("1.5", 1.5), ("1e5", 1e5), ("1E+5", 1e5), ("2.5e-3", 2.5e-3), ("1_0.2_5", 10.25), ("0.1234K", 123.4),
     ("0.00001K", 0.01), ("1e-308", 1e-308), ("0e5", 0.0), ("0.1", 0.1)],
)  # fmt: skip
def test_floats(text: str, value: float) -> None:
    literal = expression(text)
    assert isinstance(literal, ast.FloatLit)
    assert literal.value == value


@pytest.mark.parametrize(("text", "values"), [("3x3", (3, 3)), ("0x3", (0, 3)), ("1x10x100", (1, 10, 100))])
def test_sizes(text: str, values: tuple[int, ...]) -> None:
    literal = expression(text)
    assert isinstance(literal, ast.SizeLit)
    assert literal.values == values


@pytest.mark.parametrize(
    ("text", "code", "message", "fix"),
    [
        ("08", "CNN002", "`08` begins with a zero", "8"),
        ("00", "CNN002", "`00` begins with a zero", "0"),
        ("007K", "CNN002", "`007K` begins with a zero", "7K"),
        ("00.5", "CNN002", "`00.5` begins with a zero", "0.5"),
        ("03.5", "CNN002", "`03.5` begins with a zero", "3.5"),
        ("1__0", "CNN002", "`1__0` is not a number: `_` stands between two digits", "1_0"),
        ("1_", "CNN002", "`1_` is not a number: `_` stands between two digits", "1"),
        ("1_.5", "CNN002", "`1_.5` is not a number: `_` stands between two digits", None),
        ("1.", "CNN002", "`1.` has no digit after its point", "1.0"),
        (".5", "CNN002", "`.5` has no digit before its point", "0.5"),
        ("5Q", "CNN002", "`5Q`: a number may end in K, M or G (powers of 1000), not in `Q`", None),
        ("5k", "CNN002", "`5k`: a number may end in K, M or G (powers of 1000), not in `k`", None),
        ("1e5M", "CNN002", "`1e5M` has both an exponent and the suffix `M`", None),
        ("0xff", "CNN002", "`0xff`: integers are written in decimal", None),
        ("0b101", "CNN002", "`0b101`: integers are written in decimal", None),
        ("3x3x", "CNN002", "`3x3x` is not a size", None),
        ("3X3", "CNN002", "`3X3` is not a size", None),
        ("03x3", "CNN002", "`03` begins with a zero", "3"),
        ("4width", "CNN002", "`4width` is neither a number nor a name", None),
        ("1.2.3", "CNN002", "`1.2.3` is not a number", None),
        ("1e999", "CNN002", "`1e999` is larger than a double holds", None),
        ("1e-999", "CNN002", "`1e-999` is smaller than a double holds", None),
        ("٣", "CNN002", "`٣` has digits other than 0 to 9", None),
        ("9223372036854775808", "CNN064", "`9223372036854775808` is larger than 64 bits hold", None),
        ("10000000000G", "CNN064", "`10000000000G` is larger than 64 bits hold", None),
        ("99999999999999999.5G", "CNN064", "`99999999999999999.5G` is larger than 64 bits hold", None),
        ("9" * 5000, "CNN064", f"`{'9' * 20}…` is larger than 64 bits hold", None),
        ("3x99999999999999999999", "CNN064", "`99999999999999999999` is larger than 64 bits hold", None),
    ],
)
def test_malformed_numbers(text: str, code: str, message: str, fix: str | None) -> None:
    (error,) = errors(f"let A = {text}")
    assert error.primary is not None
    assert (error.code, error.message, error.primary.span.start) == (code, message, 8)
    assert (error.fix.replacement if error.fix else None) == fix


def test_the_fix_of_a_number_is_a_number() -> None:
    for text in ("08", "00", "007K", "00.5", "03.5", "1__0", "1_", "1.", ".5"):
        (error,) = errors(f"let A = {text}")
        assert error.fix is not None
        assert errors(f"let A = {error.fix.replacement}") == []


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        ('""', []),
        ('"abc"', ["abc"]),
        ('"a{b}c"', ["a", (3, 4), "c"]),
        ('"{b}{c + 1}"', [(2, 3), (5, 10)]),
        ('"{{b}}"', ["{b}"]),
        ('"{{{b}}}"', ["{", (4, 5), "}"]),
        (r'"\n\t\"\\"', ['\n\t"\\']),
    ],
)
def test_pieces_of_strings(raw: str, parts: list[object]) -> None:
    assert literals.pieces(raw) == parts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"a', "1:9 this string is not closed on its line"),
        ('"a\\', "1:9 this string is not closed on its line"),
        ('"a\\"', "1:9 this string is not closed on its line"),
        (r'"a\q"', r"1:11 `\q` is not an escape"),
        ('"a{b"', "1:11 `{` is not closed in this string"),
        ('"a}b"', "1:11 `}` closes nothing in this string"),
        ('"a{}"', "1:12 expected a value, found `}`"),
        ('"a{b c}"', "1:14 expected `}`, found `c`"),
        ('"a{b:02}"', "1:13 expected `}`, found `:`"),
        ('"a{(b}"', "1:12 this `(` is not closed"),
        ('"a{08}"', "1:12 `08` begins with a zero"),
        ('"a{1 +}"', "1:14 a value is missing after `+`"),
    ],
)
def test_malformed_strings(text: str, message: str) -> None:
    assert messages(f"let A = {text}") == [message]
