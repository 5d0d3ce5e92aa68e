"""Arithmetic and functions on plain values and symbolic sizes, and what has no value."""

from __future__ import annotations

from typing import Any

import pytest

from tests.elaborate.helpers import codes, messages, network, value_of

SYMBOLIC = "input x: float32[N, 3, 32*h, W >= 16]"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7.0 // 2", 3.0),
        ("-7 % 4", 1),
        ("7.5 % 2", 1.5),
        ("2.0 ** -1", 0.5),
        ("(-1) ** 9223372036854775807", -1),
        ("-1.5", -1.5),
        ("not true", False),
        ('"a" < "b"', True),
        ('"a" + "b"', "ab"),
        ('"abc"[1]', "b"),
        ('"abc"[1..]', "bc"),
        ("3x5[1]", 5),
        ("3x5[1..]", [5]),
        ("3x5 == [3, 5]", True),
        ("3x5 != 3x5", False),
        ("true == 1", False),
        ("[1, [2]] == [1, [2]]", True),
        ("[1] == [1, 2]", False),
        ("len(3x3x3)", 3),
        ("reversed(1x2)", [2, 1]),
        ("min(3)", None),
        ("min(2.5, 2)", 2),
        ("max([1, 2.5])", 2.5),
        ("sum([])", 0),
        ("sum([1, 2.5])", 3.5),
        ("abs(-2.5)", 2.5),
        ("round(3.5)", 4),
        ("int(-3.9)", -3),
        ("ceil(4)", 4),
        ("zip()", []),
        ("zip([1], [2], [3])", [[1, 2, 3]]),
        ('"{1.5} {3x3} {"a"}"', None),
        ('"{1.5} {3x3} {2 > 1}"', None),
        ('"{1.5} {3x3} {len([1])}"', "1.5 3x3 1"),
        ("[i for i in []]", []),
        ("[i * j for i, j in zip([1, 2], [3, 4])[0]]", [0, 3]),
        ("1K + 1_0", 1010),
        ("0x3 == [0, 3]", True),
        ('"a\\"\\\\{{{1}}}é"', 'a"\\{1}é'),
    ],
)
def test_values(expression: str, value: Any) -> None:
    """None stands for an expression without a value."""
    if value is None:
        assert codes(f"v = {expression}\noutput x")
    else:
        result = value_of(expression)
        assert result == value
        assert type(result) is type(value)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("x.height + x.width", "W + 32*h"),
        ("x.height - 1", "32*h - 1"),
        ("2 * x.height", "64*h"),
        ("x.height * x.width", "32*W*h"),
        ("x.height // 32", "h"),
        ("x.height / 8", "4*h"),
        ("x.width // 2", "W // 2"),
        ("x.height % 32", "0"),
        ("x.height % 5", "2*h - 5*(2*h // 5)"),
        ("max(x.width, 16)", "W"),
        ("min(16, x.width)", "16"),
        ("sum([x.width, 1])", "W + 1"),
        ("floor(x.width)", "W"),
        ("-x.width + 20 - x.width % 1", "20 - W"),
    ],
)
def test_symbolic_values(expression: str, shown: str) -> None:
    assert str(value_of(expression, inputs=SYMBOLIC)) == shown


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("x.width >= 16", True),
        ("x.width > 15", True),
        ("x.width < 16", False),
        ("x.width <= 15.0", False),
        ("x.height == 32 * (x.height // 32)", True),
        ("x.height != 33", True),
        ("x.height == 1.5", False),
        ('x.width == "a"', False),
        ("x.shape == [x.shape[0], 3, x.height, x.width]", True),
    ],
)
def test_conditions_on_symbolic_sizes(condition: str, holds: bool) -> None:
    assert value_of(condition, inputs=SYMBOLIC) is holds


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("x.width > 20", "CNN034"),
        ("x.width == 20", "CNN034"),
        ("x.width > 1.5", "CNN034"),
        ("x.width * 1.5", "CNN033"),
        ("x.width ** 2", "CNN033"),
        ("x.width / 2", "CNN043"),
        ("x.width // 0", "CNN033"),
        ("abs(x.width)", "CNN033"),
        ("sqrt(x.width)", "CNN033"),
        ("0..x.width", "CNN033"),
        ("[1, 2][x.width]", "CNN033"),
    ],
)
def test_symbolic_sizes_without_a_value(expression: str, code: str) -> None:
    assert codes(f"v = {expression}\noutput x", inputs=SYMBOLIC) == [code]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 // 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("1.0 / 0", "division by zero"),
        ("0.0 ** -1", "0.0 ** -1 has no finite result"),
        ("(-2.0) ** 0.5", "-2.0 ** 0.5 is not a real number"),
        ("10.0 ** 400", "10.0 ** 400 has no finite result"),
        ("1e300 * 1e300", "this has no finite result (inf)"),
        ("log2(0)", "`log2` of 0 is not a real number"),
        ("int(1e300)", "an integer is limited to 64 bits, and this has 997"),
        ("-true", "`-` does not take the bool true"),
        ("1 < true", "`<` does not compare the integer 1 with the bool true"),
        ("[1] < [2]", "`<` does not compare a list of 1 with a list of 1"),
        ("[x] == [x]", "tensors cannot be compared while a network is being described"),
        ("zip([1], [1, 2])", "`zip` takes lists of equal length, not of 1 and 2"),
        ("len()", "`len` takes one value, not 0"),
        ("len([], [])", "`len` takes one value, not 2"),
        ("max(1, true)", "`max` takes a number, not the bool true"),
        ("max", "`max` is a function, and needs its arguments"),
        ("len(xs = [1])", "`len` takes no named arguments"),
        ("3[0]", "the integer 3 cannot be indexed"),
        ("(3).channels", "the integer 3 has no `.channels`"),
        ("relu.channels", "a stage has no `.channels`"),
        ("if 3 then 1 else 2", "a condition must be true or false, not the integer 3"),
        ('"{[1]}"', "a list of 1 cannot stand in a string"),
        ("macs", "`macs` is known only in an `assert`"),
        ("same == 3", "`same` is not defined"),
        ("[y for y in 3]", "a loop goes through a list or a range, not the integer 3"),
        ("[y for [y, z] in [[1]]]", "2 names cannot take 1 values"),
        ("[y for [y, z] in [3x3, 1]]", "2 names need a list of 2, not the integer 1"),
        ("x % 2", "`%` does not work on tensors"),
        ('x + "a"', '`+` of a tensor takes a tensor or a plain number, not the string "a"'),
        ("sum([x, 1])", "`sum` takes a list of tensors, not one with the integer 1"),
        ("concat([])", "`concat` needs at least one tensor, and this list is empty"),
        ("x.heigth", "a tensor has no `.heigth`"),
    ],
)
def test_what_has_no_value(expression: str, message: str) -> None:
    assert messages(f"v = {expression}\noutput x") == [message]


def test_comprehensions_leave_names_as_they_were() -> None:
    module = network("i = 5\nys = [i for i in 0..3]\noutput x -> conv(i, 1x1)")
    assert module.graph.nodes[0].attrs.filters == 5
    assert messages("ys = [k for k in 0..3]\noutput x -> conv(k, 1x1)") == ["`k` is not defined"]


def test_loops_leave_their_last_turn() -> None:
    module = network("for i, k in [4, 7] { }\noutput x -> conv(i + k, 1x1)")
    assert module.graph.nodes[0].attrs.filters == 8


def test_negative_tensors() -> None:
    module = network("output -x")
    assert [node.op.name for node in module.graph.nodes] == ["neg"]
    assert module.graph.nodes[0].path == "neg1"
