"""Symbolic sizes are found from data, and every declaration is held against it."""

from __future__ import annotations

import pytest

from convspec.ir.dims import symbol
from convspec.ir.types import TensorType
from convspec.runtime.signature import TensorSpec
from convspec.runtime.sizes import solve_sizes
from tests.runtime.helpers import signature, told


@pytest.mark.parametrize(
    ("declared", "shape", "sizes"),
    [
        ("float32[N, 3]", (5, 3), {"N": 5}),
        ("float32[N, 3, 32*h, 32*w]", (1, 3, 96, 32), {"N": 1, "h": 3, "w": 1}),
        ("float32[N, C, H, H]", (2, 7, 9, 9), {"N": 2, "C": 7, "H": 9}),
        ("float32[N, 3, H >= 75, 4]", (1, 3, 75, 4), {"N": 1, "H": 75}),
        ("float32[N, 2, 2*a + 1, b*b]", (1, 2, 7, 49), {"N": 1, "a": 3, "b": 7}),
        ("float32[N, a*b, a, b]", (1, 6, 2, 3), {"N": 1, "a": 2, "b": 3}),
        ("float32[N, 2, H // 2 + 1, H]", (1, 2, 6, 11), {"N": 1, "H": 11}),
        ("float32[4, 3, 5]", (4, 3, 5), {}),
        ("float32[N]", (1_000_000_007,), {"N": 1_000_000_007}),
    ],
)
def test_sizes_are_found(declared: str, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    assert solve_sizes(signature(f"x: {declared}").inputs, {"x": shape}) == sizes


@pytest.mark.parametrize(("found", "h"), [((7, 3), 3), ((9, 1), 1)])
def test_sizes_that_shrink_with_their_name(found: tuple[int, int], h: int) -> None:
    """No spec can declare such a size, but another tool's ONNX file can."""
    spec = TensorSpec("x", TensorType("float32", (10 - symbol("h"), symbol("h"))))
    assert solve_sizes([spec], {"x": found}) == {"h": h}
    assert solve_sizes([TensorSpec("x", TensorType("float32", (10 - symbol("h"),)))], {"x": (found[0],)}) == {"h": h}


def test_a_size_that_comes_twice_leaves_the_choice_to_another_axis() -> None:
    h = symbol("h")
    spec = TensorSpec("x", TensorType("float32", (h * h - 6 * h + 10, h)))
    assert solve_sizes([spec], {"x": (2, 4)}) == {"h": 4}


def test_sizes_out_of_reach_are_told() -> None:
    spec = TensorSpec("x", TensorType("float32", (10 - symbol("h"),)))
    assert told(lambda: solve_sizes([spec], {"x": (20,)})).endswith("  = batch (axis 0): declared 10 - h, found 20")


def test_a_floor_alone_leaves_a_choice_that_fits() -> None:
    found = solve_sizes(signature("x: float32[N, 2, H // 2 + 1]").inputs, {"x": (1, 2, 6)})
    assert found["H"] // 2 + 1 == 6


def test_a_choice_gives_way_to_another_axis_that_knows() -> None:
    specs = signature("x: float32[N, 2, H // 2 + 1]", "y: float32[N, 2, H]").inputs
    assert solve_sizes(specs, {"x": (1, 2, 6), "y": (1, 2, 11)})["H"] == 11


@pytest.mark.parametrize(
    ("declared", "shape", "notes"),
    [
        (
            "float32[N, 3, 32*h, 32*w]",
            (1, 3, 100, 64),
            "height (axis 2): declared 32*h, found 100, which is not a multiple of 32; the nearest that fit are 96 and 128",
        ),
        ("float32[N, 3, 32*h, 4]", (1, 3, 8, 4), "height (axis 2): declared 32*h, found 8; the smallest that fits is 32"),
        (
            "float32[N, 3, 2*l + 1]",
            (1, 3, 8),
            "length (axis 2): declared 2*l + 1, found 8; the nearest that fit are 7 and 9",
        ),
        (
            "float32[N, 3, H >= 75, 4]",
            (1, 3, 60, 4),
            "height (axis 2): declared H with H >= 75, found 60; the smallest that fits is 75",
        ),
        (
            "float32[N, 3, 4, 4]",
            (1, 2, 4, 5),
            "channels (axis 1): declared 3, found 2\n  = width (axis 3): declared 4, found 5",
        ),
        ("float32[N, 2, H, H]", (1, 2, 4, 5), "width (axis 3): declared H, found 5, but H is 4 by the height"),
        (
            "float32[N, 2, a + b]",
            (1, 2, 5),
            "length (axis 2): a + b does not say what a and b are; declare this axis by one name",
        ),
        ("float32[N, 2, 3, 3, d]", (1, 2, 3, 3), "the declared shape has 5 axes, the data has 4"),
    ],
)
def test_what_does_not_fit_is_said_with_the_numbers(declared: str, shape: tuple[int, ...], notes: str) -> None:
    message = told(lambda: solve_sizes(signature(f"x: {declared}").inputs, {"x": shape}, {"x": "a.npy"}))
    head, _, rest = message.partition("\n")
    found = ", ".join(map(str, shape))
    assert head.startswith(f"error[CNN301]: a.npy does not fit the input `x`: its shape is [{found}], declared float32[")
    assert rest == f"  = {notes}"


def test_every_input_is_reported_and_names_are_shared() -> None:
    specs = signature("a: float32[N, 3, H, 5]", "b: float32[N, 4, H, 5]").inputs
    message = told(lambda: solve_sizes(specs, {"a": (2, 9, 7, 5), "b": (3, 4, 8, 5)}))
    assert message.splitlines() == [
        "error[CNN301]: the data does not fit the input `a`: its shape is [2, 9, 7, 5], declared float32[N, 3, H, 5]",
        "  = channels (axis 1): declared 3, found 9",
        "error[CNN301]: the data does not fit the input `b`: its shape is [3, 4, 8, 5], declared float32[N, 4, H, 5]",
        "  = batch (axis 0): declared N, found 3, but N is 2 by the batch of `a`",
        "  = height (axis 2): declared H, found 8, but H is 7 by the height of `a`",
    ]


def test_channels_last_data_is_recognised() -> None:
    message = told(lambda: solve_sizes(signature("x: float32[N, 3, H, W]").inputs, {"x": (2, 32, 40, 3)}))
    assert message.endswith("  = the data looks channels-last; channels come second here: array.transpose(0, 3, 1, 2)")
