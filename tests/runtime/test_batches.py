"""How many pictures go in together: held against sums by hand, for specs and for compiled files."""

from __future__ import annotations

from pathlib import Path

import pytest

from convspec.analysis.memory import activation_memory
from convspec.api import loads
from convspec.ir.graph import Graph
from convspec.runtime import batches
from convspec.runtime.base import ModelFile
from convspec.runtime.batches import MOST_ON_CPU, MOST_ON_GPU, Memory, memory_of
from convspec.runtime.onnxmemory import peak_of
from convspec.runtime.signature import signature_of
from tests.runtime.helpers import network

PLAIN = """model Plain {
    input image: float32[N, 1, 8, 8]
    output image -> conv(4, 3x3, pad = 1) -> relu -> flatten -> linear(2)
}
"""
OPEN = PLAIN.replace("8, 8]", "4*h, 2*w]").replace("flatten -> linear(2)", "avgpool(2x2)")
SHAPE = (1, 8, 8)
EACH = 2 * 2 * 4 * 64 * 4 + 2 * 64 * 4 + 2 * 2 * 4
"""At the peak relu's input and output are there; one input waits, one is of this batch; outputs are there twice."""


def memory(text: str, budget: int, device: str = "cpu", wide: bool = False) -> Memory:
    program = network(text)
    return memory_of(program, signature_of(program.module.graph), device, budget, wide)


def test_a_picture_takes_what_is_said() -> None:
    assert memory(PLAIN, 1).each(SHAPE) == EACH
    assert memory(PLAIN, 1, wide=True).each(SHAPE) == 2 * 2 * 2 * 4 * 64 * 4 + 2 * 64 * 4 + 2 * 2 * 4


@pytest.mark.parametrize(
    ("budget", "batch"), [(1, 1), (EACH - 1, 1), (2 * EACH - 1, 1), (2 * EACH, 2), (7 * EACH + 5, 7), (10**12, MOST_ON_CPU)]
)
def test_the_budget_decides(budget: int, batch: int) -> None:
    assert memory(PLAIN, budget).largest(SHAPE) == batch


def test_a_gpu_takes_more() -> None:
    assert memory(PLAIN, 10**12, "cuda:1").largest(SHAPE) == MOST_ON_GPU


def test_what_does_not_grow_with_the_batch_is_not_counted_for_each() -> None:
    """A table that is expanded to the batch grows; the parameter itself does not. The larger of the two is taken."""
    found = memory(PLAIN, 100 * EACH)
    graph = network(PLAIN).module.graph
    assert 2 * (_peak(graph, 9) - _peak(graph, 8)) + 2 * 256 + 16 == found.each(SHAPE)


def _peak(graph: Graph, count: int) -> int:
    peak = activation_memory(graph, {"N": count})
    assert isinstance(peak, int)
    return peak


def test_larger_pictures_go_in_by_fewer() -> None:
    found = memory(OPEN, 100_000)
    small, large = found.each((1, 8, 8)), found.each((1, 64, 64))
    assert small is not None and large is not None
    assert large == 64 * small
    assert (found.largest((1, 8, 8)), found.largest((1, 64, 64))) == (min(MOST_ON_CPU, 100_000 // small), 1)


def test_a_picture_that_does_not_fit_is_not_estimated() -> None:
    assert memory(OPEN, 1000).each((1, 7, 8)) is None
    assert memory(OPEN, 1000).largest((1, 7, 8)) == 16


def test_a_declared_batch_is_the_batch() -> None:
    assert memory(PLAIN.replace("[N,", "[3,"), 1).largest(SHAPE) == 3


def test_a_compiled_file_takes_what_its_spec_does(tmp_path: Path) -> None:
    for text, sizes in ((PLAIN, {"N": 5}), (OPEN, {"N": 5, "h": 3, "w": 5})):
        net = loads(text)
        net.to_onnx(tmp_path / "m.onnx")
        peak = peak_of(tmp_path / "m.onnx")
        assert peak is not None
        # The same network: ONNX may hold a shape or a constant more.
        assert peak(sizes) == pytest.approx(float(str(activation_memory(net.module.graph, sizes))), rel=0.02)
        found = memory_of(ModelFile(tmp_path / "m.onnx"), signature_of(net.module.graph), "cpu", 10**6, wide=False)
        assert found.each((1, 12, 10) if text == OPEN else SHAPE) is not None


def test_a_file_without_shapes_is_inferred(tmp_path: Path) -> None:
    import onnx

    net = loads(PLAIN)
    net.to_onnx(tmp_path / "m.onnx")
    model = onnx.load(str(tmp_path / "m.onnx"))
    del model.graph.value_info[:]
    onnx.save(model, str(tmp_path / "bare.onnx"))
    whole, bare = peak_of(tmp_path / "m.onnx"), peak_of(tmp_path / "bare.onnx")
    assert whole is not None and bare is not None
    assert bare({"N": 4}) == whole({"N": 4})


def test_what_is_no_model_is_not_estimated(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"junk")
    assert peak_of(tmp_path / "m.onnx") is None
    assert batches.DEFAULT_MEMORY == 2_000_000_000
