"""Which networks the zoo has, from `index.json`: nothing is compiled to list them.

`python -m convspec.zoo.index` writes that file anew after a change of a spec.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from convspec.diagnostics import error, fail
from convspec.elaborate.libraries import LIBRARIES, plain, shipped
from convspec.elaborate.nearest import did_you_mean
from convspec.records import dataclass

FOLDER = LIBRARIES["zoo"]
INDEX = FOLDER / "index.json"
PREFIX = "zoo:"


@dataclass(frozen=True, slots=True)
class Network:
    """A network of the zoo, and what it comes to."""

    name: str
    """The model's name in its file."""
    library: str
    """Its file, as `use` names it: `zoo:resnet`."""
    summary: str
    paper: str
    """Authors and year, with the arXiv number or the venue."""
    inputs: tuple[str, ...]
    """`image: float32[1, 3, 224, 224]`, at `sizes`."""
    parameters: int
    """Learnable elements."""
    macs: int
    """Of one forward pass at `sizes`."""
    receptive_field: str
    """`483x483`: of the last layer that still has space; `all` where that sees the whole input."""
    sizes: Mapping[str, int]
    """The values of symbolic sizes for which MACs are given."""

    @property
    def path(self) -> Path:
        """The spec."""
        return FOLDER / f"{self.library.removeprefix(PREFIX)}.cnn"

    def to_json(self) -> dict[str, Any]:
        """As in `index.json`."""
        return asdict(self)


@cache
def networks() -> tuple[Network, ...]:
    """Every network, by file, in the order of the file."""
    rows = json.loads(INDEX.read_text(encoding="utf-8"))
    return tuple(Network(**{**row, "inputs": tuple(row["inputs"])}) for row in rows)


def find(name: str) -> Network:
    """The network called so, however its name is spelt. Failure CNN402 where there is none."""
    wanted = plain(name.removeprefix(PREFIX))
    known = {plain(network.name): network for network in networks()}
    if wanted in known:
        return known[wanted]
    hint = _hint(name.removeprefix(PREFIX), list(known))
    raise fail(error("CNN402", f"the zoo has no network `{name.removeprefix(PREFIX)}`", hint=hint))


def _hint(name: str, known: list[str]) -> str:
    """A file of the zoo has several networks; else the nearest name."""
    if f"{PREFIX}{name}" in shipped("zoo"):
        return f"{PREFIX}{name} is a file, with {', '.join(n.name for n in networks() if n.library == f'{PREFIX}{name}')}"
    near = did_you_mean(plain(name), known)
    found = next((n.name for n in networks() if near and f"`{plain(n.name)}`" in near), None)
    return f"did you mean `{found}`?" if found else "`convspec zoo list` shows all that it has"


def resolve(path: str | Path, model: str | None) -> tuple[Path, str | None]:
    """The file and the model that `zoo:resnet50`, or `zoo:resnet` with a model, stand for; any other path is what it is.

    Failure CNN402 where the zoo has neither a network nor a file of that name.
    """
    text = str(path)
    if not text.startswith(PREFIX):
        return Path(path), model
    if model is None and plain(text.removeprefix(PREFIX)) in {plain(network.name) for network in networks()}:
        network = find(text)
        return network.path, network.name
    if text in shipped("zoo"):
        return FOLDER / f"{text.removeprefix(PREFIX)}.cnn", model
    network = find(text)
    return network.path, model or network.name


__all__ = ["FOLDER", "INDEX", "PREFIX", "Network", "find", "networks", "plain", "resolve"]
