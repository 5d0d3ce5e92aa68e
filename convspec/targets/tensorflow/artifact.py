"""The artifact: the generated file and its weights."""

from __future__ import annotations

from convspec.elaborate.module import Module
from convspec.targets.base import Artifact, Weights
from convspec.targets.files import Content
from convspec.targets.tensorflow.network import Network, prepare
from convspec.targets.tensorflow.readable.program import print_readable
from convspec.targets.tensorflow.straight import print_straight
from convspec.targets.tensorflow.validate import differences
from convspec.targets.tensorflow.weights import content


def emit(module: Module, weights: Weights, stem: str, straight: bool = False) -> Artifact:
    """`<stem>.py` and, where the network has weights, `<stem>.safetensors`."""
    network = prepare(module.graph)
    files: dict[str, Content] = {f"{stem}.py": print_source(module, network, stem, straight)}
    if network.variables:
        files[f"{stem}.safetensors"] = content(tuple(network.variables), weights)
    return Artifact(files)


def print_source(module: Module, network: Network, stem: str, straight: bool = False) -> str:
    """The text of the Python file, proven against the network: the readable form where there is one, else straight-line."""
    if not straight and not module.rewritten:
        text = _readable(module, network, stem)
        if text is not None:
            return text
    text = print_straight(network, stem)
    found = differences(text, network)
    if found:
        raise WrongSource("; ".join(mismatch.what for mismatch in found))
    return text


class WrongSource(AssertionError):
    """Generated source that does not say what the network says: a bug of a printer, found before the file was handed out."""


def _readable(module: Module, network: Network, stem: str) -> str | None:
    """The readable form, or None where the printer has no words for something, or finds others than are right."""
    try:
        for mutable in (False, True):
            text = print_readable(module, network, stem, mutable)
            if not differences(text, network):
                return text
    except Exception:  # no words, or a bug of the walk, which must not keep the user from a right, if plainer, file
        return None
    return None
