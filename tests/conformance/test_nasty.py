"""The twelve cases most likely to be wrong, forward and backward on every target; run with oneDNN on and off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import convspec
from convspec.ir.types import Array
from tests.conformance.cell import Cell, noise, ties
from tests.conformance.check import EXACT, TARGETS, check
from tests.conformance.frameworks import Run, run_keras, run_torch
from tests.ops.harness import assert_close


def functional(name: str, *args: Any, **kwargs: Any) -> Any:
    """A formula of PyTorch's own on the first tensor, or on the tensor and the parameters."""
    import torch.nn.functional as F

    return getattr(F, name)(*args, **kwargs)


def padded(x: Any, *pads: int) -> Any:
    return functional("pad", x, pads)


def hole(*shape: int) -> Array:
    """Noise with a block of what becomes zeros behind a ReLU."""
    x = noise(*shape)
    x[..., 1:3, 1:4, :3] = -1.0
    return x


LINE = np.arange(1.0, 17.0).reshape(1, 1, 4, 4)
PLANE = noise(2, 3, 8, 11)
LONE = np.array([[[0, 1, 0], [1, 0, 0], [0, 0, 0]]], dtype=np.float64)
"""Two nodes that are joined, and one by itself."""
MASK = np.array([[[True, False, True], [False, False, False], [True, True, True]]])
"""The second query may attend to nothing."""

NASTY: dict[str, list[Cell]] = {
    "1 same padding": [
        Cell(
            "x -> conv(4, 4x3, stride = 3x2, pad = same)",
            x=PLANE,
            oracle=lambda x, weight, bias: functional("conv2d", padded(x, 1, 1, 1, 1), weight, bias, (3, 2)),
        ),
        Cell(
            "x -> conv(4, 4x3, dilation = 3, pad = same)",
            x=PLANE,
            oracle=lambda x, weight, bias: functional("conv2d", padded(x, 3, 3, 4, 5), weight, bias, dilation=3),
        ),
        Cell(
            "x -> conv(4, 1, stride = 4, pad = same)",
            x=noise(2, 3, 8),
            oracle=lambda x, weight, bias: functional("conv1d", x[..., ::4], weight, bias),
        ),
    ],
    "2 max pooling": [
        Cell(
            "x -> maxpool(3, stride = 3, pad = 1, dilation = 2, ceil = true)",
            x=ties(1, 2, 7, 6) - 2.0,
            oracle=lambda x: functional("max_pool2d", x, 3, 3, 1, 2, True),
        )
    ],
    "3 divisors": [
        Cell(
            "x -> avgpool(3, stride = 2, pad = 1, ceil = true)",
            x=LINE,
            oracle=lambda x: functional("avg_pool2d", x, 3, 2, 1, True, True),
        ),
        Cell(
            "x -> avgpool(3, stride = 2, pad = 1, ceil = true, count_pad = false)",
            x=LINE,
            oracle=lambda x: functional("avg_pool2d", x, 3, 2, 1, True, False),
        ),
        Cell(
            "x -> avgpool(1x4x3, stride = [4, 1, 2], pad = [0, 2, 1])",
            x=noise(1, 2, 4, 3, 4),
            oracle=lambda x: functional("avg_pool3d", padded(x, 1, 1, 2, 2), (1, 4, 3), (4, 1, 2)),
        ),
    ],
    "4 equal cells in 3-D": [Cell(f"x -> relu -> maxpool(2, stride = {s})", x=hole(1, 1, 4, 4, 4)) for s in (1, 2)],
    "5 depthwise": [
        Cell(
            "x -> depthwise_conv(3, 2, stride = 2, dilation = 2)",
            x=noise(2, 3, 9, 9),
            oracle=lambda x, weight, bias: functional("conv2d", x, weight, bias, 2, 0, 2, 3),
        ),
        Cell(
            "x -> depthwise_conv(3, 2, stride = 1x2)",
            x=noise(2, 3, 9, 9),
            oracle=lambda x, weight, bias: functional("conv2d", x, weight, bias, (1, 2), 0, 1, 3),
        ),
    ],
    "6 groups in 3-D": [
        Cell(
            "x -> conv(4, 3, stride = 2, dilation = 2, groups = 2, pad = [[1, 0], [0, 1], [2, 1]])",
            x=noise(1, 4, 7, 7, 7),
            oracle=lambda x, weight, bias: functional("conv3d", padded(x, 2, 1, 0, 1, 1, 0), weight, bias, 2, 0, 2, 2),
        )
    ],
    "7 transposed": [
        Cell(
            "x -> conv_transpose(4, 3, dilation = 2, groups = 2, output_padding = 1)",
            x=noise(1, 4, 4, 4),
            oracle=lambda x, weight, bias: functional("conv_transpose2d", x, weight, bias, 1, 0, 1, 2, 2),
        ),
        Cell("x -> conv_transpose(3, 2, stride = 4, pad = same)", x=noise(1, 4, 4, 4)),
    ],
    "9 resizing": [
        *(Cell(f"x -> resize({m})", x=noise(1, 2, n)) for n, m in ((26, 22), (14, 46), (2, 41))),
        Cell(
            "x -> resize(7, mode = cubic)",
            x=noise(1, 2, 5, 5),
            oracle=lambda x: functional("interpolate", x, (7, 7), mode="bicubic"),
        ),
        *(
            Cell(
                f"x -> resize(4, mode = {ours}, antialias = true)",
                x=noise(1, 2, 9, 9),
                oracle=lambda x, theirs=theirs: functional("interpolate", x, (4, 4), mode=theirs, antialias=True),
            )
            for ours, theirs in (("linear", "bilinear"), ("cubic", "bicubic"))
        ),
        Cell("x -> resize(1, mode = linear)", x=noise(1, 2, 4), oracle=lambda x: (x[..., 1:2] + x[..., 2:3]) / 2),
    ],
    "10 channels": [
        Cell("x -> lrn(4)", x=noise(2, 8, 3, 3), oracle=lambda x: functional("local_response_norm", x, 4)),
        Cell("x -> prelu", x=noise(1, 3, 4, 3), oracle=lambda x, weight: functional("prelu", x, weight)),
        Cell("x -> pixel_shuffle(2)", x=noise(1, 8, 2, 3), oracle=lambda x: functional("pixel_shuffle", x, 2)),
        Cell(
            "x -> flatten -> linear(4)",
            x=noise(2, 3, 2, 5),
            oracle=lambda x, weight, bias: functional("linear", x.flatten(1), weight, bias),
        ),
    ],
    "11 kinks": [
        *(
            Cell(f"x -> {ours}", x=ties(2, 3, 4), oracle=lambda x, theirs=theirs: functional(theirs, x))
            for ours, theirs in (("selu", "selu"), ("celu", "celu"), ("hardtanh", "hardtanh"))
        ),
        Cell("x -> prelu", x=ties(2, 3, 4), oracle=lambda x, weight: functional("prelu", x, weight)),
        Cell("x -> relu -> sqrt", x=ties(2, 3, 4), oracle=lambda x: functional("relu", x).sqrt()),
        Cell("x -> attention(2, mask = m)", x=noise(1, 4, 3), m=MASK),
        Cell("x -> graph_conv(a, 2)", x=noise(1, 4, 3), a=LONE),
        *(Cell(f"x -> graph_conv(a, 2, aggregate = {how})", x=noise(1, 4, 3), a=LONE) for how in ("sum", "mean", "max")),
    ],
    "12 adaptive windows": [
        Cell(
            "x -> adaptive_maxpool(3x4)",
            x=ties(1, 2, 7, 10),
            oracle=lambda x: functional("adaptive_max_pool2d", x, (3, 4)),
        ),
        Cell(
            "x -> adaptive_avgpool(3x4)",
            x=noise(1, 2, 7, 10),
            oracle=lambda x: functional("adaptive_avg_pool2d", x, (3, 4)),
        ),
        Cell(
            "x -> pad(5, mode = circular)",
            x=noise(1, 2, 5),
            oracle=lambda x: functional("pad", x, (5, 5), mode="circular"),
        ),
        Cell("x -> global_maxpool", x=ties(1, 2, 4, 5), oracle=lambda x: x.amax((2, 3), keepdim=True)),
    ],
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("name", "cell"), [pytest.param(name, c, id=f"{name}-{c!r}") for name, cs in NASTY.items() for c in cs]
)
def test_nasty(name: str, cell: Cell, target: str) -> None:
    check(cell, target)


