"""Keras's `.keras` and `.weights.h5`, read without Keras: tensors named `<layer>/<variable>` in the order of the layers.

In a `.keras` archive config.json gives names, classes, settings and order. A bare `.weights.h5` has layers in groups that are
named after classes and counted, with the layer's own name as an attribute, and variables that are numbered. What can be had
from that: names; variables by class and number (but for a norm with one of gamma and beta: role `gamma_or_beta`); the order
in which layers were written, which is that of the model, by where they lie in the file. What cannot: settings. A subclassed
model's layers go by attribute, but those whose attribute sorts behind `layers`: Keras writes them by their own names.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from convspec.weights.names import quoted
from convspec.weights.sources import keras_legacy
from convspec.weights.sources.archive import check_archive, member_slice
from convspec.weights.sources.base import Source, StoredTensor
from convspec.weights.sources.hdf5 import Dataset, Group, read_tree
from convspec.weights.sources.keras_layers import CONSTANT, FOREIGN, PARTS, class_of, snake_case, variables
from convspec.weights.sources.reading import FileBytes, explained, refused

Config: TypeAlias = "Mapping[str, Any]"

WEIGHTS = "model.weights.h5"
LARGEST_CONFIG = 1 << 26

NO_LAYERS = ("optimizer", "metrics", "loss_tracker", "compile_metrics", "seed_generator", "random_generator")
"""Groups that hold the state of training or of random numbers, with or without `_` before."""


def open_keras(path: Path) -> Source:
    """The weights of a Keras file of any kind. Failure CNN200, or CNN303 without h5py."""
    file = FileBytes.of(path)
    with explained(path):
        if file.read(0, min(file.size, 4)).tobytes() == b"PK\x03\x04":
            return _archive(file)
        tree = read_tree(path, path.open("rb"))
        if keras_legacy.is_legacy(tree):
            return keras_legacy.read(path, tree)
        return _source(path, _Reader(path).model(tree, "", None), {})


def _archive(file: FileBytes) -> Source:
    """A `.keras` file."""
    path = file.path
    members = check_archive(path, compressed=True)
    if WEIGHTS not in members:
        hint = "save the model again, with model.save('model.keras') or model.save_weights('model.weights.h5')"
        raise refused(path, f"the archive has no {WEIGHTS}", hint=hint)
    config = _config(path, members)
    tree = read_tree(path, _member(file, members[WEIGHTS]))
    inner = config.get("config")
    name = inner.get("name") if isinstance(inner, Mapping) else None
    metadata = {"class": str(config.get("class_name", "")), "model": str(name or "")}
    return _source(path, _Reader(path).model(tree, "", inner), metadata)


def _source(path: Path, found: Iterable[StoredTensor], metadata: dict[str, str]) -> Source:
    tensors: dict[str, StoredTensor] = {}
    for stored in found:
        if stored.name in tensors:
            raise refused(path, f"it has two tensors named {quoted(stored.name)}")
        tensors[stored.name] = stored
    if not tensors:
        raise refused(path, "it holds no weights of layers", hint="save the weights of a model that is built")
    return Source(path, "keras", tensors, metadata)


def _config(path: Path, members: Mapping[str, zipfile.ZipInfo]) -> Config:
    member = members.get("config.json")
    if member is None or member.file_size > LARGEST_CONFIG:
        raise refused(path, "the archive has no config.json of a reasonable size")
    with explained(path), zipfile.ZipFile(path) as archive:
        try:
            found = json.loads(archive.read(member))
        except RecursionError:
            raise refused(path, "its config.json is nested too deeply") from None
        except ValueError as problem:
            raise refused(path, f"its config.json is not JSON: {problem}") from None
    if not isinstance(found, dict) or not isinstance(found.get("config"), dict):
        raise refused(path, "its config.json does not describe a model")
    return found


def _member(file: FileBytes, member: zipfile.ZipInfo) -> BinaryIO:
    """A member to seek in: a part of the file, as Keras stores it; one that is compressed is unpacked."""
    if member.compress_type == zipfile.ZIP_STORED:
        return member_slice(file, member)
    with explained(file.path), zipfile.ZipFile(file.path) as archive:
        return io.BytesIO(archive.read(member))


class _Reader:
    """Walks the groups of a file along the configuration, if there is one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def model(self, group: Group, prefix: str, config: Config | None) -> Iterator[StoredTensor]:
        """A model's own layers in their order, then what it has as attributes."""
        layers = _layer_configs(config)
        yield from self._own(group, prefix, None, None)
        container = group.groups.get("layers")
        if container is not None:
            for key, name, inner in self._ordered(container, layers):
                yield from self.layer(inner, prefix + name, key, layers.get(name) if layers else None)
        yield from self._attributes(group, prefix, skip="layers")

    def layer(self, group: Group, name: str, key: str, entry: Config | None) -> Iterator[StoredTensor]:
        """One layer, which may be a model. `key` is its group's name, `entry` what the configuration says of it."""
        kind = str(entry.get("class_name")) if entry else class_of(key) or class_of(_name_of(group) or "")
        config = entry.get("config") if entry else None
        config = config if isinstance(config, dict) else None
        if not any(group.all_datasets()):
            return
        if kind in FOREIGN:
            raise refused(self.path, f"its layer {quoted(name)} is a {kind}, of which no network here is made", hint=None)
        if "layers" in group.groups:
            yield from self.model(group, name + "/", config)
            return
        yield from self._own(group, name + "/", kind, config)
        yield from self._parts(group, name) if kind == "MultiHeadAttention" else self._attributes(group, name + "/")

    def _own(self, group: Group, prefix: str, kind: str | None, config: Config | None) -> Iterator[StoredTensor]:
        """The variables that belong to the layer itself: `vars/0`, `vars/1`, …"""
        found = group.groups.get("vars")
        datasets = self._numbered(found, prefix) if found else []
        if not datasets:
            return
        names = variables(kind, config, [dataset.shape for dataset in datasets])
        for index, dataset in enumerate(datasets):
            role = names[index] if names else None
            seen = "constant" if kind in CONSTANT else role
            yield _stored(f"{prefix}{role or index}", dataset, seen)

    def _numbered(self, group: Group, prefix: str) -> list[Dataset]:
        wanted = [str(index) for index in range(len(group.datasets))]
        if group.groups or set(wanted) != set(group.datasets):
            raise refused(self.path, f"the variables of {quoted(prefix.rstrip('/'))} are not numbered from 0")
        return [group.datasets[key] for key in wanted]

    def _parts(self, group: Group, name: str) -> Iterator[StoredTensor]:
        """MultiHeadAttention: the dense layers inside become `<layer>/query_kernel` and so on."""
        for attribute, part in PARTS.items():
            inner = group.groups.get(attribute) or group.groups.get(f"_{attribute}")
            for stored in self._own(inner, "", "EinsumDense", None) if inner else ():
                role = f"{part}_{stored.role}"
                yield StoredTensor(name=f"{name}/{role}", dtype=stored.dtype, shape=stored.shape, read=stored.read, role=role)

    def _attributes(self, group: Group, prefix: str, skip: str = "") -> Iterator[StoredTensor]:
        """Layers that are attributes of a layer or of a subclassed model, by the attribute's name; lists hold them by class."""
        inner = {key: found for key, found in group.groups.items() if key not in ("vars", skip)}
        for key, found in _as_written(inner):
            if not key.lstrip("_").startswith(NO_LAYERS):
                yield from self.layer(found, prefix + key, key, None)

    def _ordered(self, container: Group, layers: Config) -> list[tuple[str, str, Group]]:
        """The groups of a model's layers in the model's order: key, the layer's name, group."""
        if not layers:
            return [(key, _name_of(group) or key, group) for key, group in _as_written(container.groups)]
        positions = {name: index for index, name in enumerate(layers)}
        if any(_name_of(group) is None for group in container.groups.values() if group.groups):
            return _by_counter(container, layers)
        unknown = [_name_of(group) for group in container.groups.values() if _name_of(group) not in positions]
        if unknown:
            raise refused(
                self.path, f"it has weights for {quoted(str(unknown[0]))}, a layer that its config.json does not have"
            )
        found = [(key, _name_of(group) or "", group) for key, group in container.groups.items()]
        return sorted(found, key=lambda item: positions[item[1]])


