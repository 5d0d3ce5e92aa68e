"""The artifact: the generated file and its weights."""

from __future__ import annotations

from convspec.elaborate.module import Module
from convspec.targets.base import Artifact, Weights
from convspec.targets.files import Content
from convspec.targets.pytorch.source import generate


def emit(module: Module, weights: Weights, stem: str, straight: bool = False) -> Artifact:
    """`<stem>.py` and, where the network has weights, `<stem>.safetensors` with exactly the keys of its `state_dict`."""
    from convspec.weights.store import content

    files: dict[str, Content] = {f"{stem}.py": generate(module, stem, straight=straight).text}
    if module.graph.parameters():
        files[f"{stem}.safetensors"] = content(weights, module.name)
    return Artifact(files)
