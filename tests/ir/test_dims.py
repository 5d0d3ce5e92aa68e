"""Symbolic sizes: the forms, proofs and messages that specs rely on."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from convspec.ir.dims import (
    Dim,
    DimError,
    Size,
    at_least,
    bound_needed,
    equal,
    evaluate,
    lower_bound,
    maximum,
    minima,
    minimum,
    substitute,
    symbol,
    symbols,
    together,
    upper_bound,
)

H, W, N, h = symbol("H"), symbol("W"), symbol("N"), symbol("h")


def window(size: Size, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1) -> Size:
    """The output size of a convolution or pooling, rounded down."""
    return (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1


# ── networks whose sizes must be proven ──────────────────────────────────────────────────────────────────────


def resnet_stages(size: Size) -> list[Size]:
    """Sizes after the stem, its pool, and the stages of a ResNet; the residual and the shortcut are compared on the way."""
    size = window(window(size, 7, 2, 3), 3, 2, 1)
    sizes = [size]
    for _ in range(3):
        residual, shortcut = window(window(size, 3, 2, 1), 3, 1, 1), window(size, 1, 2)
        assert residual is shortcut or residual == shortcut
        size = residual
        sizes.append(size)
    return sizes


def test_resnet_on_multiples_of_32() -> None:
    assert [str(size) for size in resnet_stages(32 * h)] == ["8*h", "4*h", "2*h", "h"]


def test_resnet_on_any_size() -> None:
    assert [str(size) for size in resnet_stages(H)] == [f"(H + {2**k - 1}) // {2**k}" for k in (2, 3, 4, 5)]


def test_unet_on_multiples_of_16() -> None:
    size: Size = 16 * h
    skips = []
    for _ in range(4):
        skips.append(window(size, 3, 1, 1))
        size = window(size, 2, 2)
    while skips:
        size = 2 * size
        assert equal(size, skips.pop())
    assert str(size) == "16*h"


def test_unet_on_any_size_is_told_what_to_declare() -> None:
    found = equal(2 * (H // 2), H)
    assert found.verdict == "sometimes"
    assert found.condition == "H is even"
    assert {name: str(size) for name, size in found.substitution.items()} == {"H": "2*h"}
    assert found.hint == "these agree when H is even: declare H as 2*h"


def test_inception_branches_on_any_size() -> None:
    """Inception-v3's grid reduction: 3x3 stride 2, two 3x3 and one of stride 2, max-pool; and its padded branches."""
    assert window(H, 3, 2) is window(window(window(H, 1), 3, 1, 1), 3, 2) is window(H, 3, 2)
    assert window(H, 1) is window(H, 5, 1, 2) is window(window(H, 3, 1, 1), 3, 1, 1) is H


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 7])
def test_padded_kernels_agree_with_a_1x1_at_any_stride(stride: int) -> None:
    assert window(H, 3, stride, 1) is window(H, 1, stride) is window(H, 7, stride, 3) is window(H, 3, stride, 2, dilation=2)


