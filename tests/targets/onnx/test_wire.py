"""Messages written by hand are byte for byte those of onnx's own classes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from convspec.ir.dims import symbol
from convspec.ir.types import TensorType
from convspec.targets.onnx import wire

onnx: Any = import_module("onnx")

LONG = "a" * 300
INTEGERS = [0, 1, 127, 128, 300, 2**32, 2**40 + 5, 2**63 - 1, -1, -128, -(2**63)]


@pytest.mark.parametrize("number", INTEGERS)
def test_varint(number: int) -> None:
    field = onnx.AttributeProto(i=number).SerializeToString()
    assert field == b"\x18" + wire.varint(number)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *((number, "INT") for number in INTEGERS),
        *((number, "FLOAT") for number in (0.0, -0.0, 1, 1.5, 1e-45, float("inf"), float("nan"))),
        *((text, "STRING") for text in ("", "SAME", "ü\0\n", LONG)),
        *((numbers, "INTS") for numbers in ([1], INTEGERS, tuple(range(200)))),
        *((numbers, "FLOATS") for numbers in ([0.5], (1, 2.0, -0.0))),
        *((texts, "STRINGS") for texts in (["a"], ["", "é", LONG])),
    ],
)
def test_attributes(value: Any, kind: str) -> None:
    given: Any = list(value) if isinstance(value, tuple) else value
    if kind in ("FLOAT", "FLOATS"):
        given = [float(item) for item in given] if kind == "FLOATS" else float(given)
    attribute = onnx.helper.make_attribute("name", given)
    expected = onnx.NodeProto(attribute=[attribute]).SerializeToString(deterministic=True)
    assert wire.attributes({"name": value}, {"name": kind}) == expected


def test_attributes_stand_in_the_order_of_their_names() -> None:
    kinds = {"b": "INT", "a": "STRING"}
    node = onnx.helper.make_node("Op", [], [], a="x", b=1)
    assert wire.attributes({"b": 1, "a": "x"}, kinds) == onnx.NodeProto(attribute=node.attribute).SerializeToString()


def test_unknown_kinds_are_our_own_mistake() -> None:
    with pytest.raises(TypeError):
        wire.attributes({"a": 1}, {"a": "GRAPH"})


@pytest.mark.parametrize("name", ["n", "ü/λ", LONG, "layer1.0.conv1"])
def test_nodes(name: str) -> None:
    node = onnx.helper.make_node("Conv", ["x", "", f"{name}.weight"], [name, "b"], name, group=2)
    given = wire.attributes({"group": 2}, {"group": "INT"})
    assert wire.node("Conv", name, ("x", "", f"{name}.weight"), (name, "b"), given) == node.SerializeToString(
        deterministic=True
    )


@pytest.mark.parametrize("dtype", sorted(wire.ELEMENT))
@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (2**40,), (symbol("N"), 3, 8 * symbol("h") + 1)])
def test_value_infos(dtype: str, shape: tuple[Any, ...]) -> None:
    sizes = [size if isinstance(size, int) else str(size) for size in shape]
    info = onnx.helper.make_tensor_value_info("näme", wire.ELEMENT[dtype], sizes, "what it is")
    found = wire.value_info("näme", wire.tensor_type(TensorType(dtype, shape)), "what it is")
    assert found == info.SerializeToString(deterministic=True)


@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (64, 3, 7, 7)])
def test_tensors(shape: tuple[int, ...]) -> None:
    proto = onnx.TensorProto(name="w", data_type=1, dims=shape, raw_data=b"\1" * 200)
    found = wire.tensor("w", "float32", shape) + wire.raw_data(200) + b"\1" * 200
    assert found == proto.SerializeToString(deterministic=True)


def test_tensors_in_another_file() -> None:
    proto = onnx.TensorProto(name="w", data_type=10, dims=[5], data_location=onnx.TensorProto.EXTERNAL)
    for key, value in (("location", "m.onnx.data"), ("offset", "8192"), ("length", "10")):
        proto.external_data.add(key=key, value=value)
    found = wire.tensor("w", "float16", (5,)) + wire.external_data(wire.location("m.onnx.data"), 8192, 10)
    assert found == proto.SerializeToString(deterministic=True)
