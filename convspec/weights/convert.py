"""Weights of any format into a spec's names and layout: every tensor placed and reported, or nothing at all.

How tensors find each other: by equal names (a Keras layer's name is a label, its variable's name a role), by a mapping, or by
structure (see matching). Layouts come from layouts.py; where a Keras model has one of our own names and shapes, from the Keras
target itself. A float of another width is a misfit, unless `cast` asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir.graph import Graph, Parameter
from convspec.ir.types import FLOATS, Array
from convspec.weights import matching
from convspec.weights.check import Misfits, Stored
from convspec.weights.dtypes import numpy_dtype
from convspec.weights.init import drawn_parameters
from convspec.weights.layouts import Layout
from convspec.weights.mapping import mapped_names, read_mapping, targets
from convspec.weights.names import ignored, quoted
from convspec.weights.placing import Placing
from convspec.weights.report import Conversion, Initialised, LeftOut, Row
from convspec.weights.shipped import is_shipped, shipped_mapping
from convspec.weights.sources.base import Source, StoredTensor
from convspec.weights.streaming import LazyWeights

Match: TypeAlias = Literal["exact", "structure"]
Mappings: TypeAlias = "Mapping[str, str] | str | Path | None"


def convert(
    module: Module,
    source: str | Path | Source,
    *,
    mapping: Mappings = None,
    match: Match = "exact",
    allow_missing: Sequence[str] = (),
    seed: int = 0,
    cast: bool = False,
    lazy: bool = False,
) -> Conversion:
    """Every parameter of `module` from `source`, in canonical layout.

    `mapping` gives source names labels: a dict, a .json or .toml file (see mapping.py), or `zoo:keras/ResNet50` (shipped.py).
    What it does not name is matched as `match` says. Patterns of `allow_missing` (shell style, over the spec's names and the
    file's) say which tensors may be missing, be of another shape or be left over: those of the spec are drawn from `seed`, and
    a mapping may name them though the file lacks them. `cast` brings floats to the spec's dtype. `lazy` leaves the data in the
    file: each tensor is read when it is asked for, and kept by nobody; what is wrong with its data is found only then.
    Failure CNN200 where the file cannot be read, CNN201 with every misfit where it does not fit, CNN203 where structure leaves
    more than one way, CNN204 for a mapping that is not right, CNN401 for a pattern that matches nothing.
    """
    opened = source if isinstance(source, Source) else _opened(source)
    given = entries(mapping, opened)
    patterns = (allow_missing,) if isinstance(allow_missing, str) else tuple(allow_missing)
    work = _Work(module.graph, opened, patterns, cast)
    work.place(given, match)
    work.check_patterns()
    if work.misfits:
        raise fail(work.misfits.diagnostic(str(opened.path), module.name))
    read = _ReadWeights(work, seed)
    return Conversion(
        module.name,
        opened.path,
        opened.kind,
        read if lazy else read.materialised(),
        tuple(work.rows),
        tuple(work.missing),
        tuple(work.left_out),
    )


def arrays_source(arrays: Mapping[str, Array], path: Path = Path("the given weights")) -> Source:
    """Arrays by the spec's names, as if they stood in a file; messages call it `path`."""
    tensors = {
        name: StoredTensor(name=name, dtype=array.dtype.name, shape=tuple(array.shape), read=partial(_itself, array))
        for name, array in arrays.items()
    }
    return Source(path, "safetensors", tensors)


def entries(mapping: Mappings, source: Source) -> dict[str, str]:
    """The mapping as a dictionary, from wherever it is. Failure CNN204 where it cannot be read."""
    if isinstance(mapping, str | Path):
        return shipped_mapping(mapping, source) if is_shipped(mapping) else read_mapping(mapping)
    return dict(mapping or {})


def _itself(array: Array) -> Array:
    return array


def _opened(path: str | Path) -> Source:
    from convspec.weights.sources import open_source

    return open_source(path)


@dataclass(slots=True)
class _Work:
    """A conversion under way: what has been placed, and all that does not fit."""

    graph: Graph
    source: Source
    patterns: tuple[str, ...]
    cast: bool
    parameters: dict[str, Parameter] = field(init=False)
    placed: dict[str, tuple[StoredTensor, Layout]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    missing: list[Initialised] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    misfits: Misfits = field(default_factory=Misfits)
    matched: set[str] = field(default_factory=set)
    """Patterns that were of use, or at least have something that they match."""

    def __post_init__(self) -> None:
        self.parameters = self.graph.parameters()

    def place(self, mapping: Mapping[str, str], match: Match) -> None:
        """Find every tensor its parameter, and every parameter its tensor."""
        names = targets(self.source, mapping, self.parameters, match == "exact", self._may_be_missing)
        mapped = mapped_names(self.source, mapping)
        placing = Placing(self.graph, self.source)
        if match == "structure":
            names = matching.by_structure(placing, self.graph, self.source, names, self._may_be_missing)
        misshapen: set[str] = set()
        for name, stored in self.source.tensors.items():
            target = names.get(name)  # none where structure has set the tensor aside
            how = "mapping" if name in mapped else match
            if target is None or target not in self.parameters:
                self._unused(stored, name if target is None else target)
            elif not self._put(placing, stored, self.parameters[target], how):
                misshapen.add(target)
        for name, parameter in self.parameters.items():
            if name not in self.placed and name not in misshapen:
                self._absent(parameter, "not in the file")

    def _put(self, placing: Placing, stored: StoredTensor, parameter: Parameter, how: str) -> bool:
        """Place a tensor, if it fits. False where something was wrong with it, which is noted then."""
        layout = placing.layout(stored, parameter, exact=how == "exact")
        seen = Stored(stored.dtype, stored.shape, stored.name)
        if layout is None:
            if self._may_be_missing(parameter.name):
                self._absent(parameter, f"{_sizes(stored.shape)} in the file")
                self.left_out.append(LeftOut.of(stored, f"{quoted(parameter.name)} is {_sizes(parameter.shape)}"))
            else:
                self.misfits.misshapen.append((seen, parameter))
            return False
        if placing.order_unknown(stored, parameter, exact=how == "exact"):
            self.misfits.others.append(
                f"order: {quoted(parameter.name)} reads or makes features whose order in {quoted(stored.name)} cannot be known"
            )
            return False
        if stored.dtype != parameter.dtype and not self._may_cast(stored, parameter):
            self.misfits.mistyped.append((seen, parameter))
            return False
        self.placed[parameter.name] = (stored, layout)
        cast = stored.dtype if stored.dtype != parameter.dtype else None
        axes = layout.permute
        self.rows.append(Row(stored.name, parameter.name, parameter.shape, stored.shape, axes, layout.text, how, cast))
        return True

    def _may_cast(self, stored: StoredTensor, parameter: Parameter) -> bool:
        return self.cast and stored.dtype in FLOATS and parameter.dtype in FLOATS

    def _unused(self, stored: StoredTensor, target: str) -> None:
        if ignored(stored.name):
            self.left_out.append(LeftOut.of(stored, "PyTorch's counter of batches"))
        elif stored.role == "constant":
            self.left_out.append(LeftOut.of(stored, "a constant, no weight"))
        elif self._may_be_missing(stored.name) or self._may_be_missing(target):
            self.left_out.append(LeftOut.of(stored, "not in the spec"))
        else:
            self.misfits.surplus[target] = Stored(stored.dtype, stored.shape, stored.name)

    def _absent(self, parameter: Parameter, why: str) -> None:
        if self._may_be_missing(parameter.name):
            self.missing.append(Initialised(parameter.name, parameter.shape, why))
        else:
            self.misfits.missing.append(parameter)

    def _may_be_missing(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.patterns)

    def check_patterns(self) -> None:
        """Failure CNN401 for a pattern that matches no name of the spec and none of the file."""
        names = [*self.parameters, *self.source.tensors]
        for pattern in self.patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                hint = "patterns are shell style, over whole names: 'fc.*'"
                message = f"--allow-missing {pattern} matches no tensor of {self.graph.name} and none of {self.source.path}"
                raise fail(error("CNN401", message, hint=hint))

    def read(self, name: str) -> Array:
        """The data of a tensor that was placed, in canonical layout and the spec's dtype. Failure CNN200 or CNN201."""
        import numpy as np

        stored, layout = self.placed[name]
        parameter = self.parameters[name]
        data = stored.read()
        if data.shape != stored.shape or data.dtype.name != stored.dtype:
            told = f"{stored.dtype}{list(stored.shape)} and is {data.dtype.name}{list(data.shape)}"
            raise fail(error("CNN200", f"cannot read {self.source.path}: {quoted(name)} is said to be {told}"))
        array = layout.to_canonical(data)
        if stored.dtype == parameter.dtype:
            return array
        with np.errstate(over="ignore"):
            found = array.astype(numpy_dtype(parameter.dtype))
        if not np.array_equal(np.isfinite(array.astype(np.float64)), np.isfinite(found.astype(np.float64))):
            message = f"{quoted(stored.name)} in {self.source.path} holds numbers that are too large for {parameter.dtype}"
            raise fail(error("CNN201", message))
        return found


class _ReadWeights(LazyWeights):
    """Weights that are read from their source when they are asked for; what is missing there is drawn from the seed."""

    def __init__(self, work: _Work, seed: int) -> None:
        drawn = [work.parameters[item.label] for item in work.missing]
        self._work, self._drawn = work, drawn_parameters(drawn, seed)

    def __iter__(self) -> Iterator[str]:
        return iter(self._work.parameters)

    def __len__(self) -> int:
        return len(self._work.parameters)

    def __getitem__(self, name: str) -> Array:
        return self._drawn[name] if name in self._drawn else self._work.read(name)

    def stored(self, name: str) -> Stored:
        parameter = self._work.parameters[name]
        return Stored(parameter.dtype, parameter.shape)


def _sizes(shape: tuple[int, ...]) -> str:
    return str(list(shape))


__all__ = ["Conversion", "Mappings", "Match", "arrays_source", "convert", "entries"]
