"""Where a compiled model comes from, and what a spec says beyond the graph: the entries of `metadata_props`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from convspec.elaborate.module import Module
from convspec.ir.dims import minima
from convspec.ir.graph import Graph
from convspec.ir.indices import index_ranges
from convspec.version import VERSION

LANGUAGE = 1
"""The language of a spec that does not say `language`."""


def metadata(module: Module) -> dict[str, str]:
    """The entries, all of them the same on every machine for the same sources and settings.

    `convspec.spec_sha256` is the hash of the main file as it is read (UTF-8, without a byte order mark); the files that it
    imports follow in `convspec.imports_sha256`, a JSON list. `convspec.rewritten` says what was done to the network
    since. `convspec.picture`, `convspec.bounds` and `convspec.indices` are JSON objects: how pictures become an input, the
    least value of a symbolic size where that is not 1, and which elements of an input are indices, below what.
    """
    main, *imports = [hashlib.sha256(file.span.file.text.encode()).hexdigest() for file in module.files]
    entries = {
        "convspec.version": VERSION,
        "convspec.language": str(module.files[0].language or LANGUAGE),
        "convspec.model": module.name,
        "convspec.settings": _json(dict(module.settings)),
        "convspec.spec_sha256": main,
    }
    if module.rewritten:
        entries["convspec.rewritten"] = module.rewritten
    if imports:
        entries["convspec.imports_sha256"] = _json(imports)
    return entries | _interface(module.graph)


def _interface(graph: Graph) -> dict[str, str]:
    pictures = {i.value.name: asdict(i.picture) for i in graph.inputs if i.picture is not None}
    bounds: dict[str, int] = {}
    for graph_input in graph.inputs:
        for size in graph_input.value.type.shape:
            bounds |= {name: least for name, least in minima(size).items() if least != 1}
    indices = {name: [asdict(each) for each in ranges] for name, ranges in index_ranges(graph).items()}
    entries = {"convspec.picture": pictures, "convspec.bounds": bounds, "convspec.indices": indices}
    return {name: _json(value) for name, value in entries.items() if value}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
