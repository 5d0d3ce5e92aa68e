"""The mappings that the package ships: `zoo:keras/ResNet50`, from what Keras calls the layers of a network of the zoo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from convspec.diagnostics import error, fail
from convspec.elaborate.libraries import LIBRARIES, plain
from convspec.elaborate.nearest import did_you_mean
from convspec.weights.mapping import read_mapping
from convspec.weights.names import shown
from convspec.weights.sources.base import Source
from convspec.weights.sources.keras_layers import class_of, snake_case

PREFIX = "zoo:"
FOLDER = LIBRARIES["zoo"]


def is_shipped(mapping: str | Path) -> bool:
    """Whether a mapping is named by `zoo:` and not by where it lies."""
    return str(mapping).startswith(PREFIX)


def shipped_mapping(name: str | Path, source: Source) -> dict[str, str]:
    """The mapping called so, however the network is spelt, numbered as `source` is. Failure CNN204 where there is none."""
    return renumbered(read_mapping(_find(Path(name).as_posix().removeprefix(PREFIX))), source)


def _find(name: str) -> Path:
    known = {_plain(path): path for path in sorted(FOLDER.glob("*/*.toml"))}
    wanted = _plain(Path(name))
    if wanted in known:
        return known[wanted]
    networks = {key.rpartition("/")[2]: path for key, path in known.items()}
    network = wanted.rpartition("/")[2]
    near = f"`{network}`" if network in networks else did_you_mean(network, networks) if network else None
    found = next((path for key, path in networks.items() if near and f"`{key}`" in near), None)
    hint = f"did you mean `{PREFIX}{found.parent.name}/{found.stem}`?" if found else "docs/weights.md says which there are"
    raise fail(error("CNN204", f"the zoo has no mapping `{shown(name)}`", hint=hint))


def _plain(path: Path) -> str:
    """`keras/resnet50`, with or without the suffix."""
    return f"{path.parent.name}/{plain(path.name.removesuffix('.toml'))}"


def renumbered(mapping: Mapping[str, str], source: Source) -> dict[str, str]:
    """The mapping, with the numbers of `conv2d`, `conv2d_1`, … moved to where those of the file begin.

    Keras numbers layers that have no name through a whole session: a network's first may be `conv2d_5`. Where the file has
    other numbers than the mapping, but as many and all in a row, their order is the same.
    """
    layers = dict.fromkeys(name.partition("/")[0] for name in source.tensors)
    new = {entry: entry for entry in mapping}
    for base in [entry for entry in mapping if snake_case(class_of(entry) or "") == entry]:
        ours, theirs = _numbered(base, mapping), _numbered(base, layers)
        row = range(min(theirs, default=0), min(theirs, default=0) + len(ours))
        if sorted(ours) == list(range(len(ours))) and sorted(theirs) == list(row):
            new |= {ours[index]: theirs[number] for index, number in enumerate(row)}
    return {new[entry]: label for entry, label in mapping.items()}


def _numbered(base: str, names: Mapping[str, object]) -> dict[int, str]:
    """By their numbers the names that Keras makes of a class: `conv2d` is 0."""
    found = ((name, re.fullmatch(rf"{base}(?:_([1-9]\d{{0,8}}))?", name)) for name in names)
    return {int(match[1] or 0): name for name, match in found if match}


__all__ = ["is_shipped", "renumbered", "shipped_mapping"]
