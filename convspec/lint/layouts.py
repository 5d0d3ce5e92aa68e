"""CNN106: an input whose channels seem to stand last, where the height and width are."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.diagnostics import Diagnostic, error
from convspec.elaborate.channels_last import channels_first
from convspec.ir.graph import Graph


def find(graph: Graph) -> Iterator[Diagnostic]:
    """The inputs of a network that are square pictures with three or four channels behind them."""
    for each in graph.inputs:
        meant = channels_first(each.value.type)
        if meant is not None:
            message = f"the input `{each.value.name}` has {each.value.type.shape[1]} channels and is {meant.shape[1]} wide"
            hint = f"channels come second, height and width behind them: {meant}"
            yield error("CNN106", message, each.span, f"declared as {each.value.type}", hint=hint)
