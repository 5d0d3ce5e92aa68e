"""Types of tensors: an element type and a shape of exact, perhaps symbolic, sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from convspec.ir.dims import Size
from convspec.records import dataclass

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
else:
    Array: TypeAlias = Any  # NumPy is imported only where numbers are computed, so that `check` starts quickly

Shape: TypeAlias = tuple[Size, ...]

FLOATS = ("float32", "float64", "float16", "bfloat16")
LARGEST_FLOAT = {
    "float32": 3.4028234663852886e38,
    "float64": 1.7976931348623157e308,
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
}
INTEGERS = ("int32", "int64", "uint8")
DTYPES = (*FLOATS, *INTEGERS, "bool")


@dataclass(frozen=True, slots=True)
class TensorType:
    """`shape` is in canonical order: batch, channels, then space. `str()` gives `float32[N, 3, 32*h, 32*w]`."""

    dtype: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def channels(self) -> Size:
        """The size of axis 1."""
        return self.shape[1]

    @property
    def spatial(self) -> Shape:
        """The sizes after batch and channels."""
        return self.shape[2:]

    def with_shape(self, shape: Shape) -> TensorType:
        return TensorType(self.dtype, shape)
