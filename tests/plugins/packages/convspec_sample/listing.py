"""A target: the network as lines of text, by a table of its own that says how each layer is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from convspec.diagnostics import Failure, error
from convspec.elaborate.module import Module
from convspec.ir.graph import Node
from convspec.targets.base import Artifact, EmitOptions, Weights, file_stem

LOWERINGS: Mapping[str, Callable[[Any], str]] = {
    "conv": lambda a: f"convolve {a.filters} of {'x'.join(map(str, a.kernel))}",
    "relu": lambda a: "rectify",
    "scaled_tanh": lambda a: f"squash to {a.amplitude}",
}


class Listing:
    """`convspec compile net.cnn --target listing`."""

    name = "listing"
    suffix = ".txt"
    options = EmitOptions

    def emit(self, module: Module, weights: Weights, options: EmitOptions) -> Artifact:
        """One file. Failure CNN090 for every layer that the table does not have."""
        missing = [node for node in module.graph.nodes if node.op.name not in LOWERINGS]
        if missing:
            raise Failure([error("CNN090", f"listing cannot express `{n.op.name}`", n.span, frames=n.frames) for n in missing])
        lines = [f"{node.path}: {self.line(node)}" for node in module.graph.nodes]
        lines.append(f"{sum(array.size for array in weights.values())} numbers")
        return Artifact({f"{file_stem(module, options)}.txt": "\n".join(lines) + "\n"})

    def line(self, node: Node) -> str:
        """How the table writes a layer."""
        return LOWERINGS[node.op.name](node.attrs)