def test_batch_norm_over_three_steps_and_then_inference() -> None:
    """8: x(2, 3, 2, 2), momentum 0.1; the running variance is the unbiased one."""
    steps = [noise(2, 3, 2, 2, seed=seed) for seed in range(3)]
    cell = Cell("x -> batchnorm", x=steps[0], training=True)
    mean, variance = cell.weights["batchnorm1.running_mean"], cell.weights["batchnorm1.running_var"]
    mean, variance = mean.astype(np.float64), variance.astype(np.float64)
    found = {name: dict(cell.weights) for name in ("torch", "keras")}
    for x in steps:
        runs: dict[str, Run] = {
            "torch": run_torch(cell.module, found["torch"], {"x": x}, "float64", True, True),
            "keras": run_keras(cell.module, found["keras"], {"x": x}, "float64", True, True),
        }
        mean = 0.9 * mean + 0.1 * x.mean((0, 2, 3))
        variance = 0.9 * variance + 0.1 * x.var((0, 2, 3), ddof=1)
        for name, run in runs.items():
            found[name] |= run.statistics
            assert_close(run.statistics["batchnorm1.running_mean"], mean, EXACT, f"{name}, mean")
            assert_close(run.statistics["batchnorm1.running_var"], variance, EXACT, f"{name}, variance")
            for key, gradient in runs["torch"].gradients.items():
                assert_close(run.gradients[key], gradient, EXACT, f"{name}, gradient of {key}")
    after = Cell("x -> batchnorm", x=steps[0], params={key.split(".")[1]: array for key, array in found["torch"].items()})
    for target in TARGETS:
        check(after, target)


@pytest.mark.parametrize("runtime", ["onnxruntime", "pytorch", "tensorflow"])
def test_a_mean_of_many_in_half_precision(runtime: str) -> None:
    """12: 90,000 ones in float16 have the mean 1; added up in float16 they would be infinite."""
    net = convspec.loads("model M { input x: float16[1, 2, 300, 300]  output y = x -> global_avgpool }")
    found = net.run({"x": np.ones((1, 2, 300, 300), np.float16)}, runtime=runtime, optimize=0)["y"]
    assert found.dtype == np.float16
    assert np.array_equal(found, np.ones((1, 2, 1, 1), np.float16))
