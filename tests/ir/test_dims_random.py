"""Symbolic sizes against brute force: whatever they claim is checked by computing with plain integers."""

from __future__ import annotations

import re
from itertools import product

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from convspec.ir._residues import cases_of
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
    minimum,
    substitute,
    symbol,
    symbols,
    upper_bound,
)
from tests.ir.trees import Tree, trees

VALUES = st.integers(1, 10_000)
FAR = 10**15  # beyond every root that numbers as small as those in the trees can give


def size(tree: Tree, **least: int) -> Size:
    """The symbolic size that a tree stands for; `least` gives minima of names."""
    return tree.apply({name: symbol(name, least.get(name, 1)) for name in "HWN"})


@given(trees("HWN", leaves=12), VALUES, VALUES, VALUES)
@settings(max_examples=200, deadline=None)
def test_normal_form_keeps_the_value(tree: Tree, h: int, w: int, n: int) -> None:
    values = {"H": h, "W": w, "N": n}
    made = size(tree)
    assert evaluate(made, values) == tree.compute(values)
    assert eval(str(made), {}, dict(values)) == tree.compute(values)
    if not symbols(made):
        assert type(made) is int


@given(trees("HWN", leaves=12))
@settings(max_examples=200, deadline=None)
def test_the_same_form_is_the_same_object(tree: Tree) -> None:
    first, second = size(tree), size(tree)
    assert first is second or (isinstance(first, int) and first == second)


@given(trees("HW", leaves=8), trees("HW", leaves=4), VALUES, VALUES)
@settings(max_examples=150, deadline=None)
def test_substitution_is_composition(tree: Tree, inner: Tree, h: int, w: int) -> None:
    values = {"H": h, "W": w}
    replaced = substitute(size(tree), {"H": size(inner)})
    assert evaluate(replaced, values) == tree.compute({"H": inner.compute(values), "W": w})


@given(trees("HW", leaves=8), trees("HW", leaves=8), st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_claims_on_two_names_hold(a: Tree, b: Tree, least: int) -> None:
    points = [{"H": h, "W": w} for h, w in product(range(least, least + 14), range(1, 15))]
    differences = [a.compute(point) - b.compute(point) for point in points]
    left, right = size(a, H=least), size(b, H=least)

    found = equal(left, right)
    event(found.verdict)
    assert bool(found) == (found.verdict == "always")
    if found.verdict == "always":
        assert not any(differences)
    elif found.verdict == "never":
        assert all(differences)
    if found.substitution:
        assert equal(substitute(left, found.substitution), substitute(right, found.substitution))

    order = at_least(left, right)
    event(f"at least: {order}")
    if order is not None:
        assert all((difference >= 0) == order for difference in differences)
    low, high = lower_bound(left - right), upper_bound(left - right)
    assert low is None or low <= min(differences)
    assert high is None or high >= max(differences)


def one_period(left: Size, right: Size, least: int) -> range:
    """Values of H from `least` on that show everything: in each residue class as many as decide a polynomial, and two."""
    difference = left - right
    cases = cases_of(difference) if isinstance(difference, Dim) else None
    if cases is None:
        assume(isinstance(difference, int))
        return range(least, least + 50)
    assume(cases.moduli[0] <= 1024)
    return range(least, least + cases.moduli[0] * (cases.degrees[0] + 2))


@given(trees("H", leaves=7, divisors=4), trees("H", leaves=7, divisors=4), st.integers(1, 9))
@settings(max_examples=150, deadline=None)
def test_equality_in_one_name_is_complete(a: Tree, b: Tree, least: int) -> None:
    """A polynomial that vanishes at more points than its degree vanishes everywhere; so the verdict must then say so."""
    left, right = size(a, H=least), size(b, H=least)
    agree = [a.compute({"H": h}) == b.compute({"H": h}) for h in one_period(left, right, least)]
    found = equal(left, right)
    event(found.verdict)
    assert (found.verdict == "always") == all(agree)
    if found.verdict == "never":
        assert not any(agree)


@given(trees("H", linear=True, leaves=7, divisors=4), trees("H", linear=True, leaves=7, divisors=4), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_linear_equality_in_one_name_is_exact(a: Tree, b: Tree, least: int) -> None:
    left, right = size(a, H=least), size(b, H=least)
    period = len(one_period(left, right, least))
    near, far = ({h: a.compute({"H": h}) == b.compute({"H": h}) for h in range(x, x + period)} for x in (least, FAR))
    found = equal(left, right)
    event(found.verdict)
    if found.verdict != "sometimes":
        assert set(near.values()) == {found.verdict == "always"}
        return
    assert not all(near.values())
    if not found.condition:  # only where more than three single values agree
        assert not any(far.values())
        return
    assert all(agree for h, agree in (near | far).items() if holds(found.condition, h)), "sufficient"
    if any(far.values()):
        event("residues")
        missed = {h for h, agree in far.items() if agree and not holds(found.condition, h)}
        assert not missed or (len(missed) >= 3 and " or " not in found.condition), "necessary, unless that is long to say"
    else:
        event("single values")
        assert all(near[h] == holds(found.condition, h) for h in near)
    assert equal(substitute(left, found.substitution), substitute(right, found.substitution))


def holds(condition: str, h: int) -> bool:
    """Whether a condition on H, as it is printed, holds."""
    said = condition.removeprefix("H is ")
    if said in ("even", "odd"):
        return h % 2 == (said == "odd")
    if said.startswith("not "):
        return not holds(said.removeprefix("not "), h)
    if match := re.fullmatch(r"a multiple of ([\d,]+)", said):
        return h % int(match[1].replace(",", "")) == 0
    return any(_is(part, h) for part in said.split(" or "))


def _is(part: str, h: int) -> bool:
    match = re.fullmatch(r"(\d+)\*q(?: \+ (\d+))?", part)
    return h % int(match[1]) == int(match[2] or 0) if match else h == int(part)


@given(trees("H", linear=True, leaves=7, divisors=4), trees("H", linear=True, leaves=7, divisors=4), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_linear_order_in_one_name_is_exact(a: Tree, b: Tree, least: int) -> None:
    left, right = size(a, H=least), size(b, H=least)

    def difference(h: int) -> int:
        return a.compute({"H": h}) - b.compute({"H": h})

    period = len(one_period(left, right, least))
    near, far = ([difference(h) for h in range(x, x + period)] for x in (least, least + period * FAR))
    rising, falling = (any((y > x) == up and x != y for x, y in zip(near, far, strict=True)) for up in (True, False))
    expected = True if min(near + far) >= 0 else False if max(near + far) < 0 else None
    assert at_least(left, right) is expected
    assert lower_bound(left - right) == (None if falling else min(near))
    assert upper_bound(left - right) == (None if rising else max(near))

    needed = bound_needed(left, right)
    assert (needed is None) == (min(far) < 0 or left is right or isinstance(left - right, int))
    if needed is not None:
        name, n = needed
        assert name == "H"
        assert n == least or difference(n - 1) < 0
        assert min(difference(h) for h in range(n, n + period)) >= 0


@given(trees("H", leaves=5), trees("H", leaves=5), VALUES)
@settings(max_examples=150, deadline=None)
def test_maximum_and_minimum(a: Tree, b: Tree, h: int) -> None:
    left, right = size(a), size(b)
    try:
        large, small = maximum(left, right), minimum(left, right)
    except DimError:
        event("undecided")
        return
    x, y = a.compute({"H": h}), b.compute({"H": h})
    assert evaluate(large, {"H": h}) == max(x, y)
    assert evaluate(small, {"H": h}) == min(x, y)
