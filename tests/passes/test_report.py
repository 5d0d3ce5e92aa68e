"""What the report says: every pass, at which source lines, how often, and what it saved."""

from __future__ import annotations

from convspec.passes.optimise import Optimised
from tests.passes.proving import prove

TEXT = """
block Twice(x: tensor) {
    return x -> conv: conv(6, 1x1, bias = false) -> norm: batchnorm -> relu
}

model T {
    input x: float64[2, 6, 4, 4]
    output x -> Twice -> Twice -> Twice -> identity
}
"""


def report() -> Optimised:
    return prove(TEXT, level=1)


def test_uses_at_one_line_are_one_line() -> None:
    lines = report().report.text().splitlines()
    section = lines.index(next(line for line in lines if line.startswith("fold_batchnorm: ")))
    assert "3 times" in lines[section]
    # Three times a bias of 6 numbers takes the place of the 4 * 6 of a batch norm.
    assert "54 stored numbers" in lines[section]
    told = "Twice1.conv, Twice1.norm → Twice1.conv (batchnorm into the conv before it); and 2 like it, to Twice3.conv"
    assert lines[section + 1] == f"  <text>:3  {told}"


def test_the_totals_are_the_networks() -> None:
    text = report().report.text()
    assert "optimised at level 1: 10 nodes became 6\n" in text
    assert "  MACs: 3,456, as before\n" in text
    assert "  stored numbers: 180 → 126 (-30.00 %)\n" in text


def test_what_was_left_out_says_where_it_stood() -> None:
    lines = report().report.text().splitlines()
    assert "  <text>:8  identity1" in lines


def test_a_program_reads_every_change() -> None:
    found = report().report.to_json()
    assert found["nodes"] == {"before": 10, "after": 6}
    assert [change["pass"] for change in found["changes"]] == ["remove_identities", *["fold_batchnorm"] * 3]
    assert [change["place"] for change in found["changes"]] == ["<text>:8", *["<text>:3"] * 3]


def test_a_network_that_stays_says_so() -> None:
    found = prove("input x: float64[N, 3, 8, 8]\noutput x -> relu", level=1)
    assert found.report.text().startswith("optimised at level 1: 1 nodes became 1\n")
