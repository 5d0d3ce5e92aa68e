"""What changes nothing goes; what only looks so stays."""

from __future__ import annotations

from convspec.passes.remove_identities import PASS
from tests.passes.proving import ops, prove, unchanged


def test_identity_and_dropout_go_wherever_they_stand() -> None:
    found = prove(
        """
        input x: float64[N, 3, 8, 8]
        output y = x -> identity -> conv(4, 3x3) -> dropout(0.5) -> relu -> channel_dropout(0.2) -> identity
        """,
        PASS,
    )
    assert ops(found) == ["conv", "relu"]
    assert [change.layers for change in found.report.changes] != []


def test_an_output_that_is_the_input_keeps_its_name() -> None:
    found = prove("input x: float64[N, 3]\noutput y = x -> identity\noutput z = x -> identity -> relu", PASS)
    assert [output.name for output in found.module.graph.outputs] == ["y", "z"]
    assert ops(found) == ["relu"]


def test_a_cast_that_rounds_stays() -> None:
    assert unchanged(prove("input x: float64[N, 3]\noutput y = x -> cast(float32) -> cast(float64)", PASS))
