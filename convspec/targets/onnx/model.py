"""The ModelProto of a plan, all but the stored tensors' data; checked by onnx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convspec.diagnostics import error, fail
from convspec.ir.types import Array, TensorType
from convspec.targets.onnx.conformance import typed_attributes
from convspec.targets.onnx.opsets import ir_version
from convspec.targets.onnx.plan import Plan
from convspec.version import VERSION

SMALL = 1024
"""Bytes up to which a stored tensor goes into the checked skeleton with its data: shape inference reads such (pads, sizes)."""

ELEMENT = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11, "bfloat16": 16}
"""TensorProto.DataType by dtype."""


def build_model(plan: Plan, opset: int, metadata: Mapping[str, str]) -> Any:
    """The ModelProto without initialisers, with the shape of every tensor. Failure CNN090 where onnx refuses it."""
    import onnx

    model = onnx.ModelProto(ir_version=ir_version(opset), producer_name="convspec", producer_version=VERSION)
    model.opset_import.add(domain="", version=opset)
    model.doc_string = plan.graph.doc
    graph = model.graph
    graph.name, graph.doc_string = plan.graph.name, plan.graph.doc
    for graph_input in plan.graph.inputs:
        _value_info(graph.input.add(), graph_input.value.name, graph_input.value.type, graph_input.doc)
    for output in plan.graph.outputs:
        _value_info(graph.output.add(), output.name, output.value.type)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    for name, inner in plan.values.items():
        _value_info(graph.value_info.add(), name, inner.type)
    for node, attributes in zip(plan.nodes, typed_attributes(plan.nodes, opset), strict=True):
        graph.node.append(onnx.helper.make_node(node.op_type, node.inputs, node.outputs, node.name, **attributes))
    _check(model, plan)
    return model


def _value_info(info: Any, name: str, of: TensorType, doc: str = "") -> None:
    info.name = name
    if doc:
        info.doc_string = doc
    tensor = info.type.tensor_type
    tensor.elem_type = ELEMENT[of.dtype]
    for size in of.shape:
        if isinstance(size, int):
            tensor.shape.dim.add(dim_value=size)
        else:
            tensor.shape.dim.add(dim_param=str(size))


def _check(model: Any, plan: Plan) -> None:
    """Check the model with small constants in it and large ones as inputs, and fill in the shapes of tensors inside a layer.

    Strict inference also fails where a shape of ours is not the one that ONNX infers.
    """
    import onnx

    skeleton = onnx.ModelProto()
    skeleton.CopyFrom(model)
    for name, array in plan.tensors.stored.items():
        if array.nbytes <= SMALL:
            skeleton.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
        else:
            _value_info(skeleton.graph.input.add(), name, _stored_type(array))
    try:
        inferred = onnx.shape_inference.infer_shapes(skeleton, check_type=True, strict_mode=True, data_prop=True)
        onnx.checker.check_model(skeleton)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as problem:
        reason = " ".join(str(problem).split())
        raise fail(error("CNN090", f"onnx refuses the model made from {plan.graph.name}: {reason}")) from None
    known = {info.name for info in model.graph.value_info} | {o.name for o in model.graph.output}
    model.graph.value_info.extend(info for info in inferred.graph.value_info if info.name not in known)


def _stored_type(array: Array) -> TensorType:
    return TensorType(array.dtype.name, array.shape)