def _stored(name: str, dataset: Dataset, role: str | None) -> StoredTensor:
    return StoredTensor(name=name, dtype=dataset.dtype, shape=dataset.shape, read=dataset.read, role=role)


def _layer_configs(config: Config | None) -> dict[str, Config]:
    """A model's layers by name, in their order; empty where the configuration is of something else."""
    layers = config.get("layers") if config else None
    found: dict[str, Config] = {}
    for entry in layers if isinstance(layers, list) else ():
        inner = entry.get("config") if isinstance(entry, dict) else None
        name = inner.get("name") if isinstance(inner, dict) else None
        if isinstance(name, str):
            found[name] = entry
    return found


def _name_of(group: Group) -> str | None:
    """The layer's name, which Keras writes to the group of its variables (from 3.2 on)."""
    own = group.groups.get("vars")
    return own.text("name") if own else None


def _by_counter(container: Group, layers: Config) -> list[tuple[str, str, Group]]:
    """For files without names: the key that Keras gives each layer of the configuration, counting layers of a class."""
    counts: dict[str, int] = {}
    found = []
    for name, entry in layers.items():
        base = snake_case(str(entry.get("class_name")))
        counts[base] = counts.get(base, -1) + 1
        key = f"{base}_{counts[base]}" if counts[base] else base
        if key in container.groups:
            found.append((key, name, container.groups[key]))
    return found


def _as_written(groups: Mapping[str, Group]) -> list[tuple[str, Group]]:
    """Groups in the order of writing. A group's highest address tells it, but for one that found room in a gap: then it
    comes behind those of its class that have lower counters, all of which were written before.
    """
    numbered: Callable[[str], tuple[str, int]] = _counted
    latest: dict[str, int] = {}
    keys: dict[str, tuple[int, int]] = {}
    for key in sorted(groups, key=numbered):
        base, number = numbered(key)
        latest[base] = max(latest.get(base, 0), groups[key].last_address)
        keys[key] = (latest[base], number)
    return sorted(groups.items(), key=lambda item: keys[item[0]])


def _counted(key: str) -> tuple[str, int]:
    base, _, number = key.rpartition("_")
    return (base, int(number)) if base and number.isascii() and number.isdigit() and len(number) < 10 else (key, 0)


__all__ = ["open_keras"]
