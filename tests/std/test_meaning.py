"""Blocks that torchvision does not have, against formulas from their papers, written out in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import convspec
from tests.examples.networks import inputs, scaled_error
from tests.std.samples import Sample, on, on_image


def _norm(w: dict[str, Any], name: str, y: Any, eps: float = 1e-5) -> Any:
    mean, var = w[f"{name}.running_mean"], w[f"{name}.running_var"]
    return F.batch_norm(y, mean, var, w[f"{name}.weight"], w[f"{name}.bias"], False, 0.0, eps)


def cbam(x: Any, w: dict[str, Any]) -> Any:
    def mlp(v: Any) -> Any:
        return F.relu(v @ w["mlp.fc1.weight"].flatten(1).T) @ w["mlp.fc2.weight"].flatten(1).T

    x = x * torch.sigmoid(mlp(x.mean((2, 3))) + mlp(x.amax((2, 3))))[:, :, None, None]
    maps = torch.stack([x.mean(1), x.amax(1)], 1)
    return x * torch.sigmoid(F.conv2d(maps, w["spatial.weight"], padding=1))


def eca(x: Any, w: dict[str, Any]) -> Any:
    kernel = w["conv.weight"]
    factors = torch.sigmoid(F.conv1d(x.mean((2, 3))[:, None], kernel, padding=kernel.shape[-1] // 2))
    return x * factors[:, 0, :, None, None]


def non_local(x: Any, w: dict[str, Any]) -> Any:
    flat = x.flatten(2).mT

    def linear(name: str, v: Any) -> Any:
        return F.linear(v, w[f"attention.{name}.weight"], w.get(f"attention.{name}.bias"))

    query, key, value = (linear(name, flat) for name in ("query", "key", "value"))
    y = linear("out", torch.softmax(query @ key.mT, 2) @ value)
    return x + _norm(w, "norm", y.mT.reshape(x.shape))


def coordinate(x: Any, w: dict[str, Any]) -> Any:
    strips = torch.cat([x.mean(3), x.mean(2)], 2)
    strips = F.hardswish(_norm(w, "bn1", F.conv1d(strips, w["conv1.weight"].flatten(2), w["conv1.bias"])))
    rows, columns = torch.split(strips, [x.shape[2], x.shape[3]], 2)
    high, wide = (
        torch.sigmoid(F.conv1d(part, w[f"{name}.weight"].flatten(2), w[f"{name}.bias"]))
        for part, name in ((rows, "conv_h"), (columns, "conv_w"))
    )
    return x * high[:, :, :, None] * wide[:, :, None]


def pyramid_pooling(x: Any, w: dict[str, Any]) -> Any:
    maps = [x]
    for i, size in enumerate((2, 3)):
        y = F.conv2d(F.adaptive_avg_pool2d(x, size), w[f"features.{i}.1.weight"])
        y = F.relu(_norm(w, f"features.{i}.2", y))
        maps.append(F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=True))
    return torch.cat(maps, 1)


def gated(x: Any, w: dict[str, Any]) -> Any:
    a, b = F.conv1d(x, w["conv.weight"], w["conv.bias"], padding=1).chunk(2, 1)
    return a * torch.sigmoid(b)


def rep_vgg(x: Any, w: dict[str, Any]) -> Any:
    dense = _norm(w, "rbr_dense.bn", F.conv2d(x, w["rbr_dense.conv.weight"], padding=1))
    point = _norm(w, "rbr_1x1.bn", F.conv2d(x, w["rbr_1x1.conv.weight"]))
    return F.relu(dense + point + _norm(w, "rbr_identity", x))


def _unit(w: dict[str, Any], name: str, x: Any) -> Any:
    kernel = w[f"{name}.conv.weight"]
    return F.silu(_norm(w, f"{name}.bn", F.conv2d(x, kernel, padding=kernel.shape[-1] // 2), 1e-3))


def sppf(x: Any, w: dict[str, Any]) -> Any:
    y = _unit(w, "cv1", x)
    maps = [y, *(F.max_pool2d(y, size, 1, size // 2) for size in (3, 5, 7))]
    return _unit(w, "cv2", torch.cat(maps, 1))


def c2f(x: Any, w: dict[str, Any]) -> Any:
    parts = list(_unit(w, "cv1", x).chunk(2, 1))
    for i in range(2):
        parts.append(parts[-1] + _unit(w, f"m.{i}.cv2", _unit(w, f"m.{i}.cv1", parts[-1])))
    return _unit(w, "cv2", torch.cat(parts, 1))


def image(file: str, call: str) -> Sample:
    return on_image(file, call)[0]


CASES: list[tuple[Sample, Callable[[Any, dict[str, Any]], Any]]] = [
    (image("attention", "CBAM(squeeze = 2, kernel = 3)"), cbam),
    (image("attention", "ECA"), eca),
    (image("attention", "ECA(kernel = 3)"), eca),
    (image("attention", "NonLocal(3)"), non_local),
    (
        on("attention", "CoordAttention", "input x: float32[N, 4, 5, 3]", "output x -> b: CoordAttention(squeeze = 3)"),
        coordinate,
    ),
    (image("pyramid", "PPM([2, 3], align_corners = true)"), pyramid_pooling),
    (on("gated", "GatedConv", "input x: float32[N, 4, L]", "output x -> b: GatedConv(3)", L=7), gated),
    (image("repvgg", "RepVGGBlock(4)"), rep_vgg),
    (image("yolo", "SPPF(3, 3)"), sppf),
    (image("yolo", "C2f(6, 2, shortcut = true)"), c2f),
]


@pytest.mark.parametrize(("sample", "formula"), CASES, ids=[sample.block for sample, _ in CASES])
def test_a_block_is_its_formula(sample: Sample, formula: Callable[[Any, dict[str, Any]], Any]) -> None:
    net = sample.net()
    arrays = inputs(net, {"N": 2, **sample.sizes})
    weights = {name.removeprefix("b."): torch.from_numpy(np.asarray(value)).double() for name, value in net.weights.items()}
    expected = formula(torch.from_numpy(arrays["x"]).double(), weights).numpy()
    (found,) = net.run(arrays, runtime="reference").values()
    assert scaled_error(found, expected) < 1e-5


@pytest.mark.parametrize(("channels", "kernel"), [(8, 3), (64, 3), (128, 5), (256, 5), (512, 5), (2048, 7)])
def test_the_kernel_of_eca_grows_with_the_channels(channels: int, kernel: int) -> None:
    """|log2(C) / 2 + 1 / 2|, rounded down, then up to an odd number, as the authors' code has it."""
    sample = on("attention", "ECA", f"input x: float32[N, {channels}, 2, 2]", "output x -> b: ECA")
    assert convspec.loads(sample.text()).module.graph.parameters()["b.conv.weight"].shape == (1, 1, kernel)


def test_wavenet_hears_only_the_past() -> None:
    body = ("y, skip = x -> b: CausalConvBlock(3, dilation = 2, skip = 5)", "output y, skip")
    net = on("gated", "CausalConvBlock", "input x: float32[N, 4, L]", *body).net()
    x = np.random.default_rng(0).standard_normal((1, 4, 9), np.float32)
    changed = x.copy()
    changed[:, :, 5] += 1
    for before, after in zip(
        net.run(x, runtime="reference").values(), net.run(changed, runtime="reference").values(), strict=True
    ):
        moved = np.flatnonzero(np.abs(after - before).max((0, 1)) > 1e-4)
        assert moved.tolist() == [5, 7]  # a kernel of 2 with a dilation of 2
