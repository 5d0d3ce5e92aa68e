"""The lines of a generated class."""

from __future__ import annotations

from convspec.ir.graph import Value
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.outputs import OUT
from convspec.targets.pytorch.readable.parameters import signature
from convspec.targets.pytorch.readable.program import ClassInfo
from convspec.targets.pytorch.readable.values import Unsayable
from convspec.targets.pytorch.straight import layer_dtypes, parameter_dtype
from convspec.targets.source import quote
from convspec.targets.source.layout import Writer
from convspec.targets.source.statements import prune, write


def class_lines(body: Body, info: ClassInfo, fwd_reads: frozenset[str]) -> list[str]:
    """The class of a block that was walked."""
    writer = Writer()
    writer.open(f"class {info.name}(nn.Module):")
    doc = body.program.module.doc if body.is_root else info.block.doc
    if doc.strip():
        writer.raw(quote.docstring(doc, writer.indent))
        writer.blank()
    writer.open(f"def __init__({signature(info.parameters)}) -> None:")
    writer.statement("super().__init__()")
    init, _ = prune(body.init, fwd_reads | ({OUT} if info.out_is_read else frozenset()))
    write(writer, init)
    graph = body.program.module.graph
    if body.is_root and layer_dtypes(graph):
        raise Unsayable("its layers differ in precision")
    dtype = parameter_dtype(graph)
    if body.is_root and dtype != "float32":
        writer.statement(f"self.to(torch.{dtype})")
    writer.close()
    writer.blank()
    writer.open(f"def forward({_forward(body, info)}) -> {_returned(body)}:")
    write(writer, body.fwd)
    writer.close()
    writer.close()
    return writer.lines


def _forward(body: Body, info: ClassInfo) -> str:
    parts = ["self"]
    for name in info.tensors:
        many = isinstance(body.applications[0].bindings.get(name), list)
        parts.append(f"{body.local(name)}: {'list[torch.Tensor]' if many else 'torch.Tensor'}")
    return ", ".join(parts)


def _returned(body: Body) -> str:
    results = body.applications[0].results
    if body.is_root and len(body.program.module.graph.outputs) > 1:
        return "dict[str, torch.Tensor]"
    kinds = ["torch.Tensor" if isinstance(result, Value) else "list[torch.Tensor]" for result in results]
    return kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"
