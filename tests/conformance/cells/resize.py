"""Cells of `resize`."""

from collections.abc import Callable
from typing import Any

from tests.conformance.cell import Bad, Cell, noise

Formula = Callable[..., Any]


def nearest(*sizes: int) -> Formula:
    """Output i is cell i * n // m, in Python's integers."""

    def formula(x: Any, like: Any = None) -> Any:
        import torch

        for axis, m in enumerate(sizes, 2):
            n = x.shape[axis]
            x = x.index_select(axis, torch.tensor([i * n // m for i in range(m)]))
        return x

    return formula


def torch_in_2d(mode: str, *sizes: int, **more: bool) -> Formula:
    """Axis by axis, as the width of a picture whose height stays, by torch's interpolation in float64."""

    def formula(x: Any, like: Any = None) -> Any:
        import torch

        for axis, m in enumerate(sizes, 2):
            lines = x.movedim(axis, -1)
            picture = lines.reshape(1, 1, -1, x.shape[axis])
            done = torch.nn.functional.interpolate(picture, (picture.shape[2], m), mode=mode, **more)
            x = done.reshape(*lines.shape[:-1], m).movedim(-1, axis)
        return x

    return formula


def linear(*sizes: int, **more: bool) -> Formula:
    return torch_in_2d("bilinear", *sizes, **more)


def cubic(*sizes: int, **more: bool) -> Formula:
    return torch_in_2d("bicubic", *sizes, **more)


CORNERS = {"align_corners": True}
SMOOTH = {"antialias": True}

CELLS = (
    # one axis
    Cell("x -> resize(22)", x=noise(1, 2, 26), oracle=nearest(22)),  # sizes for which float32 gives a wrong cell
    Cell("x -> resize(46)", x=noise(1, 2, 14), oracle=nearest(46)),
    Cell("x -> resize(41)", x=noise(1, 2, 2), oracle=nearest(41)),
    Cell("x -> resize(factor = 1.5)", x=noise(2, 3, 7), types={"x": "float32[N, 3, H]"}, oracle=nearest(10)),
    Cell("x -> resize(7, mode = linear, antialias = false)", x=noise(2, 3, 5), oracle=linear(7)),
    Cell("x -> resize(1, mode = linear)", x=noise(2, 3, 4), oracle=linear(1)),
    Cell("x -> resize(300, mode = linear)", x=noise(1, 1, 700), oracle=linear(300)),  # beyond what float32 positions give
    Cell("x -> resize(700, mode = linear, align_corners = true)", x=noise(1, 1, 300), oracle=linear(700, **CORNERS)),
    Cell("x -> resize(7, mode = cubic)", x=noise(2, 3, 5), oracle=cubic(7)),
    Cell("x -> resize(3, mode = cubic, align_corners = true)", x=noise(2, 3, 8), oracle=cubic(3, **CORNERS)),
    Cell("x -> resize(4, mode = linear, antialias = true)", x=noise(2, 3, 9), oracle=linear(4, **SMOOTH)),
    Cell("x -> resize(4, mode = cubic, antialias = true)", x=noise(2, 3, 9), oracle=cubic(4, **SMOOTH)),
    Cell(
        "x -> resize(like = z, mode = linear)",
        x=noise(2, 3, 5),
        z=noise(2, 1, 8),
        types={"x": "float32[N, 3, H]", "z": "float32[N, 1, K]"},
        oracle=linear(8),
    ),
    # two
    Cell("x -> resize(5x9)", x=noise(2, 3, 7, 4), oracle=nearest(5, 9)),
    Cell("x -> resize(14x8)", x=noise(2, 3, 7, 4), oracle=nearest(14, 8)),
    Cell("x -> resize(factor = [0.5, 2])", x=noise(2, 3, 5, 4), types={"x": "float32[N, 3, 2*h + 3, W]"}, oracle=nearest(2, 8)),
    Cell("x -> resize(factor = 3)", x=noise(2, 3, 5, 4), types={"x": "float32[N, 3, H, W]"}, oracle=nearest(15, 12)),
    Cell("x -> resize(like = z)", x=noise(2, 3, 3, 4), z=noise(1, 1, 7, 5), oracle=nearest(7, 5)),
    Cell(
        "x -> resize(like = z)",
        x=noise(2, 3, 3, 4),
        z=noise(2, 1, 7, 5),
        types={"x": "float32[N, 3, H, W]", "z": "float32[N, 1, K, L]"},
        oracle=nearest(7, 5),
    ),
    Cell("x -> resize(7x3, mode = linear)", x=noise(2, 3, 5, 4), oracle=linear(7, 3)),
    Cell("x -> resize(8, mode = linear, align_corners = true)", x=noise(2, 3, 5, 4), oracle=linear(8, 8, **CORNERS)),
    Cell(
        "x -> resize(factor = 2, mode = linear)", x=noise(2, 3, 5, 4), types={"x": "float32[N, 3, H, W]"}, oracle=linear(10, 8)
    ),
    Cell(
        "x -> resize(factor = [2, 1.5], mode = linear, align_corners = true)",
        x=noise(2, 3, 5, 4),
        types={"x": "float32[N, 3, H, 2*w]"},
        oracle=linear(10, 6, **CORNERS),
    ),
    Cell("x -> resize(1x1, mode = linear)", x=noise(2, 3, 4, 3), oracle=linear(1, 1)),
    Cell("x -> resize(7x7, mode = cubic)", x=noise(2, 3, 5, 5), oracle=cubic(7, 7)),
    Cell("x -> resize(3x9, mode = cubic, align_corners = true)", x=noise(2, 3, 8, 6), oracle=cubic(3, 9, **CORNERS)),
    Cell(
        "x -> resize(factor = [0.6, 2], mode = cubic)",
        x=noise(2, 3, 5, 4),
        types={"x": "float32[N, 3, H + 2, W]"},
        oracle=cubic(3, 8),
    ),
    Cell("x -> resize(4x4, mode = linear, antialias = true)", x=noise(2, 3, 9, 9), oracle=linear(4, 4, **SMOOTH)),
    Cell("x -> resize(4x7, mode = cubic, antialias = true)", x=noise(2, 3, 9, 5), oracle=cubic(4, 7, **SMOOTH)),
    Cell(
        "x -> resize(like = z, mode = cubic, antialias = true)",
        x=noise(2, 3, 9, 4),
        z=noise(2, 1, 4, 6),
        types={"x": "float32[N, 3, H, W]", "z": "float32[N, 1, K, L]"},
        oracle=cubic(4, 6, **SMOOTH),
    ),
    Cell("x -> resize(5x4, mode = cubic)", x=noise(2, 3, 5, 4), oracle=lambda x: x * 1.0),
    # three
    Cell("x -> resize(5x2x3)", x=noise(1, 2, 3, 4, 2), oracle=nearest(5, 2, 3)),
    Cell("x -> resize(factor = [2, 1, 1.5])", x=noise(1, 2, 3, 4, 2), oracle=nearest(6, 4, 3)),
    Cell("x -> resize(5x2x3, mode = linear)", x=noise(1, 2, 3, 4, 2), oracle=linear(5, 2, 3)),
    Cell("x -> resize(5x2x3, mode = linear, align_corners = true)", x=noise(1, 2, 3, 4, 2), oracle=linear(5, 2, 3, **CORNERS)),
    Cell("x -> resize(5x2x3, mode = cubic)", x=noise(1, 2, 3, 4, 2), oracle=cubic(5, 2, 3)),
    Cell("x -> resize(3x2x3, mode = linear, antialias = true)", x=noise(1, 2, 5, 4, 2), oracle=linear(3, 2, 3, **SMOOTH)),
    Cell(
        "x -> resize(like = z, mode = cubic)",
        x=noise(1, 2, 3, 4, 2),
        z=noise(1, 1, 4, 3, 3),
        types={"x": "float32[1, 2, D, H, W]", "z": "float32[1, 1, E, K, L]"},
        oracle=cubic(4, 3, 3),
    ),
)

X = "float32[N, 3, 8, 8]"
BAD = (
    Bad("size", "x -> resize(0)", "CNN045", "at least 1, not 0", x=X),
    Bad("size", "x -> resize(2x2x2)", "CNN045", "3 numbers (2x2x2)", "2 spatial axes", x=X),
    Bad("size", "x -> resize(2x2, factor = 2)", "CNN045", "one of `size`, `factor` and `like`", x=X),
    Bad("", "x -> resize(mode = linear)", "CNN045", "has none", x=X),
    Bad("factor", "x -> resize(factor = 0)", "CNN045", "at least 0.001, not 0", x=X),
    Bad("factor", "x -> resize(factor = [2, 2, 2])", "CNN045", "3 numbers (2, 2, 2)", x=X),
    Bad("factor", "x -> resize(factor = 0.1)", "CNN045", "leaves nothing of the height 8", x=X),
    Bad("factor", "x -> resize(factor = 0.5)", "CNN034", "may leave nothing of the height H", x="float32[N, 3, H, 8]"),
    Bad("mode", "x -> resize(2x2, mode = area)", "CNN047", "area", x=X),
    Bad("antialias", "x -> resize(2x2, antialias = true)", "CNN045", "not for nearest", x=X),
    Bad("align_corners", "x -> resize(2x2, align_corners = true)", "CNN045", "not for nearest", x=X),
    Bad("align_corners", "x -> resize(2x2, mode = linear, align_corners = true, antialias = true)", "CNN045", "exclude", x=X),
    Bad("", "x -> resize(like = z)", "CNN030", "4, not 3", x=X, z="float32[N, 3, 8]"),
    Bad("", "x -> resize(2x2)", "CNN037", "int32", x="int32[N, 3, 8, 8]"),
)
