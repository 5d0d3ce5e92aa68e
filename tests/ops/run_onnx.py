"""Runs an ONNX lowering tree: a model of this one op, checked by onnx, then run by ONNX Runtime."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from convspec.ir.lowering import Arg, Args, Call, Const, Item, Weight
from convspec.ir.types import Array, TensorType
from convspec.targets.onnx.opsets import DEFAULT_OPSET, ir_version
from tests.ops.cases import Case
from tests.ops.run_torch import to_layout


class OnnxNet:
    """Float tensors are float32. The model passes the full check, and its inferred shapes are those of `infer`."""

    def __init__(self, case: Case, opset: int = DEFAULT_OPSET) -> None:
        self.onnx: Any = import_module("onnx")
        self.case, self.opset = case, opset
        self.nodes: list[Any] = []
        self.done: dict[int, str] = {}
        self.initialisers: dict[str, Any] = {}
        self.model = self._model()
        self._shapes_agree()
        self.onnx.checker.check_model(self.model, full_check=True)

    def run(self, arrays: tuple[Array, ...] | None = None) -> tuple[Array, ...]:
        runtime: Any = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        session = runtime.InferenceSession(self.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        feed = {f"x{i}": _narrow(a) for i, a in enumerate(self.case.arrays if arrays is None else arrays)}
        return tuple(session.run(None, feed))

    def _model(self) -> Any:
        helper = self.onnx.helper
        outputs = [f"y{i}" for i in range(len(self.case.inferred))]
        tree = self.case.lowered("onnx")
        if isinstance(tree, tuple):
            for part, output in zip(tree, outputs, strict=True):
                self._node("Identity", [self._input(part)], [output], {})
        elif isinstance(tree, Call):
            self._call(tree, outputs)
        else:
            self._node("Identity", [self._input(tree)], outputs, {})
        graph = helper.make_graph(
            self.nodes,
            self.case.op.name,
            [self._info(f"x{i}", t) for i, t in enumerate(self.case.types)],
            [self._info(name, t) for name, t in zip(outputs, self.case.inferred, strict=True)],
            list(self.initialisers.values()),
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=ir_version(self.opset))

    def _info(self, name: str, of: TensorType, shape: list[Any] | None = None) -> Any:
        element = getattr(self.onnx.TensorProto, {"float32": "FLOAT"}.get(of.dtype, of.dtype.upper()))
        return self.onnx.helper.make_tensor_value_info(
            name, element, shape or [s if isinstance(s, int) else str(s) for s in of.shape]
        )

    def _call(self, call: Call, outputs: list[str] | None = None) -> str:
        inputs = [name for arg in call.args for name in self._inputs(arg)]
        names = outputs or [f"t{len(self.nodes)}"]
        self._node(call.fn, inputs, names, dict(call.kwargs))
        return names[0]

    def _node(self, op_type: str, inputs: list[str], outputs: list[str], attributes: dict[str, Any]) -> None:
        known = self.onnx.defs.get_schema(op_type, self.opset).attributes
        assert set(attributes) <= set(known), f"{op_type}-{self.opset} has no attribute {sorted(set(attributes) - set(known))}"
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in attributes.items()}
        self.nodes.append(self.onnx.helper.make_node(op_type, inputs, outputs, **plain))

    def _inputs(self, expr: Any) -> list[str]:
        if isinstance(expr, Args):
            return [f"x{i}" for i in range(len(self.case.types))]
        return [self._input(expr)]

    def _input(self, expr: Any) -> str:
        match expr:
            case Arg(index=index):
                return f"x{index}"
            case Call():
                if id(expr) not in self.done:
                    self.done[id(expr)] = self._call(expr)
                return self.done[id(expr)]
            case Item(call=call, index=index, results=results):
                names = [f"t{len(self.nodes)}_{id(call)}_{i}" for i in range(max(index + 1, results))]
                self._call(call, names)
                return names[index]
            case Weight(role=role):
                return self._initialiser(_narrow(to_layout(self.case.params[role], expr)), role)
            case Const(data=data, dtype=dtype):
                return self._initialiser(np.array(data, dtype=dtype), f"c{len(self.initialisers)}")
            case "" | None:
                return ""
        raise AssertionError(f"{expr!r} cannot be an input of an ONNX node")

    def _initialiser(self, array: Array, name: str) -> str:
        self.initialisers.setdefault(name, self.onnx.numpy_helper.from_array(array, name))
        return name

    def _shapes_agree(self) -> None:
        """Shape inference, told nothing about the outputs but their rank, finds what `infer` says."""
        free = self.onnx.ModelProto()
        free.CopyFrom(self.model)
        del free.graph.output[:]
        for i, of in enumerate(self.case.inferred):
            free.graph.output.append(self._info(f"y{i}", of, [f"y{i}_{axis}" for axis in range(of.rank)]))
        inferred = self.onnx.shape_inference.infer_shapes(free, check_type=True, strict_mode=True, data_prop=True)
        for value, of in zip(inferred.graph.output, self.case.inferred, strict=True):
            found = [d.dim_value or d.dim_param for d in value.type.tensor_type.shape.dim]
            differing = [(f, w) for f, w in zip(found, of.shape, strict=True) if isinstance(f, int) and f != w]
            assert not differing, f"{self.case}: ONNX infers {found}, `infer` says {of}"


def _narrow(array: Array) -> Array:
    return array.astype(np.float32) if array.dtype.kind == "f" else array
