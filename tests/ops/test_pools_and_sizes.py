"""Pools and resizing in ways that a single cell cannot show: sweeps over sizes, half precision, layers that fit together."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

import convspec
from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.ir.lowering import Arg, Call
from convspec.ir.types import Array, TensorType
from convspec.ops import find
from convspec.ops._resizing_targets import _torch_nearest_is_exact as native_nearest
from convspec.targets.pytorch.package import to_torch
from tests.ops.cases import resolve
from tests.ops.harness import KerasNet, OnnxNet, TorchNet, check, prepare, reference, scaled_error
from tests.ops.oracle import noise, ties


def outputs(op: str, attrs: dict[str, Any], x: Array) -> dict[str, Array]:
    """What the three targets give in float32."""
    case = prepare(op, attrs, [x])
    return {
        "PyTorch": TorchNet(case, "float32").run(gradients=False).outputs[0],
        "Keras": KerasNet(case, "float32").run(gradients=False).outputs[0],
        "ONNX Runtime": OnnxNet(case).run()[0],
    }


# ── resizing ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_torch_interpolates_itself_exactly_where_it_may() -> None:
    """All pairs of sizes to 64: where torch computes the nearest cell, it is cell i * n // m. Some pairs it gets wrong."""
    torch: Any = import_module("torch")
    drifting = []
    for n in range(1, 65):
        line = torch.arange(float(n)).reshape(1, 1, n)
        for m in range(1, 65):
            found = torch.nn.functional.interpolate(line, m).long().ravel().tolist()
            right = found == [i * n // m for i in range(m)]
            assert right or not native_nearest(n, m), f"{n} to {m}"
            if not right:
                drifting.append((n, m))
    assert (26, 22) in drifting


@pytest.mark.parametrize(("n", "m"), [(26, 22), (14, 46), (2, 41), (46, 14), (1, 7), (97, 53)])
def test_nearest_takes_the_same_cells_everywhere(n: int, m: int) -> None:
    for who, found in outputs("resize", {"size": m}, np.arange(float(n)).reshape(1, 1, n)).items():
        assert found.ravel().tolist() == [i * n // m for i in range(m)], who


@pytest.mark.parametrize(("n", "m"), [(1000, 3001), (700, 300), (513, 257), (900, 901)])
@pytest.mark.parametrize("align_corners", [False, True])
def test_positions_stay_exact_far_out(n: int, m: int, align_corners: bool) -> None:
    """In float32 positions would be off by 1e-5 to 1e-4 of a cell here."""
    attrs = {"size": m, "mode": "linear", "align_corners": align_corners}
    x = noise(1, 1, n)
    expected = reference(prepare("resize", attrs, [x]))[0]
    for who, found in outputs("resize", attrs, x).items():
        assert scaled_error(found, expected) < 5e-7, who


def test_a_factor_is_the_fraction_that_was_meant() -> None:
    def size(n: int, factor: float) -> Any:
        x = TensorType("float32", (1, 1, n))
        op = find("resize")
        assert op is not None
        inferred = op.infer(resolve(op, {"factor": factor}, x), x)
        assert isinstance(inferred, TensorType)
        return inferred.shape[2]

    assert [size(n, 0.1) for n in (10, 19, 30)] == [1, 1, 3]
    assert [size(n, 1 / 3) for n in (3, 8, 300)] == [1, 2, 100]
    assert [size(n, 1.5) for n in (2, 3)] == [3, 4]


def test_resize_reads_as_a_person_writes() -> None:
    def lowered(target: Any, **attrs: Any) -> Any:
        x = TensorType("float32", (4, 3, 32, 48))
        op = find("resize")
        assert op is not None
        return op.lower[target](resolve(op, attrs, x), x)

    assert lowered("pytorch", size=(64, 64), mode="linear") == Call(
        "F.interpolate", (Arg(0),), {"size": 64, "mode": "bilinear"}
    )
    assert lowered("pytorch", factor=2) == Call("F.interpolate", (Arg(0),), {"scale_factor": 2})
    assert lowered("pytorch", size=(16, 8), mode="cubic", antialias=True) == Call(
        "F.interpolate", (Arg(0),), {"size": (16, 8), "mode": "bicubic", "antialias": True}
    )
    assert lowered("pytorch", size=(32, 48), mode="cubic") == Arg(0)
    assert lowered("tensorflow", size=(16, 8), mode="linear") == Call(
        "helpers.resize", (Arg(0),), {"size": (16, 8), "mode": "linear"}
    )


# ── pools ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("op", ["adaptive_avgpool", "adaptive_maxpool"])
def test_adaptive_windows_of_all_small_sizes(op: str) -> None:
    """Against PyTorch's, over open sizes, where windows are counted at run time."""
    torch: Any = import_module("torch")
    pool = getattr(
        torch.nn.functional, {"adaptive_avgpool": "adaptive_avg_pool1d", "adaptive_maxpool": "adaptive_max_pool1d"}[op]
    )
    for size in (1, 2, 3, 5):
        net = KerasNet(prepare(op, {"size": size}, [noise(1, 1, 4)], free={2: 1}), "float64")
        for n in range(1, 10):
            x = ties(1, 1, n) + noise(1, 1, n) * (op == "adaptive_avgpool")
            found = net.run((x,), gradients=False).outputs[0]
            np.testing.assert_allclose(found, pool(torch.tensor(x), size).numpy(), atol=1e-12)


SEGNET = """
model SegNet {
    input x: float32[N, 2, 2*h, 2*w + 1]
    y, places = x -> maxpool(2x2, indices = true)
    output back = y * 2 -> max_unpool(places, 2x2, like = x)
}
"""


@pytest.mark.parametrize("runtime", ["reference", "onnxruntime", "pytorch", "tensorflow"])
def test_unpooling_puts_the_largest_back(runtime: Any) -> None:
    x = ties(2, 2, 4, 7)
    found = convspec.Net(loads(SEGNET), {}).run({"x": x.astype("float32")}, runtime=runtime)["back"]
    expected = np.zeros_like(x)
    for n, c, i, j in np.ndindex(2, 2, 2, 3):
        window = x[n, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        row, column = divmod(int(window.argmax()), 2)
        expected[n, c, 2 * i + row, 2 * j + column] = 2 * window.max()
    np.testing.assert_array_equal(found, expected)


def test_indices_of_one_dtype_everywhere() -> None:
    case = check(
        "maxpool", {"kernel": 3, "stride": 2, "pad": 1, "ceil": True, "indices": True}, ties(1, 2, 6, 7), gradients=False
    )
    for found in (reference(case)[1], KerasNet(case, "float32").run(gradients=False).outputs[1], OnnxNet(case).run()[1]):
        assert found.dtype == np.int64
        assert found.max() > 7, "a position in the plane, not in the window or the row"


def test_blurring_has_nothing_to_learn() -> None:
    module = loads("model M { input x: float32[N, 3, 8, 8]\n output y = x -> blurpool -> resize(9x9, mode = cubic) }")
    assert not to_torch(module).state_dict()
    assert not module.graph.parameters()


HALF = [
    ("avgpool(300x300)", np.ones((1, 1, 300, 300)), 1.0),
    ("adaptive_avgpool(1x2)", np.ones((1, 1, 300, 300)), 1.0),
    ("adaptive_avgpool(7x7)", np.full((1, 1, 300, 300), 1000.0), 1000.0),
    ("global_avgpool", np.ones((1, 1, 300, 300)), 1.0),
    ("lppool(10x10)", np.full((1, 1, 20, 20), 300.0), 3000.0),
    ("resize(3x5, mode = linear, antialias = true)", np.full((1, 1, 300, 300), 1000.0), 1000.0),
    ("avgpool(2x16x16)", np.full((1, 1, 2, 32, 32), 1000.0), 1000.0),
]


@pytest.mark.parametrize(("text", "x", "value"), HALF, ids=[text for text, _, _ in HALF])
@pytest.mark.parametrize("runtime", ["pytorch", "tensorflow"])
def test_sums_do_not_overflow_in_half_precision(text: str, x: Array, value: float, runtime: Any) -> None:
    shape = ", ".join(map(str, x.shape))
    module = loads(f"model M {{ input x: float16[{shape}]\n output y = x -> {text} }}")
    found = convspec.Net(module, {}).run({"x": x.astype("float16")}, runtime=runtime)["y"]
    assert found.dtype == np.float16
    np.testing.assert_allclose(found.astype("float64"), value, rtol=1e-3)


@pytest.mark.parametrize(
    ("pool", "unpool", "code", "words"),
    [
        ("maxpool(2, indices = true)", "max_unpool(places, 2)", "CNN031", ("7x7", "6x6", "like = x")),
        ("maxpool(3, indices = true)", "max_unpool(places, 2, like = x)", "CNN031", ("height 7 into 2",)),
        ("maxpool(1x2, stride = 4, indices = true)", "max_unpool(places, 2x1, stride = 4, like = x)", "CNN045", ("2x1", "1x2")),
        ("maxpool(2, stride = 3, indices = true)", "max_unpool(places, 2)", "CNN045", ("stride", "2x2", "3x3")),
        (
            "maxpool(2, pad = 1, indices = true)",
            "max_unpool(places, 2, pad = [[0, 1], [0, 1]], like = x)",
            "CNN045",
            ("0x0", "1x1"),
        ),
        ("maxpool(2, stride = 2, dilation = 2, indices = true)", "max_unpool(places, 2, like = x)", "CNN045", ("dilated",)),
    ],
)
def test_only_the_pool_that_gave_the_indices_is_undone(pool: str, unpool: str, code: str, words: tuple[str, ...]) -> None:
    """Indices count the cells of what was pooled: in another plane they would name others, and frameworks differ on which."""
    text = f"model M {{ input x: float32[N, 2, 7, 7]\n y, places = x -> {pool}\n output back = y -> {unpool}\n}}"
    with pytest.raises(Failure) as caught:
        loads(text)
    told = caught.value.diagnostics[0]
    assert told.code == code
    said = " ".join([told.message, told.hint or "", *(label.text for label in told.related)])
    assert all(word in said for word in words), said
