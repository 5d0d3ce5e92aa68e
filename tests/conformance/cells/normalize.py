"""Cells of `normalize`."""

from typing import Any

import numpy as np

from convspec.ir.types import Array
from tests.conformance.cell import Bad, Cell, noise


def pixels(*shape: int) -> Array:
    found = np.random.default_rng([1, *shape]).integers(0, 256, shape).astype(np.uint8)
    found.flat[:2] = (0, 255)
    return found


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_IMAGENET = f"mean = [{', '.join(map(str, MEAN))}], std = [{', '.join(map(str, STD))}]"


def formula(scale: float = 255.0) -> Any:
    """One division and one subtraction, with the constants put together."""

    def prepare(x: Any) -> Any:
        import torch

        shape = (1, 3, *[1] * (x.dim() - 2))
        mean, std = (torch.tensor(each, dtype=torch.float64).reshape(shape) for each in (MEAN, STD))
        return x.double() / (scale * std) - mean / std

    return prepare


CELLS = (
    Cell(f"x -> normalize({_IMAGENET})", x=pixels(2, 3, 4, 5), gradients=False, oracle=formula()),
    Cell(f"x -> normalize({_IMAGENET}) -> conv(2, 3x3)", x=pixels(2, 3, 4, 5), types={"x": "uint8[N, 3, H >= 3, W >= 3]"}),
    Cell("x -> normalize -> conv(2, 3x3)", x=pixels(2, 3, 4, 5)),
    Cell(f"x -> normalize({_IMAGENET}, scale = 1)", x=noise(2, 3, 4, 5), oracle=formula(1)),
    Cell(f"x -> normalize({_IMAGENET})", x=noise(2, 3, 5), oracle=formula()),
    Cell("x -> normalize(mean = 0.5, scale = 127.5) -> conv(2, 2)", x=pixels(2, 3, 5)),
    Cell("x -> normalize(std = 0.3)", x=pixels(2, 3, 5), gradients=False),
    Cell(f"x -> normalize({_IMAGENET}, scale = 100)", x=noise(2, 3, 2, 2, 2), oracle=formula(100)),
    Cell("x -> normalize(mean = -2) -> relu", x=noise(2, 3, 2, 2, 2)),
    Cell("x -> normalize", x=pixels(2, 3, 2, 2, 2).astype(np.int32), gradients=False),
    Cell(f"x -> normalize({_IMAGENET}) -> linear(2)", x=pixels(2, 3).astype(np.int64)),
)

BAD = (
    Bad("mean", "x -> normalize(mean = [0.5, 0.5])", "CNN036", "2 numbers", "3 channels", x="uint8[N, 3, 4, 4]"),
    Bad("mean", "x -> normalize(mean = [0.5, true, 0.5])", "CNN040", "bool", x="uint8[N, 3, 4, 4]"),
    Bad("std", "x -> normalize(std = [1, 0, 1])", "CNN045", "above 0", x="uint8[N, 3, 4, 4]"),
    Bad("std", "x -> normalize(std = [1, 1, 1, 1])", "CNN036", "4 numbers", "3 channels", x="uint8[N, 3, 4, 4]"),
    Bad("scale", "x -> normalize(scale = 0)", "CNN045", "above 0", x="uint8[N, 3, 4, 4]"),
    Bad("", "x -> normalize", "CNN037", "bool", x="bool[N, 3, 4, 4]"),
    Bad("", "x -> normalize", "CNN030", "rank 1", x="uint8[N]"),
)
