"""What makes a runtime fast on CUDA does not change what it computes, also not for the second batch of data."""

from __future__ import annotations

import pytest

from convspec import loads
from tests.gpu.helpers import case_of, error, runs_on

TRUNK = """model Trunk {
    input image: float32[N, 3, 32, 32]
    x = image -> conv(16, 3x3, pad = 1) -> batchnorm -> relu -> maxpool(2x2)
    y = x -> conv(16, 3x3, pad = 1, groups = 4) -> gelu
    z = x -> conv(16, 1x1) -> hardswish
    output logits = y + z -> global_avgpool -> flatten -> linear(10)
}
"""
WAYS = [
    ("onnxruntime", ()),
    ("onnxruntime", ("cuda_graph",)),
    ("onnxruntime", ("channels_last",)),
    ("pytorch", ()),
    ("pytorch", ("channels_last",)),
    ("pytorch", ("channels_first",)),
    ("pytorch", ("compile",)),
    ("pytorch", ("cuda_graph",)),
    ("pytorch", ("compile", "cuda_graph")),
    ("tensorflow", ()),
    ("tensorflow", ("compile",)),
]


@pytest.mark.gpu
@pytest.mark.parametrize(("runtime", "switches"), WAYS, ids=[":".join((r, "+".join(s))) for r, s in WAYS])
def test_the_same_for_one_batch_and_the_next(runtime: str, switches: tuple[str, ...]) -> None:
    """A graph that was recorded must compute on the new data, not on those it was recorded with."""
    if not runs_on(runtime, "cuda"):
        pytest.skip(f"{runtime} does not run on CUDA here")
    net = loads(TRUNK)
    first = case_of(net)
    assert error(first, runtime, "cuda", switches) <= 1e-5
    other = case_of(net, seed=1)
    moved = type(first)(first.net, other.arrays, {"logits": first.net.run(other.arrays, "reference")["logits"]})
    assert error(moved, runtime, "cuda", switches) <= 1e-5


@pytest.mark.gpu
def test_tf32_is_off_unless_asked_for() -> None:
    """In a product long enough to show it: TF32 is off by about a thousandth, fp32 by less than a hundred-thousandth."""
    net = loads("model Wide {\n    input x: float32[N, 4096]\n    output y = x -> linear(512)\n}\n")
    case = case_of(net)
    for runtime in ("onnxruntime", "pytorch"):
        if runs_on(runtime, "cuda"):
            exact, rounded = (error(case, runtime, "cuda", tf32=allowed) for allowed in (False, True))
            assert exact < 1e-5, runtime
            assert rounded < 1e-2, runtime
