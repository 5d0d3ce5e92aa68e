"""What the tests of elaboration share: small specs in, names, shapes and codes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from convspec.diagnostics import Diagnostic, Failure
from convspec.elaborate import Module, loads
from convspec.elaborate.module import BindEvent
from convspec.limits import DEFAULT, Limits
from convspec.syntax import ast


def network(body: str, before: str = "", inputs: str = "input x: float32[N, 3, 8, 8]") -> Module:
    """A module from the statements of a model's body."""
    return loads(f"{before}\nmodel Net {{\n{inputs}\n{body}\n}}")


def paths(module: Module) -> list[str]:
    return [node.path for node in module.graph.nodes]


def weights(module: Module) -> dict[str, tuple[int, ...]]:
    return {name: parameter.shape for name, parameter in module.graph.parameters().items()}


def outputs(module: Module) -> dict[str, str]:
    return {output.name: str(output.value.type) for output in module.graph.outputs}


def errors(text: str, settings: Mapping[str, Any] | None = None, limits: Limits = DEFAULT) -> list[Diagnostic]:
    """The diagnostics of a spec that must fail."""
    with pytest.raises(Failure) as caught:
        loads(text, settings=settings, limits=limits)
    assert caught.value.diagnostics
    return caught.value.diagnostics


def messages(body: str, before: str = "", inputs: str = "input x: float32[N, 3, 8, 8]") -> list[str]:
    """The messages of a body that must fail."""
    return [diagnostic.message for diagnostic in errors(f"{before}\nmodel Net {{\n{inputs}\n{body}\n}}")]


def codes(body: str, before: str = "", inputs: str = "input x: float32[N, 3, 8, 8]") -> list[str]:
    """The codes of a body that must fail."""
    return [diagnostic.code for diagnostic in errors(f"{before}\nmodel Net {{\n{inputs}\n{body}\n}}")]


def value_of(expression: str, before: str = "", inputs: str = "input x: float32[N, 3, 8, 8]") -> Any:
    """The value of an expression, read from the trace of a model that binds it."""
    module = network(f"v = {expression}\noutput x -> relu", before, inputs)
    (statement,) = [s for s in module.root.block.body.statements if isinstance(s, ast.Assign)]
    event = module.root.events[statement, ()]
    assert isinstance(event, BindEvent)
    return event.values[0]
