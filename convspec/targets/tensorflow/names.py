"""Names that a Keras model can carry. What it cannot carry is an error at the stage that has it, never renamed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from convspec.diagnostics import Diagnostic, error
from convspec.ir.graph import Graph, Node
from convspec.source import Span

KEPT_NAMES = {
    "+": ("add",),
    "-": ("subtract",),
    "*": ("multiply",),
    "/": ("divide", "true_divide"),
    "neg": ("negative",),
    "**": ("power",),
    "@": ("matmul",),
    ">": ("greater",),
    ">=": ("greater_equal",),
    "<": ("less",),
    "<=": ("less_equal",),
    "ops.hard_swish": ("hard_silu",),
    "ops.rms_normalization": ("rms_norm",),
}
"""What Keras calls the operations of Python's operators on its tensors, and of functions that go by another name."""


def automatic_names(functions: Iterable[str]) -> set[str]:
    """The stems of the names that Keras gives, by itself, to what the functions of these lowerings make: `max_pooling2d`."""
    found: set[str] = set()
    for fn in functions:
        found.update(KEPT_NAMES.get(fn, (_snake_case(fn.rpartition(".")[2]),)))
    return found


def _snake_case(name: str) -> str:
    """`MaxPooling2D` as Keras turns a class's name into an object's: `max_pooling2d`."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def check_names(graph: Graph, layers: Iterable[Node], functions: Iterable[str]) -> Iterator[Diagnostic]:
    """An error (CNN091) for the model, every input and every layer with weights whose name Keras would refuse.

    `layers`: the nodes whose label names a Keras layer, each path once; `functions`: every function that the model calls.
    """
    if graph.name.startswith("_"):
        yield _error(f"the model name `{graph.name}`", "TensorFlow takes no name that begins with `_`", None, ())
    inputs = {item.value.name: item for item in graph.inputs}
    automatic = automatic_names(functions)
    for item in inputs.values():
        reason = _refused(item.value.name, automatic)
        if reason:
            yield _error(f"the input name `{item.value.name}`", reason, item.span, ())
    for node in layers:
        reason = "an input has the same name" if node.path in inputs else _refused(node.path, automatic)
        if reason:
            yield _error(f"the label `{node.path}`", reason, node.span, node.frames)


def _refused(name: str, automatic: set[str]) -> str | None:
    """Why Keras, or TensorFlow under it, does not take `name` for a layer; None where it does."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        return "TensorFlow takes only letters, digits and `_`, `.`, `-` in names"
    if name[0] in "_-":
        return f"TensorFlow takes no name that begins with `{name[0]}`"
    stem = re.sub(r"_\d+$", "", name)
    if stem in automatic or name in automatic:
        return f"Keras numbers its own `{stem}` operations so, and names must differ"
    return None


def _error(what: str, reason: str, span: Span | None, frames: tuple[str, ...]) -> Diagnostic:
    if span is None:
        return error("CNN091", f"the target `tensorflow` cannot carry {what}: {reason}", hint="choose another name")
    return error(
        "CNN091", f"the target `tensorflow` cannot carry {what}", span, reason, frames=frames, hint="choose another name"
    )


__all__ = ["automatic_names", "check_names"]
