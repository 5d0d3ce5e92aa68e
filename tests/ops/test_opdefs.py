"""What holds for every op, found by discovery."""

from __future__ import annotations

import inspect
from dataclasses import MISSING

import pytest

from convspec import ops
from convspec.ir.attrs import Kind
from convspec.ir.opdef import OpDef
from convspec.ir.types import DTYPES


def op(name: str) -> OpDef:
    found = ops.find(name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ops.names())
def test_an_op_is_complete(name: str) -> None:
    found = op(name)
    assert found.name == name
    assert set(found.lower) == {"onnx", "pytorch", "tensorflow"}
    assert set(found.dtypes) <= set(DTYPES)
    assert found.summary
    assert not found.summary.endswith(".")
    assert found.attrs.__doc__


@pytest.mark.parametrize("name", ops.names())
def test_attributes_are_documented_and_read_by_a_kind(name: str) -> None:
    found = op(name)
    assert len(found.positional) <= 2
    assert found.positional == tuple(f.name for f in found.attributes[: len(found.positional)]), "positional ones stand first"
    for attribute in found.attributes:
        assert isinstance(attribute.metadata["kind"], Kind)
        assert attribute.metadata["doc"].endswith("."), f"{name}.{attribute.name}"
        assert attribute.default is not MISSING or attribute.metadata["positional"], "what must be given may be positional"


@pytest.mark.parametrize("name", ops.names())
def test_the_module_says_what_the_op_means(name: str) -> None:
    doc = inspect.getmodule(op(name).evaluate) and __import__(f"convspec.ops.{name}", fromlist=["OP"]).__doc__
    assert doc


def test_an_op_that_is_not_there() -> None:
    assert ops.find("convv") is None
    assert ops.find("_axes") is None
