"""`conv` on every target: pads, strides, dilations and groups in 1-D, 2-D and 3-D; what it reads like; mistakes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from convspec.ir.dims import symbol
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Weight
from convspec.ir.opdef import AttrError, OpDef, ShapeError
from convspec.ir.types import TensorType
from convspec.ops import find
from tests.ops.cases import resolve
from tests.ops.harness import assert_close, check, reference
from tests.ops.oracle import EXACT, check_both, functional, noise, pad

N, H, W, h = symbol("N"), symbol("H"), symbol("W"), symbol("h")


def op() -> OpDef:
    found = find("conv")
    assert found is not None
    return found


def floats(*shape: Any) -> TensorType:
    return TensorType("float32", shape)


def formula(
    rank: int, stride: Any = 1, dilation: Any = 1, groups: int = 1, pads: list[tuple[int, int]] | None = None
) -> Callable[..., Any]:
    """Torch's convolution of an input that was padded before."""

    def run(x: Any, weight: Any, bias: Any = None) -> Any:
        padded = x if pads is None else pad(x, pads)
        return functional("conv", rank)(padded, weight, bias, stride=stride, dilation=dilation, groups=groups)

    return run


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_plain(rank: int) -> None:
    x = noise(2, 3, *(6, 7, 5)[:rank])
    check_both(formula(rank), "conv", {"filters": 4, "kernel": 3}, x)
    check_both(formula(rank, 2, pads=[(1, 1)] * rank), "conv", {"filters": 4, "kernel": 3, "stride": 2, "pad": 1}, x)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_attribute_at_once(rank: int) -> None:
    pads, stride, dilation = [(1, 2), (0, 1), (2, 0)][:rank], (2, 1, 3)[:rank], (2, 3, 1)[:rank]
    attrs = {"filters": 6, "kernel": (3, 2, 1)[:rank], "stride": stride, "dilation": dilation, "groups": 2, "pad": pads}
    x = noise(2, 4, *(9, 8, 7)[:rank])
    check_both(formula(rank, stride, dilation, 2, pads), "conv", {**attrs, "bias": False}, x)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_open_sizes(rank: int) -> None:
    attrs = {"filters": 4, "kernel": 3, "stride": 2, "pad": "same", "groups": 2}
    x = noise(2, 4, *(8, 6, 4)[:rank])
    case = check("conv", attrs, x, free={0: 1, **dict.fromkeys(range(2, 2 + rank), 2)})
    assert case.output_shapes == ((2, 4, *(4, 3, 2)[:rank]),)


@pytest.mark.parametrize(
    ("sizes", "kernel", "stride", "dilation"),
    [((8, 11), (4, 3), (3, 2), 1), ((8, 11), (4, 3), 1, 3), ((9, 9), 3, 2, 2), ((7, 10), 2, 1, 1), ((5, 6), 1, 2, 1)],
)
def test_same_is_what_tensorflow_means_by_it(sizes: tuple[int, int], kernel: Any, stride: Any, dilation: int) -> None:
    tf: Any = import_module("tensorflow")
    case = check(
        "conv", {"filters": 4, "kernel": kernel, "stride": stride, "dilation": dilation, "pad": "same"}, noise(2, 3, *sizes)
    )
    x, weight = case.arrays[0].transpose(0, 2, 3, 1), case.params["weight"].transpose(2, 3, 1, 0)
    expected = tf.nn.conv2d(x, weight, stride, "SAME", dilations=dilation).numpy() + case.params["bias"]
    assert_close(reference(case)[0], expected.transpose(0, 3, 1, 2), EXACT, str(case))


