"""What is known of a weights file of any format: its tensors by the file's own names, each read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from convspec.ir.types import Array

Kind: TypeAlias = Literal["safetensors", "torch", "keras", "onnx"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """One tensor of a file. Nothing of its data has been read; what can be known without that has been checked."""

    name: str
    """The file's own full name: `conv1.weight`, `conv1_conv/kernel`. Unique in its file."""
    dtype: str
    """`float32` and so on as convspec names them (see weights.dtypes), or the file's own word for another."""
    shape: tuple[int, ...]
    """As stored, in the file's own layout."""
    read: Callable[[], Array]
    """The data, of exactly this dtype and shape. Failure CNN200 where the file turns out to be damaged."""
    role: str | None = None
    """What the file says that the tensor is: `kernel`, `bias`, `gamma`, `moving_mean`, …; None where it does not say."""
    transposed: bool = False
    """An ONNX matrix that its only reader uses the other way round (MatMul, or Gemm with transB = 0)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A weights file. `tensors` are by name, in the file's own order; for Keras in the order of the model's layers."""

    path: Path
    kind: Kind
    tensors: Mapping[str, StoredTensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The texts that the file carries beside its tensors, as far as its format has them."""


__all__ = ["Kind", "Source", "StoredTensor"]
