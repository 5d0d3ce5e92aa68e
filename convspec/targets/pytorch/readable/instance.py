"""The fallback for a block that the walk has no words for: its instances written out, with plain numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convspec.elaborate.module import Application, BlockEvent, Event, OpEvent, StageEvent
from convspec.ir.graph import Graph, GraphInput, GraphOutput, Node, Value
from convspec.syntax import ast
from convspec.targets.pytorch.readable.values import Unsayable
from convspec.targets.pytorch.straight import StraightPrinter
from convspec.targets.source.layout import Writer

if TYPE_CHECKING:
    from convspec.targets.pytorch.readable.program import ClassInfo, Program


def unrolled_classes(
    program: Program, block: ast.Block, group: Sequence[Application], reason: str
) -> Iterator[tuple[list[Application], ClassInfo]]:
    """A class for each distinct text among the instances. Unsayable for the model itself, and where lists go in or out."""
    from convspec.targets.pytorch.readable.program import ClassInfo

    if program.module.root in group:
        raise Unsayable(reason)
    by_text: dict[str, list[Application]] = {}
    for application in group:
        by_text.setdefault("\n".join(_lines(program, application, "Instance")), []).append(application)
    for index, same in enumerate(by_text.values()):
        name = program.class_names[block] if index == 0 else program.names.fresh(f"{block.name.text}{index + 1}")
        info = ClassInfo(name, block, _tensors(same[0]), is_model=block.kind == "model")
        info.lines = lambda application=same[0], name=name: _lines(program, application, name)
        yield same, info


def _lines(program: Program, application: Application, name: str) -> list[str]:
    graph = _graph(program, application)
    writer = Writer()
    printer = StraightPrinter(graph, {node: program.trees[node] for node in graph.nodes}, f"{application.path}.", as_tuple=True)
    printer.inputs = {value: key for key, value in application.bindings.items() if isinstance(value, Value)}
    printer.write(writer, name, application.block.doc)
    program.uses_add = program.uses_add or printer.uses_add
    return writer.lines


def _tensors(application: Application) -> list[str]:
    return [name for name, value in application.bindings.items() if isinstance(value, Value)]


def _graph(program: Program, application: Application) -> Graph:
    """The part of the flat graph that one application is."""
    nodes = {id(node) for node in _nodes(application)}
    inputs = [value for value in application.bindings.values() if isinstance(value, Value)]
    results = application.results
    if any(isinstance(value, list) and any(isinstance(v, Value) for v in value) for value in application.bindings.values()):
        raise Unsayable("lists of tensors as arguments")
    outputs = [result for result in results if isinstance(result, Value)]
    if len(outputs) != len(results):
        raise Unsayable("lists of tensors as results")
    span = application.block.span
    if any(node.params and not node.path.startswith(f"{application.path}.") for node in _nodes(application)):
        raise Unsayable("weights that live elsewhere")
    return Graph(
        application.block.name.text,
        application.block.doc,
        [GraphInput(value, None, "", span) for value in inputs],
        [GraphOutput(str(index), value, span) for index, value in enumerate(outputs)],
        [node for node in program.module.graph.nodes if id(node) in nodes],
    )


def _nodes(application: Application) -> Iterator[Node]:
    for event in application.events.values():
        yield from _event_nodes(event)


def _event_nodes(event: Event) -> Iterator[Node]:
    match event:
        case OpEvent(nodes=nodes):
            yield from nodes
        case BlockEvent(application=application):
            yield from _nodes(application)
        case StageEvent(events=events):
            for inner in events:
                yield from _event_nodes(inner)
