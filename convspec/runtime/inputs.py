"""`--input`: arrays and pictures from files, checked and brought together in batches.

A network with one input takes `--input FILE` with an `.npy`, an `.npz` (one array, called like the input or `arr_0`), one or
more pictures, or a folder of pictures. One with several inputs takes `--input NAME=FILE` for each, or one `.npz` naming them.
Pictures are taken in the order given, those of a folder by name; subfolders are entered where that is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from convspec.diagnostics import Diagnostic, Failure, error, fail
from convspec.ir.types import Array
from convspec.runtime.arrays import read_npy, read_npz
from convspec.runtime.checks import check_arrays, missing_input, unknown_input
from convspec.runtime.decoding import decode_in_order
from convspec.runtime.listing import find_pictures, unreadable
from convspec.runtime.pictures import check_takes_pictures, is_picture, read_picture
from convspec.runtime.signature import Signature, TensorSpec

BATCH = 16
"""Pictures that go in together where the batch size is symbolic."""

_ROOM = 500_000_000
"""Bytes that pictures may take which were decoded ahead."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays for one run. `rows` names each item along the batch axis in results: a file, or `x.npy[0]`."""

    rows: tuple[str, ...]
    arrays: Mapping[str, Array]


@dataclass(slots=True)
class Feed:
    """All batches, read as they are asked for. `items` is how many pictures there are, None for arrays."""

    batches: Iterator[Batch]
    files: Sequence[Path]
    """Where the data is read from."""
    items: int | None = None
    notes: list[str] = field(default_factory=list)
    """What was changed on the way in, or left out."""


@dataclass(frozen=True, slots=True)
class _Source:
    name: str | None
    path: Path


def read_inputs(texts: Sequence[str], signature: Signature, batch: int = BATCH, recursive: bool = False) -> Feed:
    """The data that `--input` options name; pictures are read when asked for. Failure CNN300, CNN301 or CNN302."""
    sources = _sources(texts, signature)
    if _are_pictures(sources, signature):
        return _pictures(sources, signature, batch, recursive)
    checked = check_arrays(signature, *_arrays(sources, signature))
    first = str(sources[0].path)
    count = checked.arrays[signature.inputs[0].name].shape[0]
    rows = [first] if count == 1 else [f"{first}[{i}]" for i in range(count)]
    return Feed(iter([Batch(tuple(rows), checked.arrays)]), [s.path for s in sources], notes=list(checked.notes))


def picture_sources(texts: Sequence[str], signature: Signature) -> list[Path] | None:
    """The pictures and folders of pictures that `--input` options name, None where they name arrays. Failures as above."""
    sources = _sources(texts, signature)
    if not _are_pictures(sources, signature):
        return None
    check_takes_pictures(signature.inputs[0])
    return [source.path for source in sources]


def _sources(texts: Sequence[str], signature: Signature) -> list[_Source]:
    sources = [_parse(text, signature) for text in texts]
    _check_exist(sources)
    return sources


def _are_pictures(sources: Sequence[_Source], signature: Signature) -> bool:
    return len(signature.inputs) == 1 and any(s.path.is_dir() or is_picture(s.path) for s in sources)


def _parse(text: str, signature: Signature) -> _Source:
    name, equals, rest = text.partition("=")
    if not text or (equals and not rest):
        raise fail(error("CNN302", f"--input takes FILE or NAME=FILE, not `{text}`"))
    if equals and any(spec.name == name for spec in signature.inputs):
        return _Source(name, Path(rest))
    if equals and name and "/" not in name and not os.path.exists(text):
        raise fail(unknown_input(name, signature))
    return _Source(None, Path(text))


def _check_exist(sources: Sequence[_Source]) -> None:
    problems: list[Diagnostic] = []
    for source in sources:
        try:
            source.path.stat()
        except FileNotFoundError:
            problems.append(unreadable(source.path, "there is no such file"))
        except OSError as problem:
            problems.append(unreadable(source.path, (problem.strerror or str(problem)).lower()))
    if problems:
        raise Failure(problems)


# ── arrays, and one picture for each of several inputs ───────────────────────────────────────────────────────


