"""`emit`: a module and its weights as an ONNX model."""

from __future__ import annotations

from dataclasses import dataclass

from convspec.elaborate.module import Module
from convspec.targets.base import Artifact, EmitOptions, Weights, file_stem

LEAST_EXTERNAL = 1024
"""Bytes from which a tensor's data goes into the external file. Smaller ones stay: shape inference needs sizes and pads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxOptions(EmitOptions):
    """Options of the ONNX target."""

    opset: int | None = None
    """None: the newest that released tools support (`opsets.DEFAULT_OPSET`)."""
    external_data: bool = False
    """Weights in a file of their own beside the model, `<model file>.data`. Past 2 GiB they always are."""


class OnnxTarget:
    """ONNX: graph, weights, shapes and provenance. Needs numpy and onnx alone."""

    name = "onnx"
    suffix = ".onnx"
    options: type[EmitOptions] = OnnxOptions

    def emit(self, module: Module, weights: Weights, options: OnnxOptions) -> Artifact:
        """One file, or two with external data. The same arguments give the same bytes.

        Failure CNN090 where something has no exact ONNX form, CNN091 where a name cannot be carried, CNN201 where the weights
        are not those of the graph, CNN401 where there is no such opset.
        """
        from convspec.targets.onnx.model import build_model
        from convspec.targets.onnx.opsets import chosen_opset
        from convspec.targets.onnx.plan import make_plan
        from convspec.targets.onnx.provenance import metadata
        from convspec.targets.onnx.stream import MOST_BYTES, external_files, model_file
        from convspec.weights.check import check_arrays

        opset = chosen_opset(options.opset)
        check_arrays(weights, module.graph)
        plan = make_plan(module.graph, weights)
        model = build_model(plan, opset, metadata(module))
        name = file_stem(module, options) + self.suffix
        whole = model_file(model, plan.tensors.stored)
        if whole.size <= MOST_BYTES and not options.external_data:
            return Artifact({name: whole})
        main, data = external_files(model, plan.tensors.stored, f"{name}.data", LEAST_EXTERNAL)
        return Artifact({name: main, f"{name}.data": data})


TARGET = OnnxTarget()
