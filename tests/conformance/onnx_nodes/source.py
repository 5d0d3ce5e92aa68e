"""Reads the cases of the onnx package: a model, its inputs, what comes out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

CONVERTED = ("pytorch-converted", "pytorch-operator")
"""Folders of the package with networks that PyTorch has exported."""


@dataclass(frozen=True, eq=False)
class Case:
    """One network. `known` holds the inputs and the stored tensors by name; `expected` the outputs in order."""

    name: str
    nodes: tuple[Any, ...]
    opset: int
    known: Mapping[str, Any]
    stored: frozenset[str]
    outputs: tuple[str, ...]
    expected: tuple[Any, ...] = field(repr=False)


def data_folder() -> Path:
    import onnx

    return Path(onnx.__file__).parent / "backend" / "test" / "data"


@cache
def _modules() -> Mapping[str, str]:
    """The source of every module of operator tests."""
    from onnx.backend.test.case import node as package

    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(package.__file__).parent.glob("*.py"))}


@cache
def node_cases(op_type: str) -> Mapping[str, Case]:
    """The cases of one operator by name, without those that write it out in terms of others."""
    return {case.name: case for case in _collected(op_type)}


def _collected(op_type: str) -> Iterable[Case]:
    """Only the modules that name the operator are imported: each computes its cases when it is."""
    from onnx.backend.test.case import node as package

    for name, text in _modules().items():
        if f'"{op_type}"' in text:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import_module(f"{package.__name__}.{name}")
    for case in package._NodeTestCases:
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type == op_type and "_expanded" not in case.name:
            (inputs, outputs), *more = case.data_sets
            assert not more, f"{case.name} has further data, which nothing here looks at"
            yield _case(case.name.removeprefix("test_"), case.model, inputs, outputs)


@cache
def converted_names(folder: str) -> tuple[str, ...]:
    return tuple(sorted(path.name.removeprefix("test_") for path in (data_folder() / folder).iterdir()))


def converted_case(folder: str, name: str) -> Case:
    """A network that PyTorch exported, with its only set of data."""
    import onnx

    path = data_folder() / folder / f"test_{name}"
    assert [found.name for found in path.glob("test_data_set_*")] == ["test_data_set_0"], f"{name} has further data"

    def tensors(what: str) -> list[Any]:
        count = len(list((path / "test_data_set_0").glob(f"{what}_*.pb")))
        return [onnx.load_tensor(path / "test_data_set_0" / f"{what}_{index}.pb") for index in range(count)]

    return _case(name, onnx.load(path / "model.onnx"), tensors("input"), tensors("output"))


def _case(name: str, model: Any, inputs: Iterable[Any], outputs: Iterable[Any]) -> Case:
    graph = model.graph
    stored = {tensor.name: _array(tensor) for tensor in graph.initializer}
    names = [value.name for value in graph.input if value.name not in stored]
    known = {name: _array(found) for name, found in zip(names, inputs, strict=True)}
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    results = tuple(value.name for value in graph.output)
    expected = tuple(map(_array, outputs))
    assert len(results) == len(expected), f"{name}: {len(results)} outputs, but data for {len(expected)}"
    return Case(name, tuple(graph.node), opset, known | stored, frozenset(stored), results, expected)


def _array(found: Any) -> Any:
    """An array; a sequence stays a list."""
    from onnx import TensorProto, numpy_helper

    if isinstance(found, TensorProto):
        return numpy_helper.to_array(found)
    return found if found is None or isinstance(found, list) else np.asarray(found)


__all__ = ["CONVERTED", "Case", "converted_case", "converted_names", "node_cases"]
