"""The `.h5` files of Keras 2, which Keras 3 writes too when asked: layers in order, weights with names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from convspec.weights.names import quoted
from convspec.weights.sources.base import Source, StoredTensor
from convspec.weights.sources.hdf5 import Dataset, Group
from convspec.weights.sources.reading import explained, refused

STATISTICS = {"mean:0", "variance:0", "count:0"}
"""What a layer that normalises pictures has: no weights."""

SAVE = "load it in Keras and save it again: model.save_weights('model.weights.h5')"


def is_legacy(tree: Group) -> bool:
    """Whether the file is one: of weights (`layer_names` at the top), or of a whole model."""
    return "model_weights" in tree.groups or _has(tree, "layer_names")


def read(path: Path, tree: Group) -> Source:
    """The weights, in the order of `layer_names` and `weight_names`. Failure CNN200 for what is not as Keras writes it."""
    top = tree.groups.get("model_weights", tree)
    tensors: dict[str, StoredTensor] = {}
    with explained(path):
        for layer in _texts(path, top, "layer_names"):
            group = _group(top, layer.split("/"))
            if group is None:
                raise refused(path, f"it names a layer {quoted(layer)} and has none", hint=SAVE)
            for name, stored in _weights(path, layer, group):
                if name in tensors:
                    raise refused(path, f"it has two tensors named {quoted(name)}", hint=SAVE)
                tensors[name] = stored
    if not tensors:
        raise refused(path, "it holds no weights of layers", hint=SAVE)
    return Source(path, "keras", tensors, {})


def _weights(path: Path, layer: str, group: Group) -> Iterator[tuple[str, StoredTensor]]:
    """`conv1/kernel:0` of the layer `conv1` → `conv1/kernel`; what is in a nested model keeps the levels between."""
    found = _texts(path, group, "weight_names")
    constant = {written.rpartition("/")[2] for written in found} == STATISTICS
    for written in found:
        dataset = _find(group, written)
        if dataset is None:
            raise refused(path, f"it names {quoted(written)} in {quoted(layer)} and has none", hint=SAVE)
        name = f"{layer}/{written.removesuffix(':0').removeprefix(f'{layer}/')}"
        role = "constant" if constant else _role(layer, name.rpartition("/")[2])
        yield name, StoredTensor(name=name, dtype=dataset.dtype, shape=dataset.shape, read=dataset.read, role=role)


def _role(layer: str, name: str) -> str:
    """`kernel` for `block1_conv1_W_1` too, as Keras 1 wrote it: VGG's files of ImageNet are of its age."""
    found = re.fullmatch(rf"{re.escape(layer)}_(W|b)(?:_\d+)?", name)
    return {"W": "kernel", "b": "bias"}[found[1]] if found else name


def _find(group: Group, written: str) -> Dataset | None:
    *levels, last = written.split("/")
    inner = _group(group, levels)
    return inner.datasets.get(last) if inner else None


def _group(group: Group, levels: Sequence[str]) -> Group | None:
    """A group inside; a layer whose name holds slashes, `conv1/bn`, lies in several."""
    for level in levels:
        inner = group.groups.get(level)
        if inner is None:
            return None
        group = inner
    return group


def _has(group: Group, name: str) -> bool:
    return name in group.handle.attrs or f"{name}0" in group.handle.attrs


def _texts(path: Path, group: Group, name: str) -> list[str]:
    """An attribute that is a list of texts; Keras cuts long ones into `<name>0`, `<name>1`, …"""
    attributes = group.handle.attrs
    if not _has(group, name):
        raise refused(path, f"it has no list {quoted(name)} where Keras writes one", hint=SAVE)
    keys = [name] if name in attributes else []
    while not keys or (keys[-1] != name and f"{name}{len(keys)}" in attributes):
        keys.append(f"{name}{len(keys)}")
    found = [item for key in keys for item in attributes[key]]
    return [item.decode("utf-8") if isinstance(item, bytes) else str(item) for item in found]


__all__ = ["is_legacy", "read"]
