"""`emit`: a module and its weights as an ONNX model."""

from __future__ import annotations

from pathlib import Path

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.records import dataclass
from convspec.targets.base import Artifact, EmitOptions, Weights, file_stem


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxOptions(EmitOptions):
    """Options of the ONNX target."""

    opset: int | None = None
    """None: the newest that released tools support (`opsets.DEFAULT_OPSET`)."""
    external_data: bool = False
    """Weights in a file of their own beside the model, `<model file>.data`. Past 2 GiB they always are."""
    reuse_data: str | Path | None = None
    """A data file that an earlier compile wrote, in the folder that the model goes to: only the model is written, and its
    weights are those of the file, which has to hold exactly the tensors that this model stores.
    """


class OnnxTarget:
    """ONNX: graph, weights, shapes and provenance. Needs numpy and onnx alone."""

    name = "onnx"
    suffix = ".onnx"
    options: type[EmitOptions] = OnnxOptions

    def emit(self, module: Module, weights: Weights, options: OnnxOptions) -> Artifact:
        """One file, or two with external data. The same arguments give the same bytes.

        Failure CNN090 where something has no exact ONNX form, CNN091 where a name cannot be carried, CNN201 where the weights
        are not those of the graph, CNN401 where there is no such opset. With `reuse_data`, `weights` are not looked at: CNN200
        where there is no such file, CNN201 where it does not fit, CNN401 for an optimised network.
        """
        from convspec.targets.onnx.datafile import external_files, reusing
        from convspec.targets.onnx.model import build_model
        from convspec.targets.onnx.opsets import chosen_opset
        from convspec.targets.onnx.plan import make_plan
        from convspec.targets.onnx.provenance import metadata
        from convspec.targets.onnx.stream import MOST_BYTES, model_file
        from convspec.weights.check import check_arrays

        opset = chosen_opset(options.opset)
        name = file_stem(module, options) + self.suffix
        if options.reuse_data is None:
            check_arrays(weights, module.graph)
        elif module.rewritten:
            raise fail(error("CNN401", "an optimised network cannot reuse data: its weights are computed", hint=REUSE))
        plan = make_plan(module.graph)
        model = build_model(plan, opset, metadata(module))
        if options.reuse_data is not None:
            data = Path(options.reuse_data)
            return Artifact({name: reusing(model, plan.tensors.stored, data)}, {data.name: data})
        whole = model_file(model, plan.tensors.stored, weights)
        if whole.size <= MOST_BYTES and not options.external_data:
            return Artifact({name: whole})
        main, beside = external_files(model, plan.tensors.stored, weights, f"{name}.data", bool(module.rewritten))
        return Artifact({name: main, f"{name}.data": beside})


REUSE = "compile without --reuse-data, or with --optimize 0"

TARGET = OnnxTarget()
