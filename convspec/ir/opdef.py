"""What an op is: one OpDef says everything that convspec knows about a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from convspec.ir.dims import Equality, Size
from convspec.ir.init import Init
from convspec.ir.lowering import Lowered
from convspec.ir.types import FLOATS, TensorType
from convspec.records import dataclass

if TYPE_CHECKING:
    from convspec.ir.attrs import Kind

TargetName: TypeAlias = Literal["onnx", "pytorch", "tensorflow"]


class AttrError(Exception):
    """An attribute that cannot be. `attribute` names the one to point at, or None for the layer as a whole."""

    def __init__(self, message: str, attribute: str | None = None, code: str = "CNN045", hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.attribute, self.code, self.hint = message, attribute, code, hint


class ShapeError(Exception):
    """Input shapes that an op does not take. `inputs` are the indices of the tensors to point at."""

    def __init__(
        self,
        message: str,
        code: str = "CNN030",
        hint: str | None = None,
        inputs: Mapping[int, str] | None = None,
        notes: tuple[str, ...] = (),
        equality: Equality | None = None,
    ) -> None:
        """`inputs` maps the index of an input tensor to what is said under it ("height 2*(H // 2)").

        `equality` is the verdict on two sizes that should agree: what to declare is put into the hint from it.
        """
        super().__init__(message)
        self.message, self.code, self.hint, self.notes = message, code, hint, notes
        self.equality = equality
        self.inputs = dict(inputs or {})


def attr(kind: Kind, default: Any = MISSING, *, doc: str, positional: bool = False) -> Any:
    """A field of an op's attribute class: how its value is read, its default, and a line of documentation."""
    metadata = {"kind": kind, "doc": doc, "positional": positional}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def given() -> Any:
    """The last field of the attribute class of an op with optional inputs: the names of the inputs that are present.

    The author does not write it; the elaborator sets it, `("x", "mask")`.
    """
    return field(default=(), metadata={"hidden": True})


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """A parameter that an op needs; `trainable` is false for running statistics."""

    shape: tuple[int, ...]
    init: Init
    trainable: bool = True
    dtype: str = "float32"


ITSELF = ""
"""The role of a parameter that is stored under its layer's label, with nothing behind it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Work for the given input shapes, whole batch: multiply-accumulates, and other floating-point operations."""

    macs: Size = 0
    flops: Size = 0
    """Operations that are not part of a MAC (an activation, an addition, a comparison): one each per element."""


@dataclass(frozen=True, slots=True)
class Window:
    """What one output unit sees of its input along each spatial axis, before padding is taken off.

    Unit i covers input positions i*stride - before … i*stride - before + extent - 1. `extent` None: the whole axis.
    For layers that enlarge (transposed convolution, upsampling) `stride` is 1/factor, a (numerator, denominator) pair.
    """

    extent: tuple[int | None, ...]
    stride: tuple[tuple[int, int], ...]
    before: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpDef:
    """An op: the file `convspec/ops/<name>.py` holds it as `OP`.

    The functions take the attribute instance first, then one TensorType (or array) per input:

    - `resolve(attrs, *types) -> attrs`: fills in what depends on the input, such as one number per spatial axis and the
      pads that `same` stands for. After it, every attribute is explicit. None: nothing to do.
    - `infer(attrs, *types) -> TensorType | tuple[TensorType, ...]`
    - `params(attrs, *types) -> {role: ParamSpec}`
    - `cost(attrs, *types) -> Cost`
    - `receptive_field(attrs, *types) -> Window | None` (None: each output sees its own position only)
    - `evaluate(attrs, params, *arrays) -> array | tuple of arrays`: the reference, in inference, for any float dtype
    - `lower[target](attrs, *types) -> Lowered`
    """

    name: str
    attrs: type
    summary: str
    """One line: `2-D, 3-D or 1-D cross-correlation`."""
    infer: Callable[..., TensorType | tuple[TensorType, ...]]
    evaluate: Callable[..., Any]
    lower: Mapping[TargetName, Callable[..., Lowered]]
    inputs: tuple[str, ...] = ("x",)
    """Names of the tensor inputs. `("*xs",)` takes any number, at least one, or one list; `"mask?"` may be left out.

    An op without inputs (a learned constant) gets some tensor of its surroundings as its only one, an anchor for targets in
    which everything hangs on an input; what it computes does not depend on it.
    """
    resolve: Callable[..., Any] | None = None
    params: Callable[..., Mapping[str, ParamSpec]] | None = None
    cost: Callable[..., Cost] | None = None
    receptive_field: Callable[..., Window | None] | None = None
    indices: Callable[..., Mapping[int, int]] | None = None
    """`indices(attrs, *types) -> {input: count}`: inputs that hold indices from 0 to count - 1, by their number. Data for them
    is checked before it goes in, as far as it comes straight from an input of the network."""
    makers: Callable[..., None] | None = None
    """`makers(attrs, types, nodes)`: raises if an input comes from a layer that does not go with this one. `nodes` are the
    layers that made the inputs, None for an input of the network."""
    training_only: bool = False
    """True for an op that is the identity in inference (dropout)."""
    dtypes: tuple[str, ...] = FLOATS
    """Element types that every input may have; empty: any."""
    single_output: bool | Callable[[Any], bool] = True
    """False for an op whose value is a list of tensors, also where it holds one (split); a function of the attributes where
    that depends on them (maxpool with indices). Ask `is_single`."""
    formula: str = ""
    """What is computed, one to four lines in plain Unicode."""
    shape: str = ""
    """The shape rule: `(N, C, n…) → (N, filters, …)`."""
    source: str = ""
    """The paper or standard it comes from."""
    example: str = ""
    """The body of a model that uses it; it compiles."""

    @property
    def variadic(self) -> bool:
        return self.inputs[:1] != () and self.inputs[0].startswith("*")

    @property
    def anchored(self) -> bool:
        """Whether it takes no tensor of the author's."""
        return not self.inputs

    @property
    def required(self) -> int:
        """How many tensors it needs at least."""
        return sum(not name.endswith("?") for name in self.inputs)

    def is_single(self, attrs: Any) -> bool:
        """Whether an application with these attributes has one tensor as its value, not a list."""
        return self.single_output(attrs) if callable(self.single_output) else self.single_output

    @property
    def attributes(self) -> tuple[Field[Any], ...]:
        """The fields of the attribute class, in the order of the signature; metadata as `attr` sets it."""
        return _fields(self.attrs)

    @property
    def positional(self) -> tuple[str, ...]:
        """Names of the attributes that may be given by position, at most two."""
        return _positional(self.attrs)


@cache
def _fields(attrs: Any) -> tuple[Field[Any], ...]:
    return tuple(f for f in fields(attrs) if not f.metadata.get("hidden"))


@cache
def _positional(attrs: Any) -> tuple[str, ...]:
    return tuple(f.name for f in _fields(attrs) if f.metadata["positional"])
