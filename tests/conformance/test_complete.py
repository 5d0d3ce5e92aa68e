"""That no cell is missing: every op, each of its attributes, on every number of spatial axes on which it works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, replace
from typing import Any

import pytest

from convspec import ops
from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.elaborate.walk import descendants
from convspec.ir import attrs as kinds
from convspec.ir.opdef import OpDef
from convspec.source import SourceFile
from convspec.syntax import ast, parse
from tests.conformance.catalogue import bad, cells, op_names
from tests.conformance.cell import Cell

RANKS = (1, 2, 3)


def find(name: str) -> OpDef:
    op = ops.find(name)
    assert op is not None
    return op


def test_every_op_has_cells() -> None:
    assert op_names() == sorted(ops.built_in())


@pytest.mark.parametrize("name", op_names())
def test_no_cell_is_missing(name: str) -> None:
    op, own = find(name), cells(name)
    seen = {(cell.rank, attribute, how) for cell in own for attribute, how in written(cell, op)}
    missing = [
        f"{attribute.name} {how} in {rank}-D"
        for rank in RANKS
        if works(name, rank)
        for attribute in op.attributes
        for how in wanted(attribute)
        if (rank, attribute.name, how) not in seen
    ]
    missing += [f"any cell in {rank}-D" for rank in RANKS if works(name, rank) and rank not in {cell.rank for cell in own}]
    assert not missing


@pytest.mark.parametrize("name", op_names())
def test_every_attribute_is_refused_something(name: str) -> None:
    missing = {attribute.name for attribute in find(name).attributes} - {case.attribute for case in bad(name)}
    assert not missing


def works(name: str, rank: int) -> bool:
    """Whether the op takes tensors with so many spatial axes: some cell of its own elaborates on them."""
    return any(cell.rank == rank or _elaborates(cell, rank) for cell in cells(name) if cell.rank > 0)


def _elaborates(cell: Cell, rank: int) -> bool:
    types = []
    for declared, array in zip(cell.types.values(), cell.arrays.values(), strict=True):
        shape = [*array.shape[:2], *[12] * rank] if array.ndim == cell.rank + 2 else array.shape
        types.append(f"{declared.partition('[')[0]}[{', '.join(map(str, shape))}]")
    try:
        loads(cell.spec_for(dict(zip(cell.types, types, strict=True))))
    except Failure:
        return False
    return True


def wanted(attribute: Field[Any]) -> Iterator[str]:
    """What must be seen of an attribute: both truths, every word, the default and something else."""
    kind = attribute.metadata["kind"]
    if isinstance(kind, kinds.Initialiser):
        return  # how weights begin says nothing of what a layer computes
    if isinstance(kind, kinds.Flag):
        yield from ("true", "false")
    elif isinstance(kind, kinds.Word):
        yield from kind.words
    elif isinstance(kind, kinds.Pads):
        yield from ("default",) if attribute.default is not MISSING else ()
        yield from ("symmetric", "asymmetric")
        yield from (word for word in kind.words if word != "causal")
    else:
        yield from ["default"] if attribute.default is not MISSING else []
        yield "other"


def written(cell: Cell, op: OpDef) -> Iterator[tuple[str, str]]:
    """What a cell shows of each attribute of `op`."""
    calls = [node for node in descendants(parse(SourceFile("cell.cnn", cell.spec))) if _calls(node, op.name)]
    nodes = [node for node in cell.module.graph.nodes if node.op.name == op.name]
    for attribute in op.attributes:
        given = [expr for call in calls if (expr := _argument(call, op, attribute.name)) is not None]
        yield from ((attribute.name, how) for expr in given for how in _shown(attribute, expr))
        for node in nodes:
            if not given:
                changed = getattr(node.attrs, attribute.name) != _resolved_default(op, attribute, node)
                yield attribute.name, "other" if changed else _default(attribute)


def _calls(node: object, name: str) -> bool:
    return isinstance(node, ast.Call | ast.StageCall) and node.function.text == name


def _argument(call: Any, op: OpDef, name: str) -> ast.Expr | None:
    for arg in call.args:
        if arg.name is not None and arg.name.text == name:
            return arg.value  # type: ignore[no-any-return]
    positional = [arg for arg in call.args if arg.name is None]
    if name not in op.positional:
        return None
    place = op.positional.index(name) - len(op.positional)
    last = positional[-len(op.positional) :] if len(positional) >= len(op.positional) else positional
    index = op.positional.index(name) if len(last) < len(op.positional) else place
    return last[index].value if -len(last) <= index < len(last) else None


def _shown(attribute: Field[Any], expr: ast.Expr) -> Iterator[str]:
    match expr:
        case ast.BoolLit(value=value):
            yield str(value).lower()
        case ast.NameRef(text=text):
            yield text
        case ast.StrLit(parts=(str() as text,)):
            yield text
        case ast.ListLit() if isinstance(attribute.metadata["kind"], kinds.Pads):
            yield "asymmetric" if any(isinstance(item, ast.ListLit) for item in expr.items) else "symmetric"
        case _ if isinstance(attribute.metadata["kind"], kinds.Pads):
            yield "symmetric"
    yield "other"


def _default(attribute: Field[Any]) -> str:
    kind = attribute.metadata["kind"]
    if isinstance(kind, kinds.Flag):
        return str(attribute.default).lower()
    if isinstance(kind, kinds.Word) or (isinstance(kind, kinds.Pads) and isinstance(attribute.default, str)):
        return str(attribute.default)
    return "default"


def _resolved_default(op: OpDef, attribute: Field[Any], node: Any) -> Any:
    """What the attribute would be if it were left out."""
    if attribute.default is MISSING or op.resolve is None:
        return attribute.default
    return getattr(op.resolve(replace(node.attrs, **{attribute.name: attribute.default}), *node.input_types), attribute.name)
