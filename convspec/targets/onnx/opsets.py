"""Which ONNX opsets can be asked for, which one is used when nobody asks, and what each can say."""

from __future__ import annotations

from typing import Any

from convspec.diagnostics import error, fail

DEFAULT_OPSET = 26
"""The newest that the released onnxruntime and onnxruntime-gpu both load: 1.27 to 1.31 stop at 26, and onnxruntime-gpu has
nothing newer. The CPU has a kernel for every op type that convspec writes, at every opset from 18 on."""

OLDEST_OPSET = 18
"""Below it some op types mean something else (Softmax before 13), or take as attributes what lowerings give as inputs
(ReduceMean, Split)."""

SINCE: dict[tuple[str, str, str], int] = {
    ("Pad", "mode", "wrap"): 19,
    ("Resize", "coordinate_transformation_mode", "half_pixel_symmetric"): 19,
}
"""Values of attributes (op type, attribute, value) that are younger than the attribute, which a schema does not tell."""

REDEFINED: dict[str, int] = {"GroupNormalization": 21}
"""Op types whose meaning changed: from this opset on they mean what lowerings take them to mean."""


def chosen_opset(asked: int | None) -> int:
    """The opset to write. Failure CNN401 where `asked` is not one that can be written with the onnx that is installed."""
    import onnx

    newest: int = onnx.defs.onnx_opset_version()
    if asked is None:
        return min(DEFAULT_OPSET, newest)
    if isinstance(asked, int) and OLDEST_OPSET <= asked <= newest:
        return asked
    hint = f"the opsets are {OLDEST_OPSET} to {newest}" + ("" if newest > DEFAULT_OPSET else f" (onnx {onnx.__version__})")
    raise fail(error("CNN401", f"there is no opset {asked} to write", hint=hint))


def ir_version(opset: int) -> int:
    """The file format's version that came with the opset: the oldest that carries it, so that most runtimes take it."""
    import onnx

    version: int = onnx.helper.find_min_ir_version_for([onnx.helper.make_opsetid("", opset)])
    return version


def first_opset(op_type: str) -> int | None:
    """The opset that brought `op_type`, or None if ONNX does not have it."""
    import onnx

    versions = [s.since_version for s in onnx.defs.get_all_schemas_with_history() if s.name == op_type and not s.domain]
    return min(versions) if versions else None


def schema(op_type: str, opset: int) -> Any | None:
    """The definition of `op_type` at `opset`, or None where it has none that is in force."""
    import onnx

    try:
        found = onnx.defs.get_schema(op_type, opset, "")
    except onnx.defs.SchemaError:
        return None
    return None if found.deprecated or opset < REDEFINED.get(op_type, 0) else found
