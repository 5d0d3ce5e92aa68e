"""The interface of compiled models: convspec's own, and others'."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from convspec import loads
from convspec.ir.dims import minima
from convspec.ir.graph import Picture
from convspec.runtime.base import ModelFile, RunOptions
from convspec.runtime.onnxruntime import RUNTIME
from convspec.runtime.signature import Signature, signature_of
from tests.runtime.helpers import SMALL, random, told

SPEC = """model Net {
    input image: float32[N, 3, 32*h, W >= 40] as picture(size = [64, 40], mean = [0.1, 0.2, 0.3], crop = 0.9, invert = true)
    input mask: float32[N, 1, 32*h, W]
    output out = image * mask -> relu
    output "half.0" = image -> maxpool(2x2)
}
"""


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def interface(path: str) -> Signature:
    return RUNTIME.open(ModelFile(Path(path)), RunOptions("cpu")).signature


def test_our_own_models_keep_their_interface() -> None:
    net = loads(SPEC)
    net.to_onnx("net.onnx")
    found, meant = interface("net.onnx"), signature_of(net.module.graph)
    assert found.name == "Net"
    assert [(s.name, str(s.type)) for s in found.inputs] == [(s.name, str(s.type)) for s in meant.inputs]
    assert [(s.name, str(s.type)) for s in found.outputs] == [(s.name, str(s.type)) for s in meant.outputs]
    assert found.inputs[0].picture == Picture((64, 40), (0.1, 0.2, 0.3), (1.0,), 0.9, 255.0, True)
    assert found.inputs[1].picture is None
    assert minima(found.inputs[0].type.shape[3]) == {"W": 40}


def test_a_compiled_model_computes_what_the_spec_does() -> None:
    net = loads(SMALL)
    net.to_onnx("net.onnx", external_data=True)
    assert Path("net.onnx.data").exists()
    x = random(2, 1, 8, 8)
    session = RUNTIME.open(ModelFile(Path("net.onnx")), RunOptions("cpu"))
    np.testing.assert_array_equal(session.run({"image": x})["logits"], net.run(x, device="cpu")["logits"])


def foreign(shape: list[Any], dtype: int = TensorProto.FLOAT, metadata: dict[str, str] | None = None) -> str:
    """A model made by someone else: the identity."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "",
        [helper.make_tensor_value_info("x", dtype, shape)],
        [helper.make_tensor_value_info("y", dtype, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, "foreign.onnx")
    return "foreign.onnx"


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        (["N", 3, "H", "W"], "float32[N, 3, H, W]"),
        (["batch size", 3, None, 4], "float32[batch size, 3, ?x.2, 4]"),
        (["2*(H // 2) + 1", "a**2"], "float32[2*(H // 2) + 1, a**2]"),
        (["__import__('os')", "1.5", "a / b", "a if b else c", "-3 ** 9"], None),
    ],
)
def test_sizes_of_other_models(shape: list[Any], shown: str | None) -> None:
    """What is no expression of sizes is a name of its own, and nothing is ever evaluated."""
    (found,) = interface(foreign(shape)).inputs
    assert str(found.type) == (shown or f"float32[{', '.join(shape)}]")


def test_the_name_of_a_model_without_one_is_the_files() -> None:
    assert interface(foreign([1])).name == "foreign"


def test_element_types_that_we_do_not_have() -> None:
    assert told(lambda: interface(foreign([1], TensorProto.STRING))) == (
        "error[CNN306]: cannot read the model foreign.onnx: `x` is tensor(string), which convspec does not have"
    )


@pytest.mark.parametrize("text", ["{", '{"x": {"siz": 3}}', '{"x": 3}', "[1]"])
def test_damaged_metadata(text: str) -> None:
    message = told(lambda: interface(foreign([1, 3, 4, 4], metadata={"convspec.picture": text})))
    assert message.startswith("error[CNN306]: cannot read the model foreign.onnx: its convspec metadata is damaged (")
