"""The file of weights beside a model: which tensors lie in it, where, and the manifest at its end that says so.

The manifest lets another model be written against a file that is there already (`reuse_data`): only where it would have put
exactly the same tensors at the same places. Runtimes, which go by offset and length, never see it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convspec.diagnostics import Failure, error, fail
from convspec.targets.base import Weights
from convspec.targets.onnx import wire
from convspec.targets.onnx.model import Model
from convspec.targets.onnx.stream import Parts, assembled, inline
from convspec.targets.onnx.tensors import Tensor
from convspec.weights.streaming import Piece, literal, little_endian

LEAST_EXTERNAL = 1024
"""Bytes from which a constant goes into the file. Smaller ones stay in the model: shape inference needs sizes and pads."""

PAGE = 4096
"""Tensors of a page or more begin at multiples of it, as ONNX asks, so that a runtime can map the file into memory."""

LINE = 64
"""Smaller ones begin at multiples of this, a line of the cache."""

MAGIC = b"cnnspec1"
"""The last bytes of the file, after the length of the manifest before it."""

MOST_NOTES = 10


def external_files(
    model: Model, tensors: Mapping[str, Tensor], weights: Weights, data_name: str, rewritten: bool
) -> tuple[Parts, Parts]:
    """A model file and the file `data_name` beside it, which holds every parameter, and large constants.

    `rewritten`: the network was optimised, so that its tensors are not those of the spec by the same names.
    """
    places = _places(tensors)
    content: list[Piece] = []
    end = 0
    for name, offset in places.items():
        if offset > end:
            content.append(literal(b"\0" * (offset - end)))
        content += tensors[name].pieces(weights)
        end = offset + tensors[name].nbytes
    content.append(literal(_tail(tensors, places, rewritten)))
    return _model_file(model, tensors, places, weights, data_name), Parts(tuple(content))


def reusing(model: Model, tensors: Mapping[str, Tensor], path: Path) -> Parts:
    """A model file whose weights are those of the data file at `path`, of which only the manifest is read.

    Failure CNN200 where that is no such file, CNN201 where it is not laid out as this model wants it.
    """
    places = _places(tensors)
    wanted = _tail(tensors, places, rewritten=False)
    end = max((offset + tensors[name].nbytes for name, offset in places.items()), default=0)
    if _read_end(path, end) != wanted:
        raise _misfit(path, wanted)
    return _model_file(model, tensors, places, {}, path.name)


def _places(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Where each tensor begins that is not small and constant."""
    found: dict[str, int] = {}
    end = 0
    for name, tensor in tensors.items():
        if tensor.constant is not None and tensor.nbytes < LEAST_EXTERNAL:
            continue
        end += -end % (PAGE if tensor.nbytes >= PAGE else LINE)
        found[name] = end
        end += tensor.nbytes
    return found


def _model_file(
    model: Model, tensors: Mapping[str, Tensor], places: Mapping[str, int], weights: Weights, data_name: str
) -> Parts:
    location = wire.location(data_name)
    initialisers: list[tuple[Piece, ...]] = []
    for name, tensor in tensors.items():
        if name in places:
            header = wire.tensor(name, tensor.dtype, tensor.shape) + wire.external_data(location, places[name], tensor.nbytes)
            initialisers.append((literal(header),))
        else:
            initialisers.append(inline(name, tensor, weights))
    return assembled(model, initialisers)


def _tail(tensors: Mapping[str, Tensor], places: Mapping[str, int], rewritten: bool) -> bytes:
    """The end of a data file: the manifest as JSON, its length, MAGIC.

    For each tensor name, dtype, shape and offset; for a constant the SHA-256 of its bytes too, since it comes from the spec.
    """
    rows = [[name, tensors[name].dtype, tensors[name].shape, offset, _digest(tensors[name])] for name, offset in places.items()]
    text = json.dumps({"rewritten": rewritten, "tensors": rows}, separators=(",", ":")).encode()
    return text + struct.pack("<Q", len(text)) + MAGIC


def _digest(tensor: Tensor) -> str | None:
    return None if tensor.constant is None else hashlib.sha256(little_endian(tensor.constant)).hexdigest()


# ── a file that is there ─────────────────────────────────────────────────────────────────────────────────────


def _read_end(path: Path, start: int) -> bytes:
    """What stands in the file from `start` on; empty where it ends before. Failure CNN200."""
    try:
        if not path.is_file():
            raise _refused(path, "it is no file" if path.exists() else "there is none")
        with path.open("rb") as file:
            file.seek(start)
            return file.read()
    except OSError as problem:
        raise _refused(path, problem.strerror or str(problem)) from None


def _misfit(path: Path, wanted: bytes) -> Failure:
    """CNN201 with what differs, or CNN200 where the file has no manifest that can be read."""
    found, mine = _manifest(path), json.loads(wanted[: -8 - len(MAGIC)])
    notes: list[str] = []
    if found.get("rewritten"):
        notes.append("its weights are those of an optimised network")
    theirs, ours = _rows(path, found), _rows(path, mine)
    notes += [f"not in the file: `{name}`" for name in ours if name not in theirs]
    notes += [f"not in the model: `{name}`" for name in theirs if name not in ours]
    for name in ours.keys() & theirs.keys():
        if ours[name][:2] != theirs[name][:2]:
            notes.append(f"`{name}` is {_shown(theirs[name])} in the file, {_shown(ours[name])} in the model")
        elif ours[name][3:] != theirs[name][3:]:
            notes.append(f"the constant `{name}` has other values")
    notes = sorted(notes)
    if len(notes) > MOST_NOTES:
        notes = [*notes[:MOST_NOTES], f"and {len(notes) - MOST_NOTES} more"]
    hint = "compile once without --reuse-data, with --external-data, which writes a file that fits"
    return fail(
        error("CNN201", f"the data file {path} does not fit this model", notes=notes or ["the order differs"], hint=hint)
    )


def _manifest(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    end = _read_end(path, max(size - 8 - len(MAGIC), 0))
    if len(end) < 8 + len(MAGIC) or not end.endswith(MAGIC):
        raise _refused(path, "it does not end with a manifest: it is truncated, or convspec has not written it")
    (length,) = struct.unpack("<Q", end[:8])
    if length > size - 8 - len(MAGIC):
        raise _refused(path, "its manifest is damaged")
    try:
        found = json.loads(_read_end(path, size - 8 - len(MAGIC) - length)[:length])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _refused(path, "its manifest is damaged")
    return found


def _rows(path: Path, manifest: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Dtype, shape, offset and digest by name."""
    try:
        return {str(name): [str(dtype), list(shape), *rest] for name, dtype, shape, *rest in manifest["tensors"]}
    except (KeyError, TypeError, ValueError):
        raise _refused(path, "its manifest is damaged") from None


def _shown(row: list[Any]) -> str:
    return f"{row[0]}{row[1]}"


def _refused(path: Path, reason: str) -> Failure:
    hint = "`convspec compile --target onnx --external-data` writes such a file"
    return fail(error("CNN200", f"cannot read {path}: {reason}", hint=hint))


__all__ = ["LEAST_EXTERNAL", "external_files", "reusing"]
