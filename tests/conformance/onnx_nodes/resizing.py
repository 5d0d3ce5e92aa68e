"""`Resize`: it is ours where both find the same positions, which is worked out here from what the operator's page says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any

import numpy as np

from convspec.ir.types import Array
from tests.conformance.onnx_nodes.fates import POSITIONS
from tests.conformance.onnx_nodes.sheet import Impossible, Node, Translator
from tests.conformance.onnx_nodes.windows import size


def resize(node: Node) -> str:
    """To the size that comes out, with the mode and `align_corners` of which every position agrees."""
    node.unlifted()
    mode = node.get("mode", "nearest")
    scales, sizes = _scales(node)
    antialias = _antialias(node, mode, scales, sizes)
    transformation = node.get("coordinate_transformation_mode", "half_pixel")
    for aligned in (False, True) if mode != "nearest" and not antialias else (False,):
        axes = zip(node.shape()[2:], sizes[2:], scales[2:], strict=True)
        if sizes[:2] == list(node.shape()[:2]) and all(_agree(node, mode, transformation, aligned, *axis) for axis in axes):
            extra = ", align_corners = true" if aligned else ", antialias = true" if antialias else ""
            return node.let(f"{node.tensor()} -> resize({size(sizes[2:])}, mode = {mode}{extra})")
    raise Impossible(POSITIONS)


def _antialias(node: Node, mode: str, scales: list[float], sizes: list[int]) -> bool:
    """Whether ours antialiases, if one of its two ways has the operator's weights.

    With it ours leaves cells beyond the edge out, and a = -0.5 in the cubic kernel; without it the outermost cells stand for
    them, and a = -0.75. Where nothing shrinks antialiasing does nothing else. How wide the filter is follows from the sizes.
    """
    wanted, outside = bool(node.get("antialias", 0)), bool(node.get("exclude_outside", 0)) and mode != "nearest"
    antialias = wanted or (outside and min(scales) >= 1)
    exact = all(scale == m / n for n, m, scale in zip(node.shape(), sizes, scales, strict=True))
    kernel = mode != "cubic" or node.get("cubic_coeff_a", -0.75) == (-0.5 if antialias else -0.75)
    if outside != antialias or not kernel or (wanted and not exact):
        raise Impossible(POSITIONS)
    return antialias


def _scales(node: Node) -> tuple[list[float], list[int]]:
    """Scale and size of every axis, from whichever is given."""
    shape = node.shape()
    axes = [int(axis) % len(shape) for axis in node.get("axes", range(len(shape)))]
    if node.has(2) and node.known(2).size:
        scales = [1.0] * len(shape)
        for axis, scale in zip(axes, node.known(2), strict=True):
            scales[axis] = float(scale)
        return scales, [floor(n * scale) for n, scale in zip(shape, scales, strict=True)]
    sizes = list(shape)
    for axis, wanted in zip(axes, node.known(3), strict=True):
        sizes[axis] = int(wanted)
    policy = node.get("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return [m / n for n, m in zip(shape, sizes, strict=True)], sizes
    ratios = [sizes[axis] / shape[axis] for axis in axes]
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    kept = [scale if axis in axes else 1.0 for axis in range(len(shape))]
    return kept, [floor(n * each + 0.5) for n, each in zip(shape, kept, strict=True)]


def _agree(node: Node, mode: str, transformation: str, aligned: bool, n: int, m: int, scale: float) -> bool:
    theirs = _positions(transformation, n, m, scale)
    if theirs is None:
        return False
    index = np.arange(m)
    if mode == "nearest":
        return np.array_equal(_rounded(theirs, node.get("nearest_mode", "round_prefer_floor"), n), index * n // m)
    ours = index * (n - 1) / max(m - 1, 1) if aligned else (index + 0.5) * n / m - 0.5
    limits = (0, n - 1) if mode == "linear" else (-2.0, n + 1.0)
    return bool(np.allclose(theirs.clip(*limits), ours.clip(*limits), rtol=0, atol=1e-6))


def _positions(transformation: str, n: int, m: int, scale: float) -> Any:
    """Where each output lies in the input; None: that depends on a region of interest."""
    index, length = np.arange(m), scale * n
    half = (index + 0.5) / scale - 0.5
    found: dict[str, Array | None] = {
        "half_pixel": half,
        "pytorch_half_pixel": half if m > 1 else np.zeros(m),
        "half_pixel_symmetric": half + n / 2 * (1 - m / length),
        "asymmetric": index / scale,
        "align_corners": index * (n - 1) / (length - 1) if length > 1 else np.zeros(m),
        "tf_crop_and_resize": None,
    }
    return found[transformation]


def _rounded(positions: Array, mode: str, n: int) -> Array:
    rules: Mapping[str, Array] = {
        "round_prefer_floor": np.ceil(positions - 0.5),
        "round_prefer_ceil": np.floor(positions + 0.5),
        "floor": np.floor(positions),
        "ceil": np.ceil(positions),
    }
    return rules[mode].clip(0, n - 1)


def upsample(node: Node) -> str:
    """Every axis a whole number of times as large, by the cell at ⌊i / scale⌋."""
    node.unlifted()
    scales: Sequence[float] = [float(scale) for scale in node.known(1)]
    if scales[:2] != [1.0, 1.0] or any(scale != int(scale) for scale in scales) or node.get("mode", "nearest") != "nearest":
        raise Impossible(POSITIONS)
    return node.let(f"{node.tensor()} -> upsample({size([int(scale) for scale in scales[2:]])})")


TABLE: Mapping[str, Translator] = {"Resize": resize, "Upsample": upsample}
