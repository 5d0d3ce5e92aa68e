"""What the passes made of a network runs on every target, and gives there what the network's reference gave before."""

from __future__ import annotations

import numpy as np
import pytest

from convspec import api
from convspec.passes import optimise
from convspec.runtime.base import TARGETS, Network, RunOptions, find_runtime
from convspec.runtime.reference import evaluate
from convspec.verify.inputs import draw
from convspec.weights.randomised import randomised
from tests.passes.proving import spec

X = "input x: float32[N, 4, 9, 11]\n"
IMAGENET = "normalize(mean = [0.4, 0.5, 0.6], std = [0.2, 0.3, 0.1])"

SPECS = {
    "fold_batchnorm": (
        "output x -> conv(6, 3x3, bias = false) -> batchnorm -> relu -> depthwise_conv(3x3, pad = 1) -> batchnorm"
        " -> conv_transpose(4, 3x3, stride = 2, groups = 2) -> batchnorm -> separable_conv(5, 3x3) -> batchnorm"
    ),
    "fold_scales": (
        "layer g = parameter([1, 6, 1, 1], init = ones)\noutput ((x -> linear(6, axis = channels)) * g + 1 -> relu) / 3"
        " -> conv(4, 3x3, pad = 1)"
    ),
    "fold_pads": (
        "y = x -> pad([[1, 0], [2, 1]]) -> conv(4, 3x3, stride = 2) -> relu -> pad(1) -> maxpool(3x3)\n"
        "output y -> pad(1, mode = reflect) -> conv(4, 2x2) -> pad(1) -> avgpool(2x2)"
    ),
    "fold_constants": (
        "layer p = parameter([1, 4, 9, 11], init = ones)\nlayer q = parameter([1, 4, 1, 1], init = ones)\n"
        "output (x + (p -> sigmoid -> conv(4, 3x3, pad = 1))) * (q -> exp) -> ws_conv(4, 3x3)"
    ),
    "a constant that is an output": "layer p = parameter([1, 4, 3, 2], init = ones)\noutput a = p -> exp\noutput b = x -> relu",
    "merge_scales": "output a = ((x / 255 - 0.5) / 0.25) -> relu\noutput b = (x * 3 + 1) -> conv(4, 3x3, pad = 1)",
    "one batch norm of several": "output ((x -> batchnorm(scale = false)) * 2 - 1 -> batchnorm) -> relu",
    "merge_common": "output (x -> relu -> exp) + (x -> relu -> exp)\noutput same = x -> relu",
    "simplify_views": (
        "output x -> reshape([2, 2, 9, 11]) -> reshape([4, 99]) -> permute([0, 2, 1]) -> permute([0, 2, 1]) -> unsqueeze(2)"
    ),
    "simplify_clips": "output x -> clip(-1, 9) -> clip(0, 12) -> relu6 -> relu -> maxpool(2x2) -> relu",
    "remove_identities": "output same = x -> identity\noutput x -> dropout -> upsample(1) -> resize(like = x) -> exp",
    "remove_dead": "y = x -> conv(8, 3x3) -> batchnorm\nlayer p = parameter([1, 4, 1, 1], init = ones)\noutput x * p",
    "symbolic sizes": (
        "input z: float32[N, 3, h + 8, w + 8]\noutput x\n"
        f"output b = z -> {IMAGENET} -> conv(4, 3x3, pad = 1, pad_mode = replicate) -> batchnorm"
        " -> reshape([2, 2, z.height, z.width]) -> flatten -> relu -> relu"
    ),
    "fold_inputs": f"input z: uint8[N, 3, 9, 11]\noutput x\noutput b = z -> {IMAGENET} -> conv(4, 3x3, pad = 1) -> batchnorm",
    "fold_inputs without padding": f"input z: uint8[N, 3, 9, 11]\noutput x\noutput b = z -> {IMAGENET} -> conv(4, 3x3)",
}


@pytest.mark.parametrize("runtime", ["onnxruntime", "pytorch", "tensorflow"])
@pytest.mark.parametrize("body", SPECS.values(), ids=SPECS)
def test_optimised_networks_run_everywhere(body: str, runtime: str) -> None:
    pytest.importorskip({"pytorch": "torch"}.get(runtime, runtime))
    net = api.loads(spec(X + body))
    weights = randomised(net.module.graph, 1)
    found = optimise(net.module, weights, 1, TARGETS[runtime])
    assert found.report.changes
    at = {name: 2 if name == "N" else 1 for name in net.module.graph.symbols()}
    arrays = draw(net.module.graph, at)
    expected = evaluate(net.module.graph, weights, arrays).outputs
    session = find_runtime(runtime).open(Network(found.module, found.weights), RunOptions(device="cpu"))
    outputs = session.run(arrays)
    assert set(outputs) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(outputs[name], array, rtol=2e-5, atol=2e-5 * float(np.abs(array).max()))
