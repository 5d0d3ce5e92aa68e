"""What a conformance cell says: an expression with an op in it, the arrays it is computed on, and what is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np

from convspec.elaborate import Module, loads
from convspec.ir.types import Array
from convspec.weights.randomised import randomised

Oracle = Callable[..., Any]
"""From torch tensors in float64 (the inputs in order, then the parameters by role) to the output: a formula of its own."""


def noise(*shape: int, seed: int = 0) -> Array:
    """Standard normal numbers, exact in float32."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32).astype(np.float64)


def ties(*shape: int, seed: int = 0) -> Array:
    """Numbers from -1 to 1 in steps of a half: many are equal, and the kinks of activations are among them."""
    return np.random.default_rng([seed, *shape]).integers(-2, 3, shape) / 2.0


def distinct(*shape: int, seed: int = 0) -> Array:
    """Numbers of both signs, no two alike and none within 0.01 of another: nothing is near a kink or a tie."""
    count = int(np.prod(shape))
    values = (np.random.default_rng([seed, *shape]).permutation(count) - count / 2 + 0.25) / 64
    return np.asarray(values.reshape(shape))


class Cell:
    """One expression. `arrays` are its tensors by name; the first is what tells its rank.

    `types` declares an input by hand, with symbolic sizes for instance; otherwise the batch is `N` and all else a number.
    `outputs`: how many tensors the value is a list of; None: it is one tensor. `training`: run in training mode, where only
    PyTorch and Keras are compared. `impossible`: targets that must refuse it with CNN090, and words of the reason.
    `params`: stored tensors by their role or by name, in place of random ones. `gate`: of float32 outputs.
    """

    def __init__(
        self,
        text: str,
        *,
        types: Mapping[str, str] | None = None,
        outputs: int | None = None,
        training: bool = False,
        gradients: bool = True,
        gate: float = 1e-5,
        impossible: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        oracle: Oracle | None = None,
        **arrays: Any,
    ) -> None:
        self.text, self.outputs, self.training, self.gradients = text, outputs, training, gradients
        self.gate, self.impossible, self.oracle = gate, dict(impossible or {}), oracle
        self.params = {name: np.asarray(value) for name, value in (params or {}).items()}
        self.arrays = {name: np.asarray(array) for name, array in arrays.items()}
        self.types = {name: (types or {}).get(name) or self._declared(array) for name, array in self.arrays.items()}

    def _declared(self, array: Array) -> str:
        batch = next(iter(self.arrays.values())).shape[:1]
        sizes: list[object] = list(array.shape)
        if array.shape[:1] == batch and batch != (1,):
            sizes[0] = "N"
        dtype = "float32" if array.dtype.kind == "f" else array.dtype.name
        return f"{dtype}[{', '.join(map(str, sizes))}]"

    @property
    def spec(self) -> str:
        """The whole .cnn file."""
        return self.spec_for(self.types)

    def spec_for(self, types: Mapping[str, str]) -> str:
        """The file with inputs of other types."""
        inputs = [f"    input {name}: {declared}" for name, declared in types.items()]
        names = [f"y{index}" for index in range(self.outputs or 1)]
        value = f"    {', '.join(names)} = {self.text}" if self.outputs is None or self.outputs > 1 else f"    ys = {self.text}"
        unpacked = ["    y0 = ys[0]"] if self.outputs == 1 else []
        outputs = [f"    output out{index} = {name}" for index, name in enumerate(names)]
        return "\n".join(["model Cell {", *inputs, value, *unpacked, *outputs, "}"])

    @cached_property
    def module(self) -> Module:
        return loads(self.spec)

    @cached_property
    def weights(self) -> dict[str, Array]:
        """Random ones under which no layer is the identity, but for those that the cell sets."""
        found = randomised(self.module.graph, seed=crc32(self.text.encode()))
        for name, parameter in self.module.graph.parameters().items():
            for key in (name, parameter.role):
                if key in self.params:
                    found[name] = self.params[key].astype(found[name].dtype).reshape(found[name].shape)
        return found

    @property
    def rank(self) -> int:
        """The spatial axes of the first tensor; less than 1 for a tensor without."""
        return next(iter(self.arrays.values())).ndim - 2

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {'x'.join(map(str, array.shape))}" for name, array in self.arrays.items())
        mode = ", training" if self.training else ""
        return f"{self.text} | {shapes}{mode}"


def _type(array: Array) -> str:
    dtype = "float32" if array.dtype.kind == "f" else array.dtype.name
    return f"{dtype}[{', '.join(map(str, array.shape))}]"


class Bad:
    """An expression that must be refused with `code`, at the line it stands in, with all of `says` in the message.

    `attribute` is the attribute that it is about; "" for the tensors. `types` are what the inputs are declared to be, or
    arrays of that type.
    """

    def __init__(self, attribute: str, text: str, code: str, *says: str, **types: str | Array) -> None:
        self.attribute, self.text, self.code, self.says = attribute, text, code, says
        self.types = {name: found if isinstance(found, str) else _type(found) for name, found in types.items()}

    @property
    def spec(self) -> str:
        inputs = [f"    input {name}: {declared}" for name, declared in self.types.items()]
        return "\n".join(["model Bad {", *inputs, f"    y = {self.text}", "    output out = x", "}"])

    @property
    def line(self) -> int:
        """The line of the expression."""
        return 2 + len(self.types)

    def __repr__(self) -> str:
        return f"{self.text} | {', '.join(self.types.values())}"


__all__ = ["Bad", "Cell", "distinct", "noise", "ties"]
