"""Receptive fields against brute force: which input cells really reach a unit is found by running the reference.

All weights are 1 and one input cell at a time is 1, the others 0, so that exactly the units that see it become positive.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from convspec.analysis.budgets import check_asserts
from convspec.analysis.receptive_field import Field, Fields, receptive_fields, show, trunk_field
from convspec.elaborate import Module, loads
from convspec.ir.graph import Value
from convspec.ir.types import Array

LENGTH = 64


def module(body: str, shape: str = f"N, 1, {LENGTH}") -> Module:
    return loads(f"model Net {{\ninput x: float32[{shape}]\n{body}\n}}")


def output_field(body: str, shape: str = f"N, 1, {LENGTH}") -> Fields:
    graph = module(body, shape).graph
    return receptive_fields(graph)[graph.outputs[0].value]


def run(net: Module, x: Array) -> Array:
    """The output for an input, all weights 1."""
    values: dict[Value, Array] = {net.graph.inputs[0].value: x}
    for node in net.graph.nodes:
        weights = {role: np.ones(parameter.shape) for role, parameter in node.params.items()}
        result = node.op.evaluate(node.attrs, weights, *(values[value] for value in node.inputs))
        values[node.outputs[0]] = result
    return values[net.graph.outputs[0].value]


def seen_cells(net: Module) -> list[set[int]]:
    """For each unit of the output (one channel, one axis) the input cells that reach it."""
    cells: list[set[int]] = []
    for cell in range(LENGTH):
        x = np.zeros((1, 1, LENGTH))
        x[0, 0, cell] = 1
        reached = run(net, x)[0, 0] > 0
        cells = cells or [set() for _ in reached]
        for unit in np.flatnonzero(reached):
            cells[unit].add(cell)
    return cells


NETWORKS = {
    "one": "output x -> conv(1, 5, bias = false)",
    "padded": "output x -> conv(1, 5, pad = 2, bias = false)",
    "asymmetric": "output x -> conv(1, 4, pad = [[0, 3]], bias = false)",
    "strided": "output x -> conv(1, 3, stride = 2, pad = 1, bias = false) -> conv(1, 3, stride = 3, bias = false)",
    "dilated": "output x -> conv(1, 3, dilation = 4, pad = 4, bias = false) -> maxpool(2)",
    "pools": "output x -> maxpool(3, stride = 2, pad = 1) -> avgpool(2) -> conv(1, 3, bias = false)",
    "explicit pad": "output x -> pad([[3, 1]]) -> conv(1, 3, stride = 2, bias = false)",
    "residual": "y = x -> conv(1, 3, pad = 1, bias = false) -> relu -> conv(1, 3, pad = 1, bias = false)\noutput x + y",
    "uneven branches": """a = x -> conv(1, 3, stride = 2, pad = [[0, 2]], bias = false)
b = x -> conv(1, 3, stride = 2, pad = [[2, 0]], bias = false)
output concat(a, b) -> conv(1, 1, bias = false)""",
    "shifted branch": "output (x -> conv(1, 3, pad = [[2, 0]], bias = false)) + (x -> conv(1, 7, pad = 3, bias = false))",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_fields_are_exactly_what_units_see(name: str) -> None:
    net = module(NETWORKS[name])
    (field,) = receptive_fields(net.graph)[net.graph.outputs[0].value]
    assert field is not None
    interior = 0
    for unit, cells in enumerate(seen_cells(net)):
        low, high = unit * field.jump + field.low, unit * field.jump + field.high
        if low >= 0 and high < LENGTH:
            interior += 1
            assert (Fraction(min(cells)), Fraction(max(cells))) == (low, high)
        else:
            assert not cells or (min(cells) >= low and max(cells) <= high)
    assert interior > 3


ENLARGING = {
    "nearest": "output x -> conv(1, 3, stride = 2, pad = 1, bias = false) -> upsample(2) -> conv(1, 3, pad = 1, bias = false)",
    "linear": "output x -> maxpool(4) -> upsample(4, mode = linear) -> conv(1, 5, pad = 2, bias = false)",
    "transposed": "output x -> maxpool(2) -> conv_transpose(1, 4, stride = 2, pad = 1, bias = false) -> avgpool(3, stride = 1)",
    "transposed 2": "output x -> conv(1, 3, pad = 1, bias = false) -> conv_transpose(1, 2, stride = 2, bias = false)",
    "u": """down = x -> maxpool(2) -> conv(1, 3, pad = 1, bias = false)
