"""The PyTorch target: a readable source file that needs only torch, and its weights; live modules made from that source."""

from __future__ import annotations

from dataclasses import dataclass

from convspec.elaborate.module import Module
from convspec.targets.base import Artifact, EmitOptions, Weights, file_stem
from convspec.targets.pytorch.package import export_pt2, to_torch


@dataclass(frozen=True, slots=True, kw_only=True)
class PyTorchOptions(EmitOptions):
    """`straight`: one statement a layer with plain numbers, instead of the blocks and loops of the spec."""

    straight: bool = False


class PyTorchTarget:
    """`<stem>.py`, which needs torch, and `<stem>.safetensors` where the network has weights."""

    name = "pytorch"
    suffix = ".py"
    options: type[EmitOptions] = PyTorchOptions

    def emit(self, module: Module, weights: Weights, options: PyTorchOptions) -> Artifact:
        """Both files. Failure CNN090 for what PyTorch cannot express exactly, CNN091 for a label that it cannot carry."""
        from convspec.targets.pytorch.emit import emit

        return emit(module, weights, file_stem(module, options), straight=options.straight)


TARGET = PyTorchTarget()

__all__ = ["TARGET", "PyTorchOptions", "PyTorchTarget", "export_pt2", "to_torch"]
