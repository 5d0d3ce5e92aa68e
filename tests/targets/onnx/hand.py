"""Modules built by hand, with ops of the test's own: any lowering, whether the ops of convspec write such or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from convspec.elaborate import Module, loads
from convspec.ir.graph import Graph, GraphInput, GraphOutput, Node, Parameter, Value
from convspec.ir.init import Init
from convspec.ir.lowering import Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import TensorType
from convspec.source import SourceFile, Span

SOURCE = SourceFile("hand.cnn", "model Hand { }\n")


def span(start: int = 0, end: int = 5) -> Span:
    return Span(SOURCE, start, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """An op without attributes."""


def op(lowered: Lowered | Exception | None, name: str = "odd") -> OpDef:
    """An op whose ONNX lowering is the given tree, or raises the given exception; None: it has none."""

    def to_onnx(a: Nothing, *types: TensorType) -> Lowered:
        assert lowered is not None
        if isinstance(lowered, Exception):
            raise lowered
        return lowered

    def unused(*arguments: object) -> TensorType:
        raise AssertionError("the tests here run no reference")

    lower: Mapping[str, Callable[..., Lowered]] = {} if lowered is None else {"onnx": to_onnx}
    return OpDef(name=name, attrs=Nothing, summary="", infer=unused, evaluate=unused, lower=lower)  # type: ignore[arg-type]


def value(name: str, *shape: int, dtype: str = "float32") -> Value:
    return Value(name, TensorType(dtype, shape))


def weight(name: str, *shape: int) -> Parameter:
    return Parameter(name, name.rpartition(".")[2], shape, "float32", Init("normal", value=1.0), True, span())


def node(
    lowered: Lowered | Exception | None,
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    *params: Parameter,
    path: str = "odd1",
    frames: tuple[str, ...] = (),
    at: Span | None = None,
) -> Node:
    return Node(op(lowered), Nothing(), tuple(inputs), tuple(outputs), {p.role: p for p in params}, path, frames, at or span())


def module(inputs: Sequence[Value], nodes: Sequence[Node], outputs: Mapping[str, Value]) -> Module:
    graph = Graph(
        "Hand",
        "",
        [GraphInput(v, None, "", span()) for v in inputs],
        [GraphOutput(name, v, span()) for name, v in outputs.items()],
        list(nodes),
    )
    made = loads("model Hand { input x: float32[1] output x }")
    made.graph = graph
    return made