output x + (down -> upsample(2)) -> conv(1, 3, pad = 1, bias = false)""",
}


@pytest.mark.parametrize("name", ENLARGING)
def test_fields_after_enlarging_hold_what_units_see(name: str) -> None:
    """Units differ by parts of a cell of the coarse tensor: the size is that of the one that sees most."""
    net = module(ENLARGING[name])
    (field,) = receptive_fields(net.graph)[net.graph.outputs[0].value]
    assert field is not None
    cells = seen_cells(net)
    assert field.size == max(max(seen) - min(seen) + 1 for seen in cells if seen)
    for unit, seen in enumerate(cells):
        if seen:
            assert min(seen) >= unit * field.jump + field.low - 2
            assert max(seen) <= unit * field.jump + field.high + 2


def test_units_of_an_enlarged_tensor_differ_by_a_coarse_cell() -> None:
    """Two levels of pooling by 2 and back: the coarsest cell is 4 wide."""
    net = module("""
        y = x -> maxpool(2) -> maxpool(2) -> conv(1, 3, pad = 1, bias = false)
        output y -> upsample(2) -> conv(1, 3, pad = 1, bias = false) -> upsample(2) -> conv(1, 3, pad = 1, bias = false)
    """)
    (field,) = receptive_fields(net.graph)[net.graph.outputs[0].value]
    assert field is not None
    sizes = {max(seen) - min(seen) + 1 for seen in seen_cells(net)[24:40]}
    assert field.size == 4 * 3 + 2 * 2 + 2
    assert sizes == {field.size - 2, field.size + 2}


def test_jumps_are_exact_fractions() -> None:
    (field,) = output_field("output x -> upsample(3) -> upsample(3) -> conv(1, 3, pad = 1) -> conv(1, 3, stride = 2)")
    assert field is not None
    assert field.jump == Fraction(2, 9)


@pytest.mark.parametrize(
    "body",
    [
        "output x -> global_avgpool",
        "output x -> global_maxpool",
        "output x -> conv(1, 3) -> flatten",
        "output x -> flatten -> linear(4)",
        "gate = x -> global_avgpool -> conv(1, 1) -> sigmoid\noutput x * gate",
        "strided = x -> conv(1, 3, stride = 2, pad = [[32, 33]])\noutput x + strided",
        "one = x -> conv(1, 64)\noutput x + one",
    ],
)
def test_a_whole_axis(body: str) -> None:
    assert output_field(body) == (None,)


def test_flattening_axes_of_size_1_keeps_what_they_saw() -> None:
    assert [field.size for field in output_field("output x -> conv(4, 64) -> flatten -> linear(3)") if field] == [64]


def test_axes_are_apart() -> None:
    seen = output_field("output x -> conv(4, [3, 5], stride = [1, 2]) -> conv(4, 3x3)", "N, 3, 32, 32")
    assert [(field.size, int(field.jump)) for field in seen if field] == [(5, 1), (9, 2)]
    assert show(seen) == "5x9"


def test_a_vector_beside_a_picture_adds_nothing() -> None:
    net = loads("""model Net {
        input x: float32[N, 1, 8]
        input v: float32[N, 8]
        y = x -> conv(1, 8) -> flatten
        output concat(y, v) -> linear(2)
    }""")
    fields = receptive_fields(net.graph)
    assert show(fields[net.graph.inputs[1].value]) == "-"
    assert show(fields[net.graph.outputs[0].value]) == "8"


def test_a_row_of_indices_is_an_axis_of_space_once_it_is_looked_up() -> None:
    net = loads("""model Net {
        input words: int64[N, L >= 8]
        x = words -> embedding(50, 4) -> conv(4, 3) -> conv(4, 3, dilation = 2)
        output found = x -> global_maxpool -> flatten -> linear(2)
        assert receptive_field == 7
    }""")
    check_asserts(net)
    assert show(trunk_field(net.graph)) == "7"


def test_a_row_of_indices_that_was_worked_out_may_come_from_anywhere() -> None:
    net = loads("""model Net {
        input words: int64[N, 8]
        output words -> reverse(1) -> embedding(50, 4) -> conv(4, 3)
    }""")
    assert trunk_field(net.graph) == (None,)


def test_the_field_of_the_network() -> None:
    def trunk(body: str) -> Fields:
        return trunk_field(module(body).graph)

    assert show(trunk("output x -> conv(1, 3) -> conv(1, 3) -> global_avgpool -> flatten -> linear(2)")) == "5"
    assert show(trunk("output small = x -> conv(1, 3)\noutput large = x -> conv(1, 9)")) == "9"
    gated = "y = x -> conv(1, 3, pad = 1)\ngate = y -> global_avgpool -> sigmoid\noutput y * gate -> global_avgpool -> flatten"
    assert show(trunk(gated)) == "all"


def test_field_of_the_input_is_the_cell_itself() -> None:
    net = module("output x -> relu")
    assert receptive_fields(net.graph)[net.graph.inputs[0].value] == (Field(Fraction(1), Fraction(0), Fraction(0)),)