# ── the normal form ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (32 * h, "32*h"),
        (2 * (H // 2), "2*(H // 2)"),
        ((H - 1) // 2 + 1, "(H + 1) // 2"),
        (window(window(H, 3, 2), 3, 2), "(H + 1) // 4 - 1"),
        ((4 * H + 6) // 2, "2*H + 3"),
        ((2 * H + 1) // 2, "H"),
        ((6 * H + 5) // 4, "H + H // 2 + 1"),
        ((H // 2 + 1) // 3, "(H + 2) // 6"),
        (3 * (H // 2) // 5, "3*(H // 2) // 5"),
        (H * W * N, "H*N*W"),
        (H**3 - 1, "H**3 - 1"),
        ((H // 2) ** 2 * 3, "3*(H // 2)**2"),
        (1 - H, "1 - H"),
        (-H - 2, "-H - 2"),
        (-(H // 2), "-(H // 2)"),
        (W - H // 2, "W - H // 2"),
        (H % 2, "H - 2*(H // 2)"),
        (H * W // 2, "H*W // 2"),
        ((H + W) * (H - W), "H**2 - W**2"),
        (6 * H / 3, "2*H"),
        (0 + H, "H"),
    ],
)
def test_forms(size: Size, shown: str) -> None:
    assert str(size) == shown


def test_what_is_concrete_is_a_plain_int() -> None:
    results: list[Size] = [H - H, H * 0, (H + 5) - H, (2 * H + 1) % 2, H // 1 - H, (4 * H + 3) // 4 - H]
    assert results == [0, 0, 5, 1, 0, 0]
    assert all(type(result) is int for result in results)


class Remembering(int):
    """An int that carries something along, as those of generated source do."""


def test_subclasses_of_int_leave_no_trace() -> None:
    seven = Remembering(7)
    assert H + seven is H + 7
    for result in (H + seven - H, (H - H) + 7, (seven * H) // H.terms[0][1] - 7 * H + 7):
        assert type(result) is int or isinstance(result, Dim)
    assert all(
        type(coefficient) is int for size in (H + seven, H * seven) if isinstance(size, Dim) for _, coefficient in size.terms
    )
    assert type(evaluate(H + 1, {"H": 3})) is int


def test_copies_are_the_same_object() -> None:
    size = window(H, 3, 2) * W
    assert pickle.loads(pickle.dumps(size)) is size
    assert copy.deepcopy(size) is size


def test_names_and_minima() -> None:
    size = symbol("H", 75) // 2 * W + 1
    assert symbols(size) == {"H", "W"}
    assert minima(size) == {"H": 75, "W": 1}
    assert symbols(7) == frozenset()
    assert minima(7) == {}


def test_values() -> None:
    size = window(H, 3, 2) * W
    assert evaluate(size, {"H": 8, "W": 5, "N": 1}) == 15
    assert substitute(size, {"H": 2 * h}) is (h - 1) * W
    assert substitute(size, {"H": W, "W": H}) is window(W, 3, 2) * H
    with pytest.raises(DimError, match=r"needs a value for H and W"):
        evaluate(H + W, {"N": 1})


# ── proofs ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("a", "b", "verdict", "condition", "declared"),
    [
        (H // 2 + (H + 1) // 2, H, "always", "", {}),
        ((H // 2 + 1) * 2 - 2 * (H // 2), 2, "always", "", {}),
        ((H * (H + 1)) // 2 * 2, H * H + H, "always", "", {}),
        (H, 0, "never", "", {}),
        (2 * H, 2 * W + 1, "never", "", {}),
        (H, H + 1, "never", "", {}),
        (symbol("H", 75), 74, "never", "", {}),
        (symbol("H", 75), 75, "sometimes", "H is 75", {"H": "75"}),
        (H, 7, "sometimes", "H is 7", {"H": "7"}),
        (H // 4, 1, "sometimes", "", {}),
        (H // 2, 1, "sometimes", "H is 2 or 3", {"H": "2"}),
        (2 * (H // 2), H - 1, "sometimes", "H is odd", {"H": "2*h + 1"}),
        (4 * (H // 4), H, "sometimes", "H is a multiple of 4", {"H": "4*h"}),
        (4 * (H // 4) + 1, H, "sometimes", "H is 4*q + 1", {"H": "4*h + 1"}),
        (4 * (H // 4) // 2, H // 2, "sometimes", "H is 4*q or 4*q + 1", {"H": "4*h"}),
        ((H + 1) // 4, H // 4, "sometimes", "H is not 4*q + 3", {"H": "4*h"}),
        (H // 3 + 1, (H + 2) // 3, "sometimes", "H is not a multiple of 3", {"H": "3*h + 1"}),
        (H // 3 + W // 2, H // 3 + (W + 1) // 2, "sometimes", "W is even", {"W": "2*w"}),
        (5 * (3 * (H // 2) // 5), 3 * (H // 2), "sometimes", "H is 10*q or 10*q + 1", {"H": "10*h"}),
        (symbol("H", 75), 2 * W, "sometimes", "", {}),
        (W, symbol("H", 75), "sometimes", "W is H", {"W": "H"}),
        (H % 2 + W % 3, 0, "sometimes", "H is even and W is a multiple of 3", {"H": "2*h", "W": "3*w"}),
        ((H + W) // 2 * 2, H + W, "sometimes", "H is even and W is even", {"H": "2*h", "W": "2*w"}),
        (H, W, "sometimes", "W is H", {"W": "H"}),
        (H, 2 * W, "sometimes", "H is 2*W", {"H": "2*W"}),
        (window(H, 3, 2, 1), W, "sometimes", "W is (H + 1) // 2", {"W": "(H + 1) // 2"}),
        (H * H, 48, "sometimes", "", {}),
        (2 * (h // 2), h, "sometimes", "h is even", {"h": "2*h"}),
        (64 * (H // 64) * (W // 65) * 65, H * W, "sometimes", "", {}),
        (3, 3, "always", "", {}),
        (3, 4, "never", "", {}),
    ],
)
def test_equality(a: Size, b: Size, verdict: str, condition: str, declared: dict[str, str]) -> None:
    found = equal(a, b)
    assert (found.verdict, found.condition) == (verdict, condition)
    assert {name: str(size) for name, size in found.substitution.items()} == declared
    assert (found.hint is None) == (condition == "")


def test_suggested_names_avoid_those_taken() -> None:
    assert str(equal(2 * (H // 2), H, frozenset({"h"})).substitution["H"]) == "2*H"
    assert str(equal(2 * (H // 2) + h, H + h).substitution["H"]) == "2*H"


def test_suggestion_keeps_the_declared_bound() -> None:
    declared = symbol("H", 75)
    assert minima(equal(2 * (declared // 2), declared).substitution["H"]) == {"h": 38}


def test_several_axes_together() -> None:
    height, width, never = equal(2 * (H // 2), H), equal(W, 2 * (W // 2)), equal(H, 0)
    found = together([equal(N, N), height, width])
    assert (found.verdict, found.condition) == ("sometimes", "H is even")
    assert {name: str(size) for name, size in found.substitution.items()} == {"H": "2*h", "W": "2*w"}
    assert together([equal(N, N)]).verdict == "always"
    assert together([height, never]).verdict == "never"
    thirds = together([height, equal(3 * (H // 3), H)])
    assert {name: str(size) for name, size in thirds.substitution.items()} == {"H": "2*h"}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (H, 1, True),
        (H, 2, None),
        (0, H, False),
        (H + W, 2, True),
        (2 * (H // 2) + 1, H, True),
        (H, 2 * (H // 2), True),
        (window(H, 3, 2, 1), 1, True),
        (window(H, 3), 1, None),
        (window(symbol("H", 75), 3), 1, True),
        (H * W, H, True),
        (H * W - H - W, -1, True),
        (H // 3, H // 2 + 1, False),
        (4 * (3 * (H // 2) // 5), 2 * (H // 2) - 4, True),
        (4 * (3 * (H // 2) // 5), 2 * (H // 2), None),
        (5, 4, True),
        (4, 5, False),
    ],
)
def test_order(a: Size, b: Size, expected: bool | None) -> None:
    assert at_least(a, b) is expected


def test_maximum_and_minimum() -> None:
    assert maximum(H, 1) is H
    assert minimum(H, 1) == 1
    assert maximum(0, 2 * ((H + 1) // 2) - H) is 2 * ((H + 1) // 2) - H
    assert maximum(3, 5) == 5
    assert minimum(H + 1, H) is H
    with pytest.raises(DimError, match="whether H or W is larger depends on the sizes"):
        maximum(H, W)
    with pytest.raises(DimError, match="whether H or 2 is smaller"):
        minimum(H, 2)


def test_bounds() -> None:
    assert (lower_bound(H % 3), upper_bound(H % 3)) == (0, 2)
    assert (lower_bound(H - H // 2), upper_bound(H - H // 2)) == (1, None)
    assert (lower_bound(-H), upper_bound(-H)) == (None, -1)
    assert (lower_bound(5), upper_bound(5)) == (5, 5)
    assert (lower_bound(symbol("H", 10) * W), upper_bound(H * W)) == (10, None)


def test_the_bound_that_is_needed() -> None:
    assert bound_needed(window(H, 7), 1) == ("H", 7)
    assert bound_needed(window(window(H, 7), 3, 2, 1), 4) == ("H", 13)
    assert bound_needed(H, 1) == ("H", 1)
    assert bound_needed(1, H) is None
    assert bound_needed(0, H % 2) is None
    assert bound_needed(H + W, 5) is None


# ── what cannot be ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: H // W, "H cannot be divided by the symbolic size W"),
        (lambda: H // 0, "H can only be divided by an integer above 0, not by 0"),
        (lambda: H % -2, "H can only be divided by an integer above 0, not by -2"),
        (lambda: 3 // H, "3 cannot be divided by the symbolic size H"),
        (lambda: 3 % H, "3 cannot be divided by the symbolic size H"),
        (lambda: H / 2, "H is not a multiple of 2 for all sizes"),
        (lambda: H**-1, "the symbolic size H can be raised to powers from 0 to 64, not to -1"),
        (lambda: H**10**9, "the symbolic size H can be raised to powers from 0 to 64, not to 1000000000"),
    ],
)
def test_division_and_powers_that_are_refused(act: Callable[[], Size], message: str) -> None:
    with pytest.raises(DimError) as caught:
        act()
    assert caught.value.message == message


@pytest.mark.parametrize(
    "step",
    [
        lambda x: x * x,
        lambda x: x * x * W + x,
        lambda x: x // 2 + x // 3,
        lambda x: (3 * x) // 5,
        lambda x: x * 1_000_000_007,
        lambda x: (x + W) * (x + N + 1),
    ],
)
def test_growth_without_end_is_an_error(step: Callable[[Size], Size]) -> None:
    def grow(size: Size) -> None:
        for _ in range(1000):
            size = step(size)

    with pytest.raises(DimError, match=r"has become too long|larger than 64 bits|more than 64 sizes"):
        grow(H + W)


def test_sizes_too_long_to_compare_are_undecided() -> None:
    halves: Size = 0
    others: Size = 0
    for k in range(2, 600):
        halves, others = halves + H // k, others + W // k
    assert equal(halves, others).verdict == "sometimes"
    assert at_least(halves, others) is None


def test_no_size_is_negative() -> None:
    with pytest.raises(ValueError, match="below 0"):
        symbol("H", -1)


def test_floats_are_not_sizes() -> None:
    with pytest.raises(TypeError):
        H * 0.5  # type: ignore[operator]