def _arrays(sources: Sequence[_Source], signature: Signature) -> tuple[dict[str, Array], dict[str, str]]:
    """An array for each input that is named, and the file it came from."""
    arrays: dict[str, Array] = {}
    origins: dict[str, str] = {}
    for source in sources:
        for name, array in _read(source, signature).items():
            if name in arrays:
                message = f"the input `{name}` is given twice: {origins[name]} and {source.path}"
                raise fail(error("CNN302", message, hint="put the arrays into one file, along the batch axis"))
            arrays[name], origins[name] = array, str(source.path)
    missing = [missing_input(spec, signature) for spec in signature.inputs if spec.name not in arrays]
    if missing:
        raise Failure(missing)
    return arrays, origins


def _read(source: _Source, signature: Signature) -> dict[str, Array]:
    path, suffix = source.path, source.path.suffix.lower()
    if suffix == ".npz":
        return _read_archive(source, signature)
    spec = _spec_of(source, signature)
    if path.is_dir():
        message = f"{path} is a folder; a folder of pictures goes into a network with one input"
        raise fail(error("CNN302", message, hint=f"{signature.name} has {len(signature.inputs)}: give each a file"))
    if suffix == ".npy":
        return {spec.name: read_npy(path)}
    if is_picture(path):
        return {spec.name: read_picture(path, spec)}
    raise fail(unreadable(path, "its name does not end in .npy, .npz, .png, .jpg or .jpeg"))


def _spec_of(source: _Source, signature: Signature) -> TensorSpec:
    if source.name is None and len(signature.inputs) > 1:
        names = " ".join(f"--input {spec.name}=FILE" for spec in signature.inputs)
        raise fail(error("CNN302", f"it is not said which input {source.path} is for", hint=f"write {names}"))
    return next(spec for spec in signature.inputs if source.name in (None, spec.name))


def _read_archive(source: _Source, signature: Signature) -> dict[str, Array]:
    """The arrays of an .npz by input: by their names, or its only array for the input that is named."""
    arrays = read_npz(source.path)
    names = [spec.name for spec in signature.inputs]
    single = source.name or (names[0] if len(names) == 1 else None)
    if single is not None and single not in arrays and list(arrays) == ["arr_0"]:
        return {single: arrays["arr_0"]}
    if source.name is not None:
        if source.name not in arrays:
            held = ", ".join(f"`{name}`" for name in arrays) or "nothing"
            raise fail(error("CNN302", f"{source.path} holds no array `{source.name}`", hint=f"it holds {held}"))
        return {source.name: arrays[source.name]}
    unknown = [unknown_input(name, signature) for name in arrays if name not in names]
    if unknown:
        raise Failure(unknown)
    return arrays


# ── pictures for one input ───────────────────────────────────────────────────────────────────────────────────


def _pictures(sources: Sequence[_Source], signature: Signature, batch: int, recursive: bool) -> Feed:
    spec = signature.inputs[0]
    check_takes_pictures(spec)
    listing = find_pictures([source.path for source in sources], recursive)
    paths = [file.path for file in listing.files]
    declared = spec.type.shape[0]
    if isinstance(declared, int):
        batch = declared
        if len(paths) % declared:
            message = f"{len(paths)} pictures do not make whole batches of {declared}, which `{spec.name}` is declared to take"
            raise fail(error("CNN301", message, spec.span, hint="declare the batch size by a name: N"))
    return Feed(_picture_batches(paths, signature, batch), [Path(path) for path in paths], len(paths), listing.notes)


def _picture_batches(paths: Sequence[str], signature: Signature, batch: int) -> Iterator[Batch]:
    """Batches of equal shapes. After a picture that cannot be read the others are only read, and all problems reported."""
    problems: list[Diagnostic] = []
    waiting: list[tuple[str, Array]] = []
    with closing(decode_in_order(paths, signature.inputs[0], ahead=2 * batch, room=_ROOM)) as pictures:
        for path, picture in zip(paths, pictures, strict=True):
            if isinstance(picture, Failure):
                problems.extend(picture.diagnostics)
                continue
            if problems:
                continue
            if len(waiting) == batch or (waiting and waiting[-1][1].shape != picture.shape):
                yield _joined(waiting, signature)
                waiting = []
            waiting.append((path, picture))
    if problems:
        raise Failure(problems)
    yield _joined(waiting, signature)


def _joined(pictures: Sequence[tuple[str, Array]], signature: Signature) -> Batch:
    import numpy as np

    name = signature.inputs[0].name
    rows = tuple(path for path, _ in pictures)
    source = rows[0] if len(rows) == 1 else f"{rows[0]} … {rows[-1]}"
    checked = check_arrays(signature, {name: np.concatenate([array for _, array in pictures])}, {name: source})
    return Batch(rows, checked.arrays)
