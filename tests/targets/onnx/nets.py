"""Small networks from text, compiled to ONNX with weights that leave no identity, and run beside the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from convspec.elaborate import Module, loads
from convspec.ir.dims import evaluate as size_of
from convspec.ir.types import Array
from convspec.runtime import reference
from convspec.targets.base import Artifact
from convspec.targets.onnx import TARGET, OnnxOptions
from convspec.weights.randomised import randomised

ALLOWED = 1e-5
"""Scaled error, semantics.md decision 3."""


@dataclass(frozen=True)
class Net:
    """A module and its weights."""

    module: Module
    weights: Mapping[str, Array]

    def artifact(self, **options: Any) -> Artifact:
        return TARGET.emit(self.module, self.weights, OnnxOptions(**options))

    def proto(self, **options: Any) -> Any:
        """The ModelProto, as onnx parses the file."""
        return import_module("onnx").load_from_string(self.artifact(**options).data())

    def inputs(self, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Array]:
        draw = np.random.default_rng(seed)
        found = {}
        for graph_input in self.module.graph.inputs:
            shape = [size_of(size, sizes) for size in graph_input.value.type.shape]
            found[graph_input.value.name] = draw.standard_normal(shape).astype(np.float32)
        return found

    def expected(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """By the reference, in float64."""
        return reference.evaluate(self.module.graph, self.weights, inputs).outputs


def net(text: str, model: str | None = None) -> Net:
    module = loads(text, "net.cnn", model)
    return Net(module, randomised(module.graph, 1))


def session(model: bytes | str) -> Any:
    """Of ONNX Runtime on the CPU. It writes warnings to standard error."""
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 2
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(model: bytes | str, inputs: Mapping[str, Array]) -> dict[str, Array]:
    opened = session(model)
    names = [output.name for output in opened.get_outputs()]
    return dict(zip(names, opened.run(names, dict(inputs)), strict=True))


def assert_equal(found: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    """The same names, shapes and, within ALLOWED, numbers."""
    assert list(found) == list(expected)
    for name, want in expected.items():
        assert found[name].shape == want.shape, name
        worst = np.abs(found[name] - want).max() / np.abs(want).max()
        assert worst <= ALLOWED, f"{name}: scaled error {worst:.1e}"


def shape_of(info: Any) -> list[int | str]:
    """A ValueInfoProto's shape; "" for a size that is not known."""
    return [d.dim_value if d.HasField("dim_value") else d.dim_param for d in info.type.tensor_type.shape.dim]
