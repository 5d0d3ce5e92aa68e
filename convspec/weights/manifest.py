"""The manifest in a safetensors file's metadata: a SHA-256 of every tensor's bytes, written with them and checked on reading.

The format itself notices neither a flipped bit in the data nor a tensor that was put in or taken out later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from convspec.diagnostics import error, fail
from convspec.version import VERSION
from convspec.weights.names import ignored, quoted

PREFIX = "convspec."
SHA256 = PREFIX + "sha256"
"""The metadata entry that holds the digests: a JSON object, hexadecimal by tensor name."""

KNOWN = frozenset({SHA256, PREFIX + "version", PREFIX + "spec"})
"""What convspec writes into the metadata. Anything else that begins with `convspec.` is of a version that is not this one."""


CHANGED = f"the file is damaged; if it was changed on purpose, save it without the metadata that begins with `{PREFIX}`"

Bytes: TypeAlias = "bytes | memoryview"


def metadata(spec: str, digests: Mapping[str, str]) -> dict[str, str]:
    """The metadata of a file whose tensors have these digests. `format: pt` is what others expect of PyTorch's layout."""
    return {
        "format": "pt",
        PREFIX + "version": VERSION,
        PREFIX + "spec": spec,
        SHA256: json.dumps(dict(digests), separators=(",", ":")),
    }


def digest(data: Bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_manifest(path: Path, found: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The digests by tensor name that the metadata `found` holds; empty where convspec did not write the file.

    `names` are the tensors in the file: with a manifest they must be exactly those that it lists, but for
    `num_batches_tracked`, which other programs may add. Failure CNN200 names what differs.
    """
    unknown = sorted(key for key in found if key.startswith(PREFIX) and key not in KNOWN)
    if unknown:
        hint = "the file was written by another version of convspec: write it again with this one"
        message = f"cannot read {path}: its metadata holds {quoted(unknown[0])}, which this version does not know"
        raise fail(error("CNN200", message, hint=hint))
    if not any(key.startswith(PREFIX) for key in found):
        return {}
    if SHA256 not in found:
        raise fail(error("CNN200", f"cannot read {path}: its manifest is missing", hint=CHANGED))
    digests = _parsed(path, found[SHA256])
    present = dict.fromkeys(names)
    problems = [
        *(
            f"{quoted(name)} is in the file and not in its manifest"
            for name in present
            if name not in digests and not ignored(name)
        ),
        *(f"{quoted(name)} is in its manifest and not in the file" for name in digests if name not in present),
    ]
    if problems:
        message = f"cannot read {path}: its tensors are not those of its manifest"
        raise fail(error("CNN200", message, notes=problems, hint=CHANGED))
    return digests


def check_digest(path: Path, name: str, data: Bytes, wanted: Mapping[str, str]) -> None:
    """Failure CNN200 where the bytes of a tensor are not those that the manifest `wanted` was made of."""
    if name in wanted and digest(data) != wanted[name]:
        message = f"cannot read {path}: the bytes of {quoted(name)} differ from their SHA-256"
        raise fail(error("CNN200", message, hint=CHANGED))


def _parsed(path: Path, text: str) -> dict[str, str]:
    try:
        digests = json.loads(text, object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError):
        digests = None
    if not isinstance(digests, dict) or not all(isinstance(value, str) for value in digests.values()):
        raise fail(error("CNN200", f"cannot read {path}: its manifest is damaged"))
    return digests


def without_duplicates(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """For `json.loads(object_pairs_hook=…)`: ValueError where a key stands twice, of which JSON readers take the last."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {quoted(key)} stands twice")
        found[key] = value
    return found


__all__ = ["SHA256", "check_digest", "digest", "metadata", "read_manifest", "without_duplicates"]
