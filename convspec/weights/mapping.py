"""Which name of the spec a source's name stands for: level by level, by a mapping, by what Keras calls its variables.

A mapping is `{source name: label}`. Either side may be a whole layer, or a part of a network with many: levels, which `.` and
`/` separate, are matched from the left, and the entry with the most levels counts. An empty source name stands before every
name, and an empty label takes the levels away. Several source names may have one label, those of files of several ages, if
a file has one of them.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from convspec.diagnostics import error, fail
from convspec.weights.layouts import ROLES, onnx_label
from convspec.weights.manifest import without_duplicates
from convspec.weights.names import quoted
from convspec.weights.sources.base import Source, StoredTensor

LARGEST = 16_000_000
"""Bytes of a mapping file that are read."""


def read_mapping(path: str | Path) -> dict[str, str]:
    """The mapping in a JSON or TOML file (by its suffix). Failure CNN204 where it cannot be read or is something else."""
    path = Path(path)
    readers: dict[str, Callable[[str], Any]] = {".json": _json, ".toml": tomllib.loads}
    if path.suffix.lower() not in readers:
        raise fail(error("CNN204", f"cannot read {path}: a mapping is a .json or .toml file"))
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST} bytes")
        found = readers[path.suffix.lower()](path.read_text("utf-8"))
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise fail(error("CNN204", f"cannot read {path}: {reason[:1].lower()}{reason[1:]}")) from None
    except (ValueError, RecursionError) as problem:
        reason = (str(problem) or "it is nested too deeply").splitlines()[0]
        raise fail(error("CNN204", f"cannot read {path}: {reason[:1].lower()}{reason[1:]}")) from None
    if not isinstance(found, dict) or not all(isinstance(label, str) for label in found.values()):
        hint = 'a mapping gives each source name a label: {"conv1_conv": "conv1"}; in TOML, quote names that hold dots'
        raise fail(error("CNN204", f"cannot read {path}: it is no mapping from names to labels", hint=hint))
    return found


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=without_duplicates)


def targets(
    source: Source,
    mapping: Mapping[str, str],
    known: Iterable[str],
    by_name: bool = True,
    optional: Callable[[str], bool] = lambda name: False,
) -> dict[str, str]:
    """The spec's name that each tensor of `source` stands for, whether the spec has it or not; `known` are those it has.

    Where not `by_name`, only tensors that the mapping speaks of stand for any.
    Failure CNN204 where an entry of the mapping is of no tensor, but for labels that another entry serves or all of whose
    tensors are `optional`; and where two tensors stand for one name.
    """
    names = frozenset(known)
    used: set[str] = set()
    found: dict[str, str] = {}
    for name, stored in source.tensors.items():
        entry, target = _mapped(name, mapping)
        if target is not None or by_name:
            found[name] = _resolved(source, stored, name if target is None else target, names, optional)
        used |= {entry} if entry is not None else set()
    _check_used(source, mapping, used, names, optional)
    _check_distinct(source, {name: target for name, target in found.items() if target in names})
    return found


def _check_used(
    source: Source, mapping: Mapping[str, str], used: set[str], known: frozenset[str], optional: Callable[[str], bool]
) -> None:
    served = {mapping[entry] for entry in used}
    unused = [entry for entry, label in mapping.items() if entry not in used and label not in served]
    if not unused:
        return
    needed = _parts_of(name for name in known if not optional(name))
    excused = _parts_of(name for name in known if optional(name)) - needed
    notes = [f"{quoted(entry)}, for {quoted(mapping[entry])}" for entry in unused if mapping[entry] not in excused]
    if notes:
        raise fail(error("CNN204", f"the mapping names what is not in {source.path}", notes=notes))


def _parts_of(names: Iterable[str]) -> set[str]:
    """The names, and the layers and parts of the network that they are of."""
    return {name[:cut] for name in names for cut in _cuts(name, len(name))}


def _check_distinct(source: Source, found: Mapping[str, str]) -> None:
    owners: dict[str, list[str]] = {}
    for name, target in found.items():
        owners.setdefault(target, []).append(name)
    twice = [f"{quoted(target)}: {', '.join(map(quoted, names))}" for target, names in owners.items() if len(names) > 1]
    if twice:
        raise fail(error("CNN204", f"several tensors of {source.path} stand for one of the spec", notes=twice))


def mapped_names(source: Source, mapping: Mapping[str, str]) -> set[str]:
    """The tensors of `source` that an entry of the mapping speaks of."""
    return {name for name in source.tensors if _mapped(name, mapping)[0] is not None}


def _mapped(name: str, mapping: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The entry that counts for `name`, and the name with it put in; (None, None) where there is no entry."""
    for cut in _cuts(name, max(map(len, mapping), default=-1)):
        entry = name[:cut]
        if entry in mapping:
            rest = name[cut:] if entry else f".{name}"
            label = mapping[entry]
            return entry, label + rest if label else rest[1:]
    return None, None


def _cuts(name: str, longest: int) -> Iterator[int]:
    """Where a name may be cut between levels so that at most `longest` characters stay, from its end to its beginning."""
    if len(name) <= longest:
        yield len(name)
    yield from reversed([match.start() for match in re.finditer("[./]", name[: longest + 1]) if match.start()])
    if longest >= 0:
        yield 0


def _resolved(source: Source, stored: StoredTensor, name: str, known: frozenset[str], optional: Callable[[str], bool]) -> str:
    """`name` as the spec would write it: levels of Keras joined by dots, its variable's name as the role."""
    if source.kind == "onnx" and onnx_label(name) in known:
        return onnx_label(name)
    if name in known or source.kind != "keras" or stored.role is None:
        return name
    layer, slash, _ = name.rpartition("/")
    label = layer.replace("/", ".") if slash else name
    roles = ROLES.get(stored.role) or (_part(stored.role),)
    candidates = [*(f"{label}.{role}" if role else label for role in roles), label]
    if stored.role == "gamma_or_beta" and known.issuperset((f"{label}.weight", f"{label}.bias")):
        # Which of the two it is, the file does not say. If just one of them has to be there, it is that one.
        needed = [f"{label}.{role}" for role in roles if not optional(f"{label}.{role}")]
        return needed[0] if len(needed) == 1 else f"{label}.{stored.role}"
    likeliest = candidates[0] if slash else name  # without a slash the mapping gave a whole name, or a layer's
    return next((candidate for candidate in candidates if candidate in known), likeliest)


def _part(role: str) -> str:
    """`query_kernel` → `query.weight`, as the layers that convspec defines in Keras have them."""
    part, _, kind = role.rpartition("_")
    return f"{part}.{'weight' if kind == 'kernel' else kind}" if part else role


__all__ = ["mapped_names", "read_mapping", "targets"]