@pytest.mark.parametrize("n", [4, 8, 12])
def test_same_with_a_stride_beyond_the_kernel(n: int) -> None:
    case = check_both(formula(1, 4), "conv", {"filters": 2, "kernel": 1, "stride": 4, "pad": "same"}, noise(1, 3, n))
    assert case.output_shapes == ((1, 2, n // 4),)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise(rank: int, multiplier: int) -> None:
    attrs = {"filters": 3 * multiplier, "kernel": 3, "groups": 3, "pad": 1}
    pads = [(1, 1)] * rank
    check_both(formula(rank, groups=3, pads=pads), "conv", attrs, noise(2, 3, *(6, 5, 4)[:rank]))


HARD: list[tuple[int, dict[str, Any], tuple[int, ...]]] = [
    # the numbers are those of the formula: rank, its arguments, the input
    (2, {"stride": 2, "dilation": 2, "groups": 3}, (2, 3, 9, 9)),  # depthwise, multiplier 2
    (2, {"stride": (1, 2), "groups": 3}, (2, 3, 9, 9)),
    (2, {"stride": (4, 2), "dilation": (1, 3), "groups": 3}, (1, 3, 19, 17)),
    (1, {"stride": 2, "dilation": 3, "groups": 3}, (2, 3, 15)),
    (2, {"stride": 2, "dilation": 3}, (2, 4, 13, 11)),
    (2, {"dilation": 2, "groups": 2}, (1, 4, 8, 7)),
    (2, {"stride": 2, "kernel": 1}, (1, 4, 14, 14)),  # ended the process where oneDNN computed the weight's gradient
    (3, {"stride": 2, "dilation": 2, "groups": 2, "pads": [(1, 0), (0, 1), (2, 1)]}, (1, 4, 7, 7, 7)),
]


def check_hard(rank: int, arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    attrs = {name if name != "pads" else "pad": value for name, value in arguments.items()}
    given = {name: value for name, value in arguments.items() if name != "kernel"}
    check_both(formula(rank, **given), "conv", {"filters": 6, "kernel": 3, **attrs}, noise(*shape))


@pytest.mark.parametrize(("rank", "arguments", "shape"), HARD)
def test_stride_with_dilation_and_groups(rank: int, arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    check_hard(rank, arguments, shape)


def test_without_onednn() -> None:
    """TensorFlow's own kernels do less than oneDNN's, which are chosen when it is imported: another process."""
    script = "from tests.ops import test_conv, test_conv_transpose\n"
    script += "for i in (0, 1, 4, 5, -1): test_conv.check_hard(*test_conv.HARD[i])\n"
    script += "for i in (0, 1, 6): test_conv_transpose.check_hard(*test_conv_transpose.HARD[i])\n"
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


# ── what it reads like ───────────────────────────────────────────────────────────────────────────────────────


def lowered(target: Any, x: TensorType, **written: Any) -> Any:
    return op().lower[target](resolve(op(), {"filters": 64, "kernel": 3, **written}, x), x)


RESNET = floats(N, 3, 32 * h, 32 * h)


def test_pytorch_reads_as_a_person_writes() -> None:
    weights = {"weight": Weight("weight")}
    assert lowered("pytorch", RESNET, kernel=7, stride=2, pad=3, bias=False) == Apply(
        "nn.Conv2d", (3, 64, 7), {"stride": 2, "padding": 3, "bias": False}, weights=weights
    )
    both = weights | {"bias": Weight("bias")}
    assert lowered("pytorch", RESNET) == Apply("nn.Conv2d", (3, 64, 3), weights=both)
    assert lowered("pytorch", RESNET, kernel=(1, 7), pad="same") == Apply(
        "nn.Conv2d", (3, 64, (1, 7)), {"padding": (0, 3)}, weights=both
    )
    assert lowered("pytorch", floats(N, 3, 32 * h), stride=2, pad="same") == Apply(
        "nn.Conv1d", (3, 64, 3), {"stride": 2}, inputs=(Call("F.pad", (Arg(0), (0, 1))),), weights=both
    )


def test_keras_reads_as_a_person_writes() -> None:
    weights = {"kernel": Weight("weight", (2, 3, 1, 0))}
    assert lowered("tensorflow", RESNET, kernel=7, stride=2, pad=3, bias=False) == Apply(
        "layers.Conv2D",
        (64, 7),
        {"strides": 2, "use_bias": False},
        inputs=(Apply("layers.ZeroPadding2D", (3,)),),
        weights=weights,
    )
    both = weights | {"bias": Weight("bias")}
    assert lowered("tensorflow", RESNET, pad=1) == Apply("layers.Conv2D", (64, 3), {"padding": "same"}, weights=both)
    assert lowered("tensorflow", RESNET, stride=2, pad="same") == Apply(
        "layers.Conv2D", (64, 3), {"strides": 2, "padding": "same"}, weights=both
    )


def test_keras_depthwise() -> None:
    found = lowered("tensorflow", floats(N, 32, H, W), kernel=5, pad=2, groups=32)
    kernel = Weight("weight", (2, 3, 0, 1), (32, 2, 5, 5))
    weights = {"kernel": kernel, "bias": Weight("bias")}
    assert found == Apply("layers.DepthwiseConv2D", (5,), {"padding": "same", "depth_multiplier": 2}, weights=weights)


# ── shapes, parameters, cost ─────────────────────────────────────────────────────────────────────────────────


def test_symbolic_sizes() -> None:
    def size(x: TensorType, **written: Any) -> str:
        return str(op().infer(resolve(op(), {"filters": 64, **written}, x), x))

    assert size(RESNET, kernel=7, stride=2, pad=3) == "float32[N, 64, 16*h, 16*h]"
    assert size(floats(N, 3, H), kernel=1, stride=2) == size(floats(N, 3, H), kernel=3, stride=2, pad=1)
    assert size(floats(N, 3, H), kernel=1, stride=2) == size(floats(N, 3, H), kernel=1, stride=2, pad="same")


def test_parameters() -> None:
    x = floats(N, 12, 8, 8)
    params = op().params
    assert params is not None
    found = params(resolve(op(), {"filters": 6, "kernel": (3, 5), "groups": 3}, x), x)
    assert {role: spec.shape for role, spec in found.items()} == {"weight": (6, 4, 3, 5), "bias": (6,)}
    assert found["weight"].init == Init("kaiming_uniform", fan_in=60, fan_out=30, gain=sqrt(2))
    assert (found["bias"].init.name, found["bias"].init.value) == ("uniform", 1 / sqrt(60))
    given = params(resolve(op(), {"filters": 6, "kernel": 3, "init": "xavier_normal", "bias": False}, x), x)
    assert given.keys() == {"weight"}
    assert given["weight"].init == Init("xavier_normal", fan_in=108, fan_out=54)


def test_cost_of_the_first_layer_of_alexnet() -> None:
    x = floats(1, 3, 227, 227)
    count = op().cost
    assert count is not None
    cost = count(resolve(op(), {"filters": 96, "kernel": 11, "stride": 4}, x), x)
    assert (cost.macs, cost.flops) == (105_415_200, 290_400)


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────


def mistake(x: TensorType, **written: Any) -> Any:
    with pytest.raises((AttrError, ShapeError)) as caught:
        op().infer(resolve(op(), {"filters": 6, "kernel": 3, **written}, x), x)
    return caught.value


def test_a_kernel_that_does_not_fit() -> None:
    found = mistake(floats(N, 3, 7, 7), kernel=5, dilation=2)
    assert (found.code, found.message) == ("CNN032", "kernel 5x5 (dilated 9x9) does not fit into 7x7")
    assert found.inputs == {0: "height 7, and `conv` needs 9"}
    found = mistake(floats(N, 3, 9, 3), kernel=7, pad=1)
    assert found.message == "kernel 7x7 does not fit into 9x3 (padded 11x5)"
    assert found.inputs == {0: "width 3, and `conv` needs 5"}


def test_a_kernel_that_may_not_fit() -> None:
    found = mistake(floats(N, 3, H, 32), kernel=7, pad=1)
    assert (found.code, found.message) == ("CNN032", "kernel 7x7 may not fit into H x 32 (padded H + 2 x 34)")
    assert found.hint == "declare `H >= 5` in the input"
    found = mistake(floats(N, 3, 2 * H), kernel=5)
    assert found.hint == "declare the input so that the length 2*H is always at least 5"


def test_same_that_depends_on_a_size() -> None:
    found = mistake(floats(N, 3, H, 32), stride=2, pad="same")
    assert (found.code, found.inputs) == ("CNN033", {0: "height H"})
    assert found.message == "`pad = same` at stride 2 pads differently for different values of the height H"
    assert found.equality.condition == "H is even"


def test_groups_that_do_not_divide() -> None:
    found = mistake(floats(N, 4, 8), groups=3)
    assert (found.code, found.attribute) == ("CNN036", "groups")
    assert found.message == "4 input channels cannot be split into 3 groups"
    assert mistake(floats(N, 4, 8), groups=4).message == "6 filters cannot be split into 4 groups"


def test_inputs_of_the_wrong_kind() -> None:
    found = mistake(floats(N, 10))
    assert (found.code, found.inputs) == ("CNN030", {0: "float32[N, 10]"})
    assert found.message == "`conv` takes a tensor with batch, channels and one to three spatial axes, not one of rank 2"
    assert mistake(floats(N, symbol("C"), 8)).code == "CNN033"
    assert mistake(floats(N, 3, 8), kernel=(3, 3)).message == "`kernel` has 2 numbers (3x3) for an input with 1 spatial axis"
    assert mistake(floats(N, 3, 8, 8), pad=[1]).attribute == "pad"
