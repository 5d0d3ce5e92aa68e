"""Windows of every kind in one dimension: many settings against PyTorch and ONNX Runtime, and what each output sees."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np
import pytest

from convspec.ir.opdef import AttrError, OpDef, ShapeError, Window
from convspec.ops import find
from tests.ops.cases import Case, prepare
from tests.ops.harness import FP32, OnnxNet, TorchNet, assert_close, check, reference
from tests.ops.oracle import EXACT, noise, ties


def op(name: str) -> OpDef:
    found = find(name)
    assert found is not None
    return found


def pools() -> Iterator[tuple[int, int, int, int, int, bool]]:
    """n, kernel, stride, pad, dilation, ceil: what torch takes, which wants at most half the kernel as padding."""
    for n, k, s, d, ceil in product((1, 2, 5, 8), (1, 2, 3, 4), (1, 2, 3), (1, 2, 3), (False, True)):
        for p in range(k // 2 + 1):
            if n + 2 * p >= d * (k - 1) + 1:
                yield n, k, s, p, d, ceil


def misses(n: int, k: int, s: int, p: int, d: int, outputs: int) -> bool:
    return any(all(not 0 <= i * s - p + j * d < n for j in range(k)) for i in range(outputs))


def test_max_pooling_agrees_with_torch_wherever_it_is_defined() -> None:
    """Windows that meet no cell are an error here, minus infinity there."""
    torch: Any = import_module("torch")
    seen = refused = 0
    for n, k, s, p, d, ceil in pools():
        x = ties(1, 2, n, seed=n)
        expected = torch.nn.functional.max_pool1d(torch.tensor(x), k, s, p, d, ceil).numpy()
        attrs = {"kernel": k, "stride": s, "pad": p, "dilation": d, "ceil": ceil}
        if misses(n, k, s, p, d, expected.shape[2]):
            refused += 1
            with pytest.raises(AttrError, match="wholly in the padding"):
                prepare("maxpool", attrs, [x])
            continue
        seen += 1
        case = prepare("maxpool", attrs, [x])
        np.testing.assert_array_equal(reference(case)[0], expected, str(case))
        np.testing.assert_array_equal(OnnxNet(case).run()[0], expected, str(case))
    assert seen > 200
    assert refused > 0


@pytest.mark.parametrize("count_pad", [False, True])
def test_average_pooling_agrees_with_torch(count_pad: bool) -> None:
    torch: Any = import_module("torch")
    for n, k, s, p, d, ceil in pools():
        if d > 1:
            continue
        x = noise(1, 2, n, seed=n)
        case = prepare("avgpool", {"kernel": k, "stride": s, "pad": p, "ceil": ceil, "count_pad": count_pad}, [x])
        expected = torch.nn.functional.avg_pool1d(torch.tensor(case.arrays[0]), k, s, p, ceil, count_pad).numpy()
        assert_close(reference(case)[0], expected, EXACT, str(case))
        assert_close(OnnxNet(case).run()[0], expected, FP32, str(case))


def test_transposed_convolution_agrees_with_torch() -> None:
    torch: Any = import_module("torch")
    for n, k, s, d, p in product((1, 2, 5), (1, 2, 3, 4), (1, 2, 3), (1, 2), (0, 1, 2)):
        for more in range(max(s, d)):
            if (n - 1) * s + d * (k - 1) + 1 - p - max(0, p - more) < 1:
                continue
            attrs = {"filters": 2, "kernel": k, "stride": s, "dilation": d, "pad": p, "output_padding": more}
            case = prepare("conv_transpose", attrs, [noise(1, 2, n)])
            tensors = [torch.tensor(array) for array in (*case.arrays, case.params["weight"], case.params["bias"])]
            expected = torch.nn.functional.conv_transpose1d(*tensors, s, p, more, 1, d).numpy()
            assert_close(reference(case)[0], expected, EXACT, str(case))
            assert_close(OnnxNet(case).run()[0], expected, FP32, str(case))


# ── receptive fields ─────────────────────────────────────────────────────────────────────────────────────────

FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("conv", {"filters": 1, "kernel": 3, "stride": 2, "pad": 1, "dilation": 2}),
    ("conv", {"filters": 1, "kernel": 4, "pad": "same"}),
    ("maxpool", {"kernel": 3, "stride": 2, "pad": 1}),
    ("avgpool", {"kernel": 2}),
    ("avgpool", {"kernel": 3, "stride": 2, "ceil": True}),
    ("conv_transpose", {"filters": 1, "kernel": 4, "stride": 2, "pad": 1}),
    ("conv_transpose", {"filters": 1, "kernel": 3, "stride": 1}),
    ("conv_transpose", {"filters": 1, "kernel": 2, "stride": 2}),
    ("pad", {"amount": [[2, 1]]}),
    ("upsample", {"factor": 3}),
    ("upsample", {"factor": 2, "mode": "linear"}),
    ("resize", {"size": 8}),
    ("resize", {"size": 24, "mode": "linear"}),
    ("resize", {"size": 6, "mode": "linear"}),
    ("resize", {"size": 4, "mode": "cubic"}),
    ("resize", {"size": 6, "mode": "cubic"}),
    ("resize", {"size": 4, "mode": "linear", "antialias": True}),
    ("resize", {"size": 6, "mode": "linear", "antialias": True}),
    ("resize", {"size": 6, "mode": "cubic", "antialias": True}),
    ("adaptive_avgpool", {"size": 5}),
    ("adaptive_maxpool", {"size": 4}),
    ("lppool", {"kernel": 3, "stride": 2}),
    ("blurpool", {}),
    ("global_avgpool", {}),
    ("global_maxpool", {}),
]


@pytest.mark.parametrize(("name", "attrs"), FIELDS)
def test_the_receptive_field_is_what_changes_the_output(name: str, attrs: dict[str, Any]) -> None:
    n = 12
    case = prepare(name, attrs, [np.zeros((1, 1, n))], params={})
    assert case.op.receptive_field is not None
    window = case.op.receptive_field(case.attrs, *case.types)
    assert window is not None
    found = dependencies(case, n)
    for output, seen in enumerate(found):
        allowed = covered(window, output, n)
        assert seen <= allowed, f"output {output} sees {sorted(seen)}, the window says {sorted(allowed)}"
    widest = max(max(seen) - min(seen) + 1 for seen in found if seen)
    assert widest == (window.extent[0] or n)


def dependencies(case: Case, n: int) -> list[set[int]]:
    """For each output position, the input positions that change it. Weights are ones, so that nothing cancels."""
    ones = {role: np.ones_like(array) for role, array in case.params.items()}
    still = case.op.evaluate(case.attrs, ones, np.zeros((1, 1, n)))[0, 0]
    seen: list[set[int]] = [set() for _ in still]
    for i in range(n):
        impulse = np.zeros((1, 1, n))
        impulse[0, 0, i] = 1
        for j in np.flatnonzero(case.op.evaluate(case.attrs, ones, impulse)[0, 0] != still):
            seen[int(j)].add(i)
    return seen


def covered(window: Window, output: int, n: int) -> set[int]:
    (extent,), ((numerator, denominator),), (before,) = window.extent, window.stride, window.before
    if extent is None:
        return set(range(n))
    first = output * numerator // denominator - before
    last = -(-output * numerator // denominator) - before + extent - 1
    return {i for i in range(first, last + 1) if 0 <= i < n}


def test_layers_without_a_window() -> None:
    assert op("lrn").receptive_field is None


# ── nothing escapes as another exception ─────────────────────────────────────────────────────────────────────


def settings(rank: int, rng: np.random.Generator) -> list[tuple[str, dict[str, Any]]]:
    """One random setting of each layer with a window, possible or not."""

    def axes(least: int, most: int) -> list[int]:
        return [int(v) for v in rng.integers(least, most + 1, rank)]

    window: dict[str, Any] = {"kernel": axes(1, 4), "stride": axes(1, 3)}
    window["pad"] = [list(pair) for pair in zip(axes(0, 3), axes(0, 3), strict=True)]
    dilation, ceil = axes(1, 3), bool(rng.integers(2))
    return [
        ("conv", {**window, "filters": 4, "dilation": dilation, "groups": int(rng.integers(1, 3))}),
        (
            "conv_transpose",
            {**window, "filters": 4, "dilation": dilation, "output_padding": axes(0, 2), "groups": int(rng.integers(1, 3))},
        ),
        ("maxpool", {**window, "dilation": dilation, "ceil": ceil}),
        ("avgpool", {**window, "count_pad": bool(rng.integers(2)), "ceil": ceil}),
    ]


def test_any_setting_is_either_computed_or_refused_in_words() -> None:
    rng = np.random.default_rng(0)
    computed = refused = 0
    for _ in range(120):
        for name, attrs in settings(1, rng):
            try:
                case = prepare(name, attrs, [ties(1, 2, int(rng.integers(1, 8)))])
            except (AttrError, ShapeError):
                refused += 1
                continue
            computed += 1
            expected = reference(case)[0]
            assert np.isfinite(expected).all()
            assert_close(TorchNet(case, "float64").run(gradients=False).outputs[0], expected, EXACT, str(case))
            assert_close(OnnxNet(case).run()[0], expected, FP32, str(case))
    assert computed > 180
    assert refused > 30


def test_random_settings_in_two_dimensions() -> None:
    """All targets and all gradients."""
    rng = np.random.default_rng(1)
    computed = 0
    while computed < 32:
        for name, attrs in settings(2, rng):
            try:
                check(name, attrs, ties(1, 2, *(int(v) for v in rng.integers(3, 9, 2))))
            except (AttrError, ShapeError):
                continue
            computed += 1
