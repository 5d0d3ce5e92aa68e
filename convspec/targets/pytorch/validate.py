"""Translation validation: whether generated source makes exactly the graph's layers and computes exactly its outputs."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from convspec.ir.graph import Graph, Node, Value
from convspec.ir.lowering import Apply, Arg, Args, Call
from convspec.targets.pytorch.equivalents import FUNCTIONS, canonical
from convspec.targets.pytorch.lowered import Tree
from convspec.targets.pytorch.straight import layer_dtypes, live_nodes, parameter_dtype
from convspec.targets.pytorch.stub import Layer, Module, Recorder, StubTensor, run_source
from convspec.targets.source.render import find_apply


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A difference between source and graph. `path` is the label path it is about, where there is one."""

    what: str
    path: str | None = None
    line: int | None = None
    """The line of the source where it broke down, if it did."""


def differences(text: str, class_name: str, graph: Graph, trees: Mapping[Node, Tree]) -> list[Mismatch]:
    """Every difference found; an empty list proves that the source says what the graph says.

    The source is run with a torch that records. Layers with weights must have the same constructor arguments under the same
    paths, and every output must be the same expression of layers, functions and inputs.
    """
    recorder = Recorder()
    values = _expected(recorder, graph, trees)
    try:
        model = run_source(recorder, text)[class_name]()
        found = list(_layer_differences(model, trees)) or list(_dtype_differences(model, graph))
        if found:
            return found
        result = model(*(StubTensor(recorder, values[graph_input.value]) for graph_input in graph.inputs))
    except Exception as problem:
        frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == "<generated>"]
        return [Mismatch(f"{type(problem).__name__}: {problem}", line=frames[-1].lineno if frames else None)]
    return [*_output_differences(result, graph, values), *_count_differences(recorder, graph, trees)]


def _count_differences(recorder: Recorder, graph: Graph, trees: Mapping[Node, Tree]) -> Iterator[Mismatch]:
    """Layers that run more often than in the graph, or less often than its outputs need: statistics would differ."""
    live = live_nodes(graph)
    most: Counter[str] = Counter()
    least: Counter[str] = Counter()
    for node, tree in trees.items():
        apply = find_apply(tree)
        if apply is not None and not apply.kept:
            most[node.path] += 1
            least[node.path] += node in live
    for path in sorted(most.keys() | recorder.calls.keys()):
        if not least[path] <= recorder.calls[path] <= most[path]:
            yield Mismatch(f"{path} runs {recorder.calls[path]} times, not {most[path]}", path)


def _expected(recorder: Recorder, graph: Graph, trees: Mapping[Node, Tree]) -> dict[Value, int]:
    """The number of every value of the graph; tells the recorder shapes and arities on the way."""
    values: dict[Value, int] = {}
    for index, graph_input in enumerate(graph.inputs):
        values[graph_input.value] = recorder.number(("input", index))
    for node, tree in trees.items():
        tensors = [StubTensor(recorder, values[value]) for value in node.inputs]
        number = _number(recorder, tree, tensors, node.path)
        if node.op.is_single(node.attrs):
            values[node.outputs[0]] = number
        else:
            recorder.arities[number] = len(node.outputs)
            values.update((value, recorder.number(("item", number, i))) for i, value in enumerate(node.outputs))
    recorder.shapes.update((number, value.type.shape) for value, number in values.items())
    return values


def _number(recorder: Recorder, tree: Tree, tensors: list[StubTensor], path: str) -> int:
    result: StubTensor = _evaluate(recorder, tree, tensors, path)
    return result.number


def _evaluate(recorder: Recorder, part: Any, tensors: list[StubTensor], path: str) -> Any:
    def inner(item: Any) -> Any:
        return _evaluate(recorder, item, tensors, path)

    match part:
        case Arg(index=index):
            return tensors[index]
        case Args():
            return tensors
        case Call(fn=fn, args=args, kwargs=kwargs):
            named = {name: inner(value) for name, value in kwargs.items()}
            return StubTensor(recorder, recorder.call(fn, tuple(inner(arg) for arg in args), named))
        case Apply(inputs=inputs):
            key = _key(part)
            return StubTensor(recorder, recorder.call("apply", (key, *(inner(item) for item in inputs)), {}, path))
        case tuple() | list():
            return tuple(inner(item) for item in part)
    return part


def _layer_differences(model: Module, trees: Mapping[Node, Tree]) -> Iterator[Mismatch]:
    """Sets the paths of all layers on the way."""
    made: dict[str, tuple[Any, ...]] = {}
    for path, layer in _layers(model, ""):
        if layer.path is not None:
            yield Mismatch(f"one layer stands at {layer.path} and at {path}", path)
        object.__setattr__(layer, "path", path)
        made[path] = layer.key
    wanted: dict[str, tuple[Any, ...]] = {}
    weighted = set()
    for node, tree in trees.items():
        apply = find_apply(tree)
        if apply is not None:
            wanted[node.path] = _key(apply)
            weighted |= {node.path} if apply.weights else set()
    for path in sorted(weighted):
        if made.get(path) != wanted[path]:
            yield Mismatch(f"{path} is {made.get(path)}, not {wanted[path]}", path)
    for path in sorted(made.keys() - weighted):
        harmless = str(made[path][0]) in FUNCTIONS or made[path][0] == "nn.Flatten" or made[path] == wanted.get(path)
        if not harmless:
            yield Mismatch(f"{path} is no layer of the network", path)


def _dtype_differences(model: Module, graph: Graph) -> Iterator[Mismatch]:
    """Layers that are put into another precision than the graph's."""
    own = layer_dtypes(graph)
    whole = parameter_dtype(graph) if graph.parameters() and not own else "float32"
    if getattr(model, "dtype", "torch.float32") != f"torch.{whole}":
        yield Mismatch("the dtype of the parameters")
    for path, layer in _layers(model, ""):
        if layer.dtype not in (None, f"torch.{own.get(path)}") or (layer.dtype is None and path in own):
            yield Mismatch(f"the dtype of {path}", path)


def _key(apply: Apply) -> tuple[Any, ...]:
    """What is made, as a Layer of the stub says it."""
    return canonical(apply.kept or apply.fn, apply.args, apply.kwargs)


def _layers(module: Module, path: str) -> Iterator[tuple[str, Layer]]:
    for name, child in module._modules.items():
        inner = f"{path}.{name}" if path else name
        if isinstance(child, Layer):
            yield inner, child
        yield from _layers(child, inner)


def _output_differences(result: Any, graph: Graph, values: Mapping[Value, int]) -> Iterator[Mismatch]:
    expected = {output.name: values[output.value] for output in graph.outputs}
    if len(expected) == 1:
        result = {name: result for name in expected}
    if not isinstance(result, dict) or list(result) != list(expected):
        yield Mismatch("the names of the outputs")
        return
    for name, number in expected.items():
        if not isinstance(result[name], StubTensor) or result[name].number != number:
            yield Mismatch(f"the output `{name}`")
