"""The TensorFlow target: a readable Keras 3 source file, channels last, and its weights in Keras layouts."""

from __future__ import annotations

from dataclasses import dataclass

from convspec.elaborate.module import Module
from convspec.targets.base import Artifact, EmitOptions, Weights, file_stem
from convspec.targets.tensorflow.artifact import emit
from convspec.targets.tensorflow.packaging import export_savedmodel, save_keras, to_keras


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFlowOptions(EmitOptions):
    """`straight`: one statement a layer with plain numbers, instead of the blocks and loops of the spec."""

    straight: bool = False


class TensorFlowTarget:
    """`<stem>.py`, which needs keras and safetensors, and `<stem>.safetensors` where the network has weights."""

    name = "tensorflow"
    suffix = ".py"
    options: type[EmitOptions] = TensorFlowOptions

    def emit(self, module: Module, weights: Weights, options: TensorFlowOptions) -> Artifact:
        """Both files. Failure CNN090 for what Keras cannot express exactly, CNN091 for a name that it cannot carry."""
        return emit(module, weights, file_stem(module, options), straight=options.straight)


TARGET = TensorFlowTarget()

__all__ = ["TARGET", "TensorFlowOptions", "TensorFlowTarget", "export_savedmodel", "save_keras", "to_keras"]
