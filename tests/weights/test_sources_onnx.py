"""ONNX models: initializers of every form, what they are from their readers, and data beside the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convspec.diagnostics import Failure
from convspec.weights.sources import open_source
from tests.weights.files import contents, floats, refusal, write_onnx


def saved(path: Path, nodes: list[Any], tensors: list[Any], **facts: Any) -> Path:
    """A model from x to the last node's output; its types are not checked."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", nodes[-1].output[0])]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors), **facts), path)
    return path


def tensor(name: str, *shape: int) -> Any:
    return numpy_helper.from_array(floats(*shape), name)


def node(kind: str, *inputs: str, out: str = "y", **attributes: Any) -> Any:
    return helper.make_node(kind, list(inputs), [out], **attributes)


def test_raw_typed_and_constant_tensors_come_out(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "m.onnx")
    assert open_source(path).kind == "onnx"
    found = contents(path)
    assert found == {
        "fc.weight": ("float32", (3, 4), floats(3, 4).tobytes()),
        "fc.bias": ("float32", (4,), np.array([1, 2, 3, 4], np.float32).tobytes()),
        "scale": ("float32", (1, 4), floats(1, 4).tobytes()),
    }


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("name", ["float16", "bfloat16", "float64", "int64", "int32", "uint8", "bool"])
def test_every_dtype_comes_out(tmp_path: Path, name: str, raw: bool) -> None:
    dtype = np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
    array = np.array([[0, 1], [1, 0]]).astype(dtype)
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    made = helper.make_tensor("w", kind, [2, 2], array.tobytes() if raw else array, raw=raw)
    path = saved(tmp_path / "m.onnx", [node("Add", "x", "w")], [made])
    assert contents(path) == {"w": (name, (2, 2), array.tobytes())}


@pytest.mark.parametrize(
    ("nodes", "transposed"),
    [
        ([node("MatMul", "x", "w")], True),
        ([node("MatMul", "w", "x")], False),
        ([node("Gemm", "x", "w")], True),
        ([node("Gemm", "x", "w", transB=1)], False),
        ([node("Transpose", "w", out="t", perm=[1, 0]), node("MatMul", "x", "t")], False),
        ([node("Transpose", "w", out="t"), node("Gemm", "x", "t", transB=1)], True),
        ([node("Identity", "w", out="t"), node("MatMul", "x", "t")], True),
        ([node("Reshape", "w", "s", out="t"), node("MatMul", "x", "t")], False),
        ([node("MatMul", "x", "w", out="a"), node("MatMul", "a", "w")], True),
        ([node("Gather", "w", "x", out="a"), node("MatMul", "a", "w")], False),
    ],
)
def test_matrices_that_their_only_readers_use_the_other_way_round(tmp_path: Path, nodes: list[Any], transposed: bool) -> None:
    path = saved(tmp_path / "m.onnx", nodes, [tensor("w", 3, 3)])
    assert open_source(path).tensors["w"].transposed is transposed


def test_roles_follow_from_readers(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x", "k", "b", out="c"),
        node("BatchNormalization", "c", "g", "be", "m", "v", out="n"),
        node("PRelu", "n", "s", out="p"),
        node("Mul", "p", "layer_scale", out="q"),
        node("Mul", "q", "half", out="r"),
        node("Clip", "r", "low", out="t"),
        node("Reshape", "t", "shape"),
    ]
    vectors = [tensor(name, 4) for name in ("b", "g", "be", "m", "v", "s", "layer_scale")]
    rest = [tensor("k", 4, 1, 1, 1), tensor("half"), tensor("low"), numpy_helper.from_array(np.array([1, -1]), "shape")]
    tensors = open_source(saved(tmp_path / "m.onnx", nodes, [*vectors, *rest, tensor("unread", 2)])).tensors
    assert {name: stored.role for name, stored in tensors.items()} == {
        "b": "bias", "g": "gamma", "be": "beta", "m": "moving_mean", "v": "moving_variance", "s": "alpha",
        "layer_scale": None, "k": "kernel", "half": "constant", "low": "constant", "shape": "constant", "unread": "constant",
    }  # fmt: skip


def test_a_tensor_that_is_stored_once_for_two_names_has_both(tmp_path: Path) -> None:
    nodes = [
        node("Identity", "a.bias", out="b.bias"),
        node("Conv", "x", "k", "a.bias", out="c"),
        node("Conv", "c", "k", "b.bias"),
    ]
    path = saved(tmp_path / "m.onnx", nodes, [tensor("k", 4, 4, 1, 1), tensor("a.bias", 4)])
    found = contents(path)
    assert set(found) == {"k", "a.bias", "b.bias"} and found["a.bias"] == found["b.bias"]
    roles = {name: stored.role for name, stored in open_source(path).tensors.items()}
    assert roles == {"k": "kernel", "a.bias": "bias", "b.bias": "constant"}  # no surplus where a spec has but one


