"""Translation validation: whether generated source makes exactly the network's layers and computes exactly its outputs."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from convspec.ir.graph import Value
from convspec.ir.lowering import Apply, Arg, Args, Call, Unsupported
from convspec.targets.tensorflow.expressions import layer_of
from convspec.targets.tensorflow.file import channels_last
from convspec.targets.tensorflow.helpers_text import helper_names
from convspec.targets.tensorflow.network import DEFAULT_FLOAT, Network, Step
from convspec.targets.tensorflow.stub import Model, Recorder, Tensor, recorded, run_source


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A difference between source and network; `line` of the source where it broke down, if it did."""

    what: str
    line: int | None = None


def differences(text: str, network: Network) -> list[Mismatch]:
    """Every difference found; an empty list proves that the source says what the network says.

    The source is run with a Keras that records. It must make the same layers under the same names, and every output must be
    the same expression of layers, functions and inputs.
    """
    recorder = Recorder()
    values = _expected(recorder, network)
    wanted, recorder.layers = recorder.layers, {}
    calls, recorder.calls = recorder.calls, Counter()
    try:
        model = run_source(recorder, text, helper_names())["build"]()
    except Exception as problem:
        frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == "<generated>"]
        return [Mismatch(f"{type(problem).__name__}: {problem}", frames[-1].lineno if frames else None)]
    found = [*_layer_differences(recorder.layers, wanted), *_end_differences(model, network, values, recorder)]
    # What the network does not hold is behind none of the right outputs, and a Keras model does not hold it either.
    asked = {number: count for number, count in recorder.calls.items() if number in calls}
    return found if found or asked == calls else [Mismatch("how often something is computed")]


def _expected(recorder: Recorder, network: Network) -> dict[Value, int]:
    """The number of every value of the network; tells the recorder shapes and arities on the way."""
    values: dict[Value, int] = {}
    for item in network.graph.inputs:
        batch, *shape = sizes(item.value)
        dtype = None if item.value.type.dtype == DEFAULT_FLOAT else item.value.type.dtype
        values[item.value] = recorder.number(("input", item.value.name, batch, tuple(shape), dtype))
    made: dict[str, Any] = {}
    for step in network.steps:
        _evaluate(recorder, step, values, made)
    layers, calls = dict(recorder.layers), Counter(recorder.calls)
    for step in _dead(network):  # the source may ask one for its size; the network holds none of them
        if all(value in values for value in step.node.inputs):
            _evaluate(recorder, step, values, made)
    recorder.layers, recorder.calls = layers, calls
    recorder.shapes.update((number, sizes(value)) for value, number in values.items())
    return values


def _evaluate(recorder: Recorder, step: Step, values: dict[Value, int], made: dict[str, Any]) -> None:
    """The numbers of a step's outputs."""
    inputs = [Tensor(recorder, values[value]) for value in step.node.inputs]
    result = _Evaluation(recorder, step, inputs, made).of(step.tree)
    if step.node.op.is_single(step.node.attrs):
        values[step.node.outputs[0]] = result.number
    else:
        recorder.arities[result.number] = len(step.node.outputs)
        values.update((value, recorder.number(("item", result.number, i))) for i, value in enumerate(step.node.outputs))


def _dead(network: Network) -> Iterator[Step]:
    """The nodes that no output depends on, lowered; those that Keras cannot express left out."""
    live = {step.node for step in network.steps}
    for node in network.graph.nodes:
        if node not in live:
            tree = network.finish.tree(node, node.op.lower["tensorflow"](node.attrs, *node.input_types))
            if not isinstance(tree, Unsupported):
                yield Step(node, tree, layer_of(tree))


def sizes(value: Value) -> tuple[int | None, ...]:
    """A value's shape as Keras knows it: channels last, None where it is symbolic."""
    return tuple(size if isinstance(size, int) else None for size in channels_last(value.type.shape))


class _Evaluation:
    """A lowering tree, computed by the recorder."""

    def __init__(self, recorder: Recorder, step: Step, inputs: list[Tensor], made: dict[str, Any]) -> None:
        self.recorder, self.step, self.inputs, self.made = recorder, step, inputs, made

    def of(self, part: Any) -> Any:
        match part:
            case Arg(index=index):
                return self.inputs[index]
            case Args():
                return self.inputs
            case Call(fn=fn, args=args, kwargs=kwargs):
                named = {name: self.of(value) for name, value in kwargs.items()}
                return Tensor(self.recorder, self.recorder.call(fn, tuple(self.of(arg) for arg in args), named))
            case Apply(inputs=inputs):
                return self._layer(part)(*(self.of(item) for item in inputs))
            case tuple() | list():
                return tuple(self.of(item) for item in part)
        return part

    def _layer(self, apply: Apply) -> Any:
        make = recorded(self.recorder, apply.fn)
        if not apply.weights:
            return make(*apply.args, **apply.kwargs)
        path = self.step.node.path
        if path not in self.made:
            self.made[path] = make(*apply.args, **apply.kwargs, name=path)
        return self.made[path]


def _layer_differences(made: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Mismatch]:
    for name in sorted(wanted.keys()):
        found, expected = (layers[name].key if name in layers else None for layers in (made, wanted))
        if found != expected:
            yield Mismatch(f"the layer `{name}` is {found}, not {expected}")


def _end_differences(model: Any, network: Network, values: Mapping[Value, int], recorder: Recorder) -> Iterator[Mismatch]:
    graph = network.graph
    if not isinstance(model, Model) or model.name != graph.name:
        yield Mismatch("the model's name")
        return
    ends = (
        ("input", model.inputs, {item.value.name: values[item.value] for item in graph.inputs}),
        ("output", model.outputs, {item.name: values[item.value] for item in graph.outputs}),
    )
    for what, found, expected in ends:
        given = {name: found for name in expected} if len(expected) == 1 else found
        if not isinstance(given, dict) or list(given) != list(expected):
            yield Mismatch(f"the names of the {what}s")
            continue
        for name, number in expected.items():
            if not isinstance(given[name], Tensor) or given[name].number != number:
                yield Mismatch(f"the {what} `{name}`")


__all__ = ["Mismatch", "differences", "sizes"]
