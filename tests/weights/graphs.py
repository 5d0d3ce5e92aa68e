"""Graphs built by hand, without the front end: parameters of any name, shape, dtype and initialiser."""

from __future__ import annotations

from dataclasses import dataclass

from convspec.ir.graph import Graph, GraphInput, GraphOutput, Node, Parameter, Value
from convspec.ir.init import Init
from convspec.ir.opdef import OpDef
from convspec.ir.types import TensorType
from convspec.source import SourceFile, Span

SOURCE = SourceFile("hand.cnn", "the only line\n")
SPAN = Span(SOURCE, 4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """An op without attributes."""


HOLDER = OpDef(
    name="holder", attrs=Nothing, summary="holds parameters", infer=lambda a, x: x, evaluate=lambda a, p, x: x, lower={}
)


def parameter(
    name: str, shape: tuple[int, ...], init: Init, dtype: str = "float32", trainable: bool = True, role: str | None = None
) -> Parameter:
    return Parameter(name, role or name.rpartition(".")[2], shape, dtype, init, trainable, SPAN)


def graph_of(*parameters: Parameter) -> Graph:
    """A graph whose only node owns the parameters."""
    x = Value("x", TensorType("float32", (1, 1)))
    y = Value("y", TensorType("float32", (1, 1)))
    node = Node(HOLDER, Nothing(), (x,), (y,), {p.name: p for p in parameters}, "holder", (), SPAN)
    return Graph("Hand", "", [GraphInput(x, None, "", SPAN)], [GraphOutput("y", y, SPAN)], [node])