def test_tensors_of_inner_graphs_are_found(tmp_path: Path) -> None:
    inner = helper.make_graph([node("Add", "x", "w", out="z")], "inner", [], [], [tensor("w", 2)])
    path = saved(tmp_path / "m.onnx", [node("If", "x", then_branch=inner, else_branch=inner)], [])
    assert "two tensors named `w`" in refusal(path).message
    other = helper.make_graph([node("Add", "x", "v", out="z")], "other", [], [], [tensor("v", 2)])
    path = saved(tmp_path / "m.onnx", [node("If", "x", then_branch=inner, else_branch=other)], [])
    assert set(contents(path)) == {"w", "v"}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (TensorProto(name="w", data_type=1, dims=[1 << 40, 1 << 40], raw_data=b"1234"), "shape that no tensor has"),
        (TensorProto(name="w", data_type=1, dims=[-1], raw_data=b"1234"), "negative size"),
        (TensorProto(name="w", data_type=1, dims=[2], raw_data=b"1234"), "is not that of its data"),
        (TensorProto(name="w", data_type=1, dims=[1 << 40], float_data=[1.0]), "is not that of its data"),
        (TensorProto(name="w", data_type=1, dims=[1 << 40]), "is not that of its data"),
        (TensorProto(name="w", data_type=99, dims=[1], raw_data=b"1234"), "dtype that is not known"),
    ],
)
def test_tensors_that_lie_are_refused(tmp_path: Path, made: Any, said: str) -> None:
    assert said in refusal(saved(tmp_path / "m.onnx", [node("Add", "x", "w")], [made])).message


def test_sparse_and_equal_names_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.onnx", [node("Add", "x", "w")], [tensor("w", 2), tensor("w", 2)])
    assert "two tensors named `w`" in refusal(path).message
    model = onnx.load(write_onnx(tmp_path / "n.onnx"))
    indices = numpy_helper.from_array(np.array([0]), "i")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(tensor("s", 1), indices, [4]))
    onnx.save(model, tmp_path / "n.onnx")
    assert "`s` is a sparse tensor" in refusal(tmp_path / "n.onnx").message


def external(folder: Path, location: str, **entries: str) -> Path:
    made = TensorProto(name="w", data_type=1, dims=[3], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        made.external_data.add(key=key, value=value)
    return saved(folder / "m.onnx", [node("Add", "x", "w")], [made])


def test_data_beside_the_model_is_read(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "w.data").write_bytes(b"1234" + floats(3).tobytes())
    path = external(tmp_path, "inner/w.data", offset="4", length="12")
    assert contents(path) == {"w": ("float32", (3,), floats(3).tobytes())}


@pytest.mark.parametrize(
    "location",
    ["/etc/passwd", "../w.data", "inner/../../w.data", "link", "C:\\w.data", "a\\b", "", ".", "w\0", "/", "far/w.data"],
)
def test_data_outside_the_folder_is_never_opened(tmp_path: Path, location: str) -> None:
    (tmp_path / "w.data").write_bytes(floats(3).tobytes())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "w.data")
    (folder / "far").symlink_to(tmp_path)
    with pytest.raises(Failure, match="CNN200"):
        contents(external(folder, location))


@pytest.mark.parametrize(
    "entries",
    [{"offset": "8"}, {"offset": "-4"}, {"offset": "x"}, {"length": "4"}, {"offset": "9" * 30}, {"offset": str(1 << 62)}],
)
def test_data_past_the_end_is_refused(tmp_path: Path, entries: dict[str, str]) -> None:
    (tmp_path / "w.data").write_bytes(floats(3).tobytes())
    with pytest.raises(Failure, match="CNN200"):
        contents(external(tmp_path, "w.data", **entries))


def test_a_model_of_our_own_has_each_parameter_once(tmp_path: Path) -> None:
    nodes = [node("Add", "x", "w/1x3", out="a"), node("Mul", "a", "w", out="b"), node("Mul", "b", "constant_1")]
    tensors = [tensor("w/1x3", 1, 3), tensor("w", 3), tensor("constant_1", 3)]
    ours = open_source(saved(tmp_path / "m.onnx", nodes, tensors, producer_name="convspec")).tensors
    assert {name: stored.role for name, stored in ours.items()} == {"w/1x3": None, "constant_1": "constant"}
    assert len(open_source(saved(tmp_path / "n.onnx", nodes, tensors)).tensors) == 3
