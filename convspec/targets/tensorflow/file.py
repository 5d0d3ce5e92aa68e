"""The generated file around the model: docstring, imports, helpers, and `load_weights`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from convspec.ir.graph import Graph
from convspec.ir.types import TensorType
from convspec.targets.source import quote
from convspec.targets.source.layout import Writer
from convspec.targets.tensorflow.expressions import MODULES, Expressions
from convspec.targets.tensorflow.helpers_text import helper_texts

T = TypeVar("T")

RESERVED = ("keras", "layers", "ops", "activations", "tf", "sys", "math", "build", "load_weights", "load_file")
"""Names at the top of a generated file that no variable in it may take."""

LOAD_WEIGHTS = '''
def load_weights(model, path):
    """Fill `model` from a safetensors file with one tensor a variable, named `<layer>/<variable>`."""
    stored = load_file(path)
    variables = {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.weights}
    problems = [f"{key}: missing in the file" for key in variables.keys() - stored.keys()]
    problems += [f"{key}: not in the model" for key in stored.keys() - variables.keys()]
    problems += [
        f"{key}: shape {stored[key].shape} in the file, {tuple(variables[key].shape)} in the model"
        for key in variables.keys() & stored.keys()
        if stored[key].shape != tuple(variables[key].shape)
    ]
    if problems:
        raise ValueError(f"{path} does not fit the model:\\n" + "\\n".join(sorted(problems)))
    for key, variable in variables.items():
        variable.assign(stored[key])
'''.strip("\n")


def assemble(
    graph: Graph, stem: str, expressions: Expressions, functions: Sequence[Sequence[str]], imports: Sequence[str] = ()
) -> str:
    """The text of the file; `functions` are the lines of each top-level definition, the one that builds the model last.

    `imports` are lines of the standard library; `stem` is the name of the files without their endings.
    """
    writer = Writer()
    writer.raw(quote.docstring(_header(graph, stem)))
    writer.blank()
    names = helper_texts(expressions.helpers)
    standard = {*imports, *(["import math"] if any("math." in text for text in names) else [])}
    if standard:
        writer.raw(sorted(standard))
        writer.blank()
    writer.raw(_import_lines(expressions, names, weights=_has_weights(graph)))
    for definition in [text.splitlines() for text in names] + list(functions):
        writer.blank(2)
        writer.raw(definition)
    if _has_weights(graph):
        writer.blank(2)
        writer.raw(LOAD_WEIGHTS.splitlines())
    return writer.text()


def _has_weights(graph: Graph) -> bool:
    return any(node.params for node in graph.nodes)


def _import_lines(expressions: Expressions, helpers: Sequence[str], weights: bool) -> list[str]:
    used = set(expressions.modules)
    used.update(package for package in MODULES if any(f"{package}." in text for text in helpers))
    lines = [MODULES["keras"]]
    if "tf" in used:
        lines.append(MODULES["tf"])
    members = sorted(used & {"layers", "ops", "activations"})
    if members:
        lines.append(f"from keras import {', '.join(members)}")
    if weights:
        lines.append("from safetensors.numpy import load_file")
    return lines


BUILD_DOC = "The model. Keras draws its weights; `load_weights` fills in those of a file."


def _header(graph: Graph, stem: str) -> str:
    title = f"{graph.name}, compiled by convspec for Keras 3."
    paragraphs = [title, graph.doc.strip(), "\n".join(_interface(graph))]
    if _has_weights(graph):
        paragraphs.append(f"    model = build()\n    load_weights(model, {quote.string(f'{stem}.safetensors')})")
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _interface(graph: Graph) -> list[str]:
    """What goes in and comes out, channels last, a line each."""
    rows = [f"    {item.value.name}: {shown(item.value.type)}" for item in graph.inputs]
    results = [f"    {item.name}: {shown(item.value.type)}" for item in graph.outputs]
    last = any(item.value.type.rank > 2 for item in graph.inputs) or any(item.value.type.rank > 2 for item in graph.outputs)
    order = " (channels last)" if last else ""
    return [f"Inputs{order}:", *rows, f"Outputs{order}:", *results]


def shown(type: TensorType) -> str:
    """`float32 (N, 28, 28, 1)`: the type as the Keras model has it, channels last."""
    return f"{type.dtype} ({', '.join(map(str, channels_last(type.shape)))})"


def channels_last(shape: Sequence[T]) -> tuple[T, ...]:
    """A shape, or anything with one entry an axis, with the channels moved behind the space."""
    if len(shape) < 3:
        return tuple(shape)
    return (shape[0], *shape[2:], shape[1])


__all__ = ["BUILD_DOC", "RESERVED", "assemble", "channels_last", "shown"]
