"""The model of a plan as encoded messages, all but the stored tensors; its layers checked by onnx."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from convspec.diagnostics import error, fail
from convspec.ir.graph import Node
from convspec.ir.types import TensorType
from convspec.records import dataclass
from convspec.targets.onnx import wire
from convspec.targets.onnx.conformance import encoded_attributes
from convspec.targets.onnx.opsets import ir_version
from convspec.targets.onnx.plan import OnnxNode, Plan
from convspec.targets.onnx.tensors import Tensor
from convspec.targets.onnx.wire import Message
from convspec.version import VERSION
from convspec.weights.streaming import little_endian

SMALL = 1024
"""Bytes up to which a constant goes into the checked skeleton with its data: shape inference reads such (pads, sizes)."""


@dataclass(frozen=True, slots=True)
class Model:
    """A ModelProto in four runs of bytes. Initialisers, fields 5 of the GraphProto, stand between the two runs of the graph."""

    before: bytes
    """Fields of the ModelProto before the graph."""
    graph_before: bytes
    graph_after: bytes
    after: bytes


def build_model(plan: Plan, opset: int, metadata: Mapping[str, str]) -> Model:
    """The model without initialisers, with the shape of every tensor. Failure CNN090 where onnx refuses it."""
    builder = _Builder(plan, opset, metadata)
    inner = _inner_types(plan, builder.skeleton())
    return builder.model(builder.nodes, [*builder.values(), *(wire.value_info(name, of) for name, of in inner)])


class _Builder:
    """Encodes a plan, and the skeleton of it that onnx looks at."""

    def __init__(self, plan: Plan, opset: int, metadata: Mapping[str, str]) -> None:
        self.plan, self.opset, self.metadata = plan, opset, metadata
        self._types: dict[TensorType, Message] = {}
        encoded = zip(plan.nodes, encoded_attributes(plan.nodes, opset), strict=True)
        self.nodes = [wire.node(n.op_type, n.name, n.inputs, n.outputs, given) for n, given in encoded]

    def type(self, of: TensorType) -> Message:
        """A type, encoded once."""
        if of not in self._types:
            self._types[of] = wire.tensor_type(of)
        return self._types[of]

    def values(self) -> Iterator[Message]:
        for name, value in self.plan.values.items():
            yield wire.value_info(name, self.type(value.type))

    def model(self, nodes: Sequence[Message], values: Iterable[Message]) -> Model:
        """The model with all its inputs and outputs."""
        graph = self.plan.graph
        inputs = [wire.value_info(i.value.name, self.type(i.value.type), i.doc) for i in graph.inputs]
        outputs = [wire.value_info(output.name, self.type(output.value.type)) for output in graph.outputs]
        return self._model(nodes, inputs, outputs, values)

    def _model(
        self, nodes: Iterable[Message], inputs: Iterable[Message], outputs: Iterable[Message], values: Iterable[Message]
    ) -> Model:
        graph = self.plan.graph
        before = wire.number(1, ir_version(self.opset)) + wire.text(2, "convspec") + wire.text(3, VERSION)
        opset = wire.sized(8, wire.sized(1, b"") + wire.number(2, self.opset))
        metadata = b"".join(wire.sized(14, wire.entry(key, value)) for key, value in self.metadata.items())
        return Model(
            before + wire.text(6, graph.doc),
            _repeated(1, nodes) + wire.text(2, graph.name),
            wire.text(10, graph.doc) + _repeated(11, inputs) + _repeated(12, outputs) + _repeated(13, values),
            opset + metadata,
        )

    def skeleton(self) -> bytes:
        """A model of the first of all layers that are alike, with every tensor that they read or write declared.

        Small constants are in it; large ones and parameters are inputs.
        """
        types = _declared(self.plan)
        inputs: dict[str, Message] = {}
        outputs: dict[str, Message] = {}
        constants: dict[str, Message] = {}
        nodes: list[Message] = []
        for node, message in zip(self.plan.nodes, self.nodes, strict=True):
            if node.origin is not None and self.plan.alike[node.origin] is not node.origin:
                continue
            nodes.append(message)
            for name in node.inputs:
                tensor = self.plan.tensors.stored.get(name)
                if tensor is not None and tensor.constant is not None and tensor.nbytes <= SMALL:
                    constants[name] = _with_data(name, tensor)
                elif name in types and name not in outputs:
                    inputs[name] = wire.value_info(name, self.type(types[name]))
            for name in node.outputs:
                if name in types:
                    outputs[name] = wire.value_info(name, self.type(types[name]))
        model = self._model(nodes, inputs.values(), outputs.values(), ())
        graph = model.graph_before + _repeated(5, constants.values()) + model.graph_after
        return model.before + wire.sized(7, graph) + model.after


def _declared(plan: Plan) -> dict[str, TensorType]:
    """The type of every tensor that the graph itself knows, by its ONNX name."""
    return {
        **{graph_input.value.name: graph_input.value.type for graph_input in plan.graph.inputs},
        **{output.name: output.value.type for output in plan.graph.outputs},
        **{name: value.type for name, value in plan.values.items()},
        **{name: tensor.type for name, tensor in plan.tensors.stored.items()},
    }


def _with_data(name: str, tensor: Tensor) -> Message:
    assert tensor.constant is not None
    data = bytes(little_endian(tensor.constant))
    return wire.tensor(name, tensor.dtype, tensor.shape) + wire.raw_data(len(data)) + data


def _repeated(field: int, messages: Iterable[Message]) -> bytes:
    """The messages as fields, one after the other."""
    lead = wire.tag(field)
    parts: list[bytes] = []
    for message in messages:
        parts += (lead, wire.varint(len(message)), message)
    return b"".join(parts)


def _inner_types(plan: Plan, skeleton: bytes) -> Iterator[tuple[str, Message]]:
    """The tensors inside a layer, which the graph does not know, with the types that ONNX infers."""
    inferred = _inferred(plan, skeleton)
    known = plan.values.keys() | {output.name for output in plan.graph.outputs}
    layers: dict[Node, list[OnnxNode]] = {}
    for node in plan.nodes:
        if node.origin is not None:
            layers.setdefault(node.origin, []).append(node)
    for layer, nodes in layers.items():
        for node, like in zip(nodes, layers[plan.alike[layer]], strict=True):
            for name, place in zip(node.outputs, like.outputs, strict=True):
                if name not in known and place in inferred:
                    yield name, inferred[place]


def _inferred(plan: Plan, skeleton: bytes) -> dict[str, Message]:
    """Check the skeleton; the types that ONNX infers for tensors that it does not declare.

    Strict inference also fails where a shape of ours is not the one that ONNX infers.
    """
    import onnx

    try:
        inferred: Any = onnx.shape_inference.infer_shapes(skeleton, check_type=True, strict_mode=True, data_prop=True)
        onnx.checker.check_model(skeleton)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as problem:
        reason = " ".join(str(problem).split())
        raise fail(error("CNN090", f"onnx refuses the model made from {plan.graph.name}: {reason}")) from None
    return {info.name: info.type.SerializeToString(deterministic=True) for info in inferred.graph.value_info}


__all__ = ["Model", "build_model"]
