"""Weights files that exist only in memory."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from convspec.ir.types import Array
from convspec.weights.sources.base import Kind, Source, StoredTensor


def source_of(kind: Kind, arrays: Mapping[str, Array], **facts: Any) -> Source:
    """A file of this kind with these arrays; for Keras the last level of a name is its role. `facts` go to every tensor."""
    tensors = {}
    for name, array in arrays.items():
        role = name.rpartition("/")[2] if kind == "keras" else None
        read = partial(_same, array)
        tensors[name] = StoredTensor(
            name=name, dtype=array.dtype.name, shape=array.shape, read=read, **({"role": role} | facts)
        )
    return Source(Path(f"memory.{kind}"), kind, tensors)


def _same(array: Array) -> Array:
    return array
