"""Data is checked before it goes into a network: names, dtype, shape, values. Nothing is changed in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convspec.diagnostics import Diagnostic, Failure, error
from convspec.ir.indices import IndexRange
from convspec.ir.types import FLOATS, Array
from convspec.runtime.dtypes import NoExactForm, convert, dtype_name
from convspec.runtime.signature import Signature, TensorSpec
from convspec.runtime.sizes import solve_sizes


@dataclass(frozen=True, slots=True)
class Checked:
    """Arrays that fit: declared dtype, contiguous, canonical layout. `notes` says what was changed on the way."""

    arrays: dict[str, Array]
    sizes: dict[str, int]
    notes: tuple[str, ...]


def check_arrays(signature: Signature, arrays: Mapping[str, Array], sources: Mapping[str, str] | None = None) -> Checked:
    """Every input of `signature` from `arrays`. `sources` says where each came from, for messages.

    An array that lacks only the batch axis gets one of size 1; dtypes as `dtypes.convert` says; NaN is refused, since layers
    such as max pooling do not define it, infinities are not. Failure CNN302 (names) or CNN301 (all other misfits, all at once).
    """
    import numpy as np

    sources = {spec.name: "the data" for spec in signature.inputs} | dict(sources or {})
    _check_names(signature, arrays)
    problems: list[Diagnostic] = []
    notes: list[str] = []
    fitted: dict[str, Array] = {}
    for spec in signature.inputs:
        source = sources[spec.name]
        if np.ndim(arrays[spec.name]) == spec.type.rank - 1:
            notes.append(f"{source}: a batch axis was added, N = 1")
            sources[spec.name] = f"{source}, with a batch axis added,"
        try:
            fitted[spec.name], remark = _fit(spec, arrays[spec.name], sources[spec.name])
            notes += [f"{source}: {remark}"] if remark else []
        except Failure as failure:
            problems.extend(failure.diagnostics)
    known = [spec for spec in signature.inputs if spec.name in fitted]
    sizes: dict[str, int] = {}
    try:
        sizes = solve_sizes(known, {name: array.shape for name, array in fitted.items()}, sources)
    except Failure as failure:
        problems.extend(failure.diagnostics)
    if problems:
        raise Failure(problems)
    return Checked(fitted, sizes, tuple(notes))


def unknown_input(name: str, signature: Signature) -> Diagnostic:
    """CNN302 for a name that is no input, with the nearest one."""
    known = [spec.name for spec in signature.inputs]
    from difflib import get_close_matches  # only where something is wrong

    near = get_close_matches(name, known, n=1)
    hint = (
        f"did you mean `{near[0]}`?"
        if near
        else f"the input{'s are' if len(known) > 1 else ' is'} {', '.join(f'`{n}`' for n in known)}"
    )
    return error("CNN302", f"{signature.name} has no input `{name}`", hint=hint)


def missing_input(spec: TensorSpec, signature: Signature) -> Diagnostic:
    """CNN302 for an input that got no data."""
    message = f"there is no data for the input `{spec.name}` of {signature.name}"
    return error("CNN302", message, spec.span, hint=f"give it with --input {spec.name}=FILE")


def _check_names(signature: Signature, arrays: Mapping[str, Array]) -> None:
    known = {spec.name for spec in signature.inputs}
    problems = [unknown_input(name, signature) for name in arrays if name not in known]
    problems += [missing_input(spec, signature) for spec in signature.inputs if spec.name not in arrays]
    if problems:
        raise Failure(problems)


def _fit(spec: TensorSpec, array: Array, source: str) -> tuple[Array, str | None]:
    """The array in the declared dtype, contiguous, and a remark where values were rounded."""
    import numpy as np

    if array.ndim == spec.type.rank - 1:
        array = array[None]
    if 0 in array.shape:
        raise _refused(spec, f"{source} is empty: its shape is [{', '.join(map(str, array.shape))}]")
    try:
        array, remark = convert(array, spec.type.dtype)
    except NoExactForm as problem:
        found = dtype_name(array.dtype)
        message = f"{source} does not fit the input `{spec.name}`: it holds {found}, declared {spec.type}"
        raise _refused(spec, message, str(problem)) from None
    if spec.type.dtype in FLOATS:
        _refuse_nan(spec, array, source)
    for indices in spec.indices:
        _refuse_out_of_range(spec, indices, array, source)
    return np.ascontiguousarray(array), remark


def _refuse_nan(spec: TensorSpec, array: Array, source: str) -> None:
    import numpy as np

    nan = np.isnan(array)
    count = int(nan.sum())
    if count:
        first = ", ".join(str(int(i)) for i in np.argwhere(nan)[0])
        raise _refused(spec, f"{source} holds {count} NaN, the first at [{first}], for the input `{spec.name}`")


def _refuse_out_of_range(spec: TensorSpec, indices: IndexRange, array: Array, source: str) -> None:
    """Failure for an index that chooses nothing. Targets would differ in what they make of it."""
    import numpy as np

    part, places = array, [range(size) for size in array.shape]
    for axis, *bounds in indices.cuts:
        part = part[(slice(None),) * axis + (slice(*bounds),)]
        places[axis] = places[axis][slice(*bounds)]
    wrong = (part < 0) | (part >= indices.below)
    count = int(wrong.sum())
    if count:
        first = np.argwhere(wrong)[0]
        place = ", ".join(str(there[int(i)]) for i, there in zip(first, places, strict=True))
        message = f"{source} holds {part[tuple(first)]} at [{place}], for the input `{spec.name}`"
        others = [f"{count} of its elements are out of range"] if count > 1 else []
        raise _refused(spec, message, f"it is used as an index, which is from 0 to {indices.below - 1}", *others)


def _refused(spec: TensorSpec, message: str, *notes: str) -> Failure:
    return Failure([error("CNN301", message, spec.span, notes=notes)])
