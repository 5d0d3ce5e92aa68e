"""Networks as commands that take several name them, `FILE`, `FILE:Model` or `zoo:name`, and the sizes to count them at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convspec.diagnostics import error, fail
from convspec.limits import DEFAULT, Limits
from convspec.records import dataclass

if TYPE_CHECKING:
    from convspec.api import Net
    from convspec.ir.graph import Graph

NETWORK_HELP = "A .cnn file, FILE:Model for one of its models, or a network of the zoo: zoo:resnet50."


@dataclass(frozen=True, slots=True)
class Named:
    """A network and how it was named. `sizes` are those that the zoo counts it at."""

    title: str
    net: Net
    sizes: Mapping[str, int]

    @property
    def graph(self) -> Graph:
        return self.net.module.graph


def split_name(text: str) -> tuple[str, str | None]:
    """`resnet.cnn:ResNet50` as a file and a model. A file that has a colon in its name is that file."""
    match = re.fullmatch(r"(.+):(\w+)", text, re.DOTALL)
    if match is None or match[1] == "zoo" or Path(text).exists():
        return text, None
    return match[1], match[2]


def resolved(spec: str, model: str | None) -> tuple[Path, str | None]:
    """The file, and the model that a name of the zoo stands for."""
    if not spec.startswith("zoo:"):
        return Path(spec), model
    from convspec.zoo import resolve

    return resolve(spec, model)


def load_named(
    text: str,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    root: Path | None = None,
    limits: Limits = DEFAULT,
    said: str | None = None,
) -> Named:
    """The network; a model in its name wins over `model`. `said` is how it is called in a table."""
    from convspec import api

    spec, named = split_name(text)
    chosen = named or model
    net = api.load(spec, model=chosen, settings=settings, root=root, limits=limits)
    title = said or (f"{text}:{chosen}" if chosen and not named else text)
    return Named(title, net, _zoo_sizes(spec, net))


def _zoo_sizes(spec: str, net: Net) -> Mapping[str, int]:
    if not spec.startswith("zoo:"):
        return {}
    from convspec.zoo import networks

    return next((network.sizes for network in networks() if network.name == net.module.name), {})


def all_sizes(named: Named, given: Mapping[str, int]) -> dict[str, int]:
    """A value for every symbolic size: the one given, else the zoo's, else that of a picture of the usual size, one of them.

    Names that the network does not have are left out.
    """
    from convspec.analysis.sizes import symbolic_sizes
    from convspec.draw.basis import choose_basis

    known = symbolic_sizes(named.graph)
    mine = {name: value for name, value in {**named.sizes, **given}.items() if name in known}
    return choose_basis(named.graph, known, mine)


def check_known(given: Mapping[str, int], networks: Iterable[Named]) -> None:
    """Failure CNN401 for a size that none of several networks has, and for one below its least."""
    from convspec.analysis.sizes import check_sizes, symbolic_sizes

    known = [symbolic_sizes(named.graph) for named in networks]
    every = {name for sizes in known for name in sizes}
    for name in given:
        if name not in every:
            hint = f"the inputs have {', '.join(sorted(every))}" if every else "all sizes of the networks are plain numbers"
            raise fail(error("CNN401", f"there is no symbolic size `{name}`", hint=hint))
    for sizes in known:
        check_sizes({name: value for name, value in given.items() if name in sizes}, sizes)


__all__ = ["NETWORK_HELP", "Named", "all_sizes", "check_known", "load_named", "resolved", "split_name"]
