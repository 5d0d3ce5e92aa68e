"""That the matrix can fail: a small mistake in any lowering that has room for it is found by a cell of that op."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from convspec import ops
from convspec.ir.opdef import OpDef, TargetName
from tests.conformance import check as checks
from tests.conformance.catalogue import cells, op_names
from tests.conformance.cell import Cell
from tests.conformance.mutations import MUTATORS, broken, mutated

TARGETS: tuple[TargetName, ...] = ("onnx", "pytorch", "tensorflow")


def find(name: str) -> OpDef:
    op = ops.find(name)
    assert op is not None
    return op


def touched(op: OpDef, target: TargetName, mutator: str) -> Iterator[Cell]:
    """The cells of an op whose lowering has room for the mistake."""
    for cell in cells(op.name):
        if target in cell.impossible or (cell.training and target == "onnx"):
            continue
        trees = [n.op.lower[target](n.attrs, *n.input_types) for n in cell.module.graph.nodes if n.op.name == op.name]
        if any(mutated(tree, MUTATORS[mutator]) != tree for tree in trees):
            yield cell


def fails(cell: Cell, target: TargetName) -> bool:
    """Whether the cell finds something wrong."""
    checks.torch_exact.cache_clear()
    try:
        checks.check(cell, target)
    except Exception:  # a wrong number, or code that does not run
        return True
    finally:
        checks.torch_exact.cache_clear()
    return False


@pytest.mark.parametrize("mutator", MUTATORS)
@pytest.mark.parametrize("name", op_names())
def test_a_mistake_is_found(name: str, mutator: str) -> None:
    op = find(name)
    for target in TARGETS:
        candidates = list(touched(op, target, mutator))
        with broken(op, target, MUTATORS[mutator]):
            found = not candidates or any(fails(cell, target) for cell in candidates)
        assert found, f"no cell of {name} notices a wrong {mutator} on {target}"


def test_mistakes_have_room() -> None:
    """Each kind of mistake fits into some lowering for each target, so that the test above says something."""
    for mutator, names in {
        "pads": ("conv", "maxpool"),
        "dilation": ("conv",),
        "epsilon": ("batchnorm",),
    }.items():
        for target in TARGETS:
            assert any(list(touched(find(name), target, mutator)) for name in names), f"{mutator} on {target}"
    assert list(touched(find("conv"), "tensorflow", "permutation"))
