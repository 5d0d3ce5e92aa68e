"""One op, made ready to be run: attributes as the author writes them, types, arrays and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from convspec import ops
from convspec.ir import dims
from convspec.ir.lowering import Lowered, Unsupported
from convspec.ir.opdef import OpDef, ParamSpec, TargetName
from convspec.ir.types import Array, TensorType


class NotExpressible(Exception):
    """The lowering is Unsupported; the text is its reason."""


@dataclass(frozen=True)
class Case:
    """`attrs` is resolved. `arrays` and `params` are float64 (or integers), in canonical order and stored layout.

    `types` are what the op's functions saw; their symbolic sizes have the numbers in `sizes` here.
    """

    op: OpDef
    attrs: Any
    types: tuple[TensorType, ...]
    arrays: tuple[Array, ...]
    params: Mapping[str, Array]
    sizes: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def specs(self) -> Mapping[str, ParamSpec]:
        return self.op.params(self.attrs, *self.types) if self.op.params else {}

    @cached_property
    def inferred(self) -> tuple[TensorType, ...]:
        """What `infer` says, with its symbolic sizes."""
        inferred = self.op.infer(self.attrs, *self.types)
        return inferred if isinstance(inferred, tuple) else (inferred,)

    @cached_property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """What `infer` says, in numbers."""
        return tuple(tuple(dims.evaluate(size, self.sizes) for size in of.shape) for of in self.inferred)

    def lowered(self, target: TargetName) -> Lowered:
        tree = self.op.lower[target](self.attrs, *self.types)
        if isinstance(tree, Unsupported):
            raise NotExpressible(tree.reason)
        return tree

    def __str__(self) -> str:
        return f"{self.op.name} {self.attrs} on {', '.join(map(str, self.types))}"


def convert(op: OpDef, written: Mapping[str, Any]) -> Any:
    """The attribute instance for what the author wrote, defaults filled in, not resolved yet."""
    known = {f.name: f for f in op.attributes}
    for name in written:
        assert name in known, f"{op.name} has no attribute `{name}`"
    for f in op.attributes:
        assert f.name in written or f.default is not MISSING, f"{op.name} needs `{f.name}`"
    return op.attrs(**{name: known[name].metadata["kind"].convert(name, value) for name, value in written.items()})


def resolve(op: OpDef, written: Mapping[str, Any], *types: TensorType) -> Any:
    """Attributes as an op's functions see them: converted by their kinds, then `resolve`."""
    attrs = convert(op, written)
    return op.resolve(attrs, *types) if op.resolve else attrs


def type_of(array: Array, free: Mapping[int, int] | None = None) -> TensorType:
    """Floats stand for float32, the spec's dtype, whatever precision they are run in.

    `free` maps an axis to a factor: its size becomes factor * symbol. A size of 1 stays a number, for it broadcasts.
    """
    dtype = "float32" if array.dtype.kind == "f" else array.dtype.name
    factors = {axis % array.ndim: factor for axis, factor in (free or {}).items()}
    return TensorType(dtype, tuple(_size(axis, int(size), factors.get(axis)) for axis, size in enumerate(array.shape)))


def _size(axis: int, size: int, factor: int | None) -> dims.Size:
    if factor is None or size == 1:
        return size
    assert size % factor == 0, f"the size {size} of axis {axis} is no multiple of {factor}"
    return factor * dims.symbol(f"n{axis}_{size // factor}", minimum=size // factor)


def numbers(*types: TensorType) -> dict[str, int]:
    """What the symbols that `type_of` made stand for; their names end in it."""
    names = {name for of in types for size in of.shape for name in dims.symbols(size)}
    return {name: int(name.rpartition("_")[2]) for name in names}


def prepare(
    op: OpDef | str,
    written: Mapping[str, Any],
    inputs: Sequence[Any],
    params: Mapping[str, Any] | None = None,
    seed: int = 0,
    free: Mapping[int, int] | None = None,
) -> Case:
    """Arrays are widened to float64. Parameters that are not given are drawn at random (`running_var`: positive).

    `free` says which axes are symbolic to the op's functions (see `type_of`); None: the batch.
    """
    definition = ops.find(op) if isinstance(op, str) else op
    assert definition is not None, f"there is no op called {op}"
    arrays = tuple(_widen(np.asarray(array)) for array in inputs)
    types = tuple(type_of(array, {0: 1} if free is None else free) for array in arrays)
    attrs = resolve(definition, written, *types)
    definition.infer(attrs, *types)  # an op may leave its checks to `infer`, which the elaborator calls before `params`
    specs = definition.params(attrs, *types) if definition.params else {}
    given = {role: _widen(np.asarray(array)) for role, array in (params or {}).items()}
    assert set(given) <= set(specs), f"{definition.name} has parameters {list(specs)}, not {sorted(set(given) - set(specs))}"
    rng = np.random.default_rng(seed)
    drawn = {role: given[role] if role in given else _draw(rng, role, spec) for role, spec in specs.items()}
    return Case(definition, attrs, types, arrays, drawn, numbers(*types))


def _widen(array: Array) -> Array:
    """Rounded to float32 first, so that float32 and float64 runs start from the same numbers."""
    return array.astype(np.float32).astype(np.float64) if array.dtype.kind == "f" else array


def _draw(rng: np.random.Generator, role: str, spec: ParamSpec) -> Array:
    drawn = rng.uniform(0.5, 2.0, spec.shape) if role == "running_var" else rng.normal(0.0, 0.5, spec.shape)
    return _widen(drawn)


def cotangents(case: Case) -> tuple[Array, ...]:
    """What the outputs are multiplied with and summed to give the scalar whose gradients are compared."""
    rng = np.random.default_rng(97)
    return tuple(_widen(rng.normal(size=shape)) for shape in case.output_shapes)


@dataclass(frozen=True)
class Run:
    """What a target computed, in canonical order and stored layout, as arrays of the precision it ran in.

    `gradients` has "input 0", "input 1", … for float inputs and the role of each trainable parameter. `statistics`
    are the parameters that are not trainable, after the run.
    """

    outputs: tuple[Array, ...]
    gradients: Mapping[str, Array]
    statistics: Mapping[str, Array]
