"""`quantise`: a network as an ONNX model whose layers compute in 8-bit integers, with ranges measured on calibration data.

Static quantisation by ONNX Runtime's own tool, written as QuantizeLinear and DequantizeLinear around float layers (QDQ), which
every runtime that knows ONNX can read, and which ONNX Runtime fuses into integer kernels. Weights are signed and have a scale
for each output channel; activations are unsigned with a zero point, since ONNX Runtime's CPU kernels for convolutions take no
others. Sums are made in 32-bit integers.
"""

from __future__ import annotations

import io
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir.types import FLOATS, Array
from convspec.precision.accuracy import OutputAccuracy, compare
from convspec.precision.calibration import Calibration, Item

HEAVY = ("Conv", "MatMul", "Gemm")
"""What integers are worth it for; a network without them is not quantised."""
OPS = (
    *HEAVY,
    *("Add", "Mul", "Sigmoid", "Relu", "Clip", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool"),
    *("Concat", "Split", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Pad", "Resize", "DepthToSpace"),
)
"""Layers between which values stay integers. One that is missing here costs a step to float32 and back."""

LEAST_OPSET = 13
"""The first with a scale for each channel."""

LAYERS = ("conv", "depthwise_conv", "separable_conv", "linear", "matmul", "attention")
"""The layers that these operators are made of."""

_WARNINGS, _ERRORS = 2, 3
"""ONNX Runtime's levels of what is logged; the first is its own choice."""

METHODS = ("minmax", "percentile")
PERCENTILE = 99.99
"""The share of values, in percent, that a range holds where outliers are left out; the others are cut off at its ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantiseOptions:
    """`exclude`: labels, or patterns of them (`head.*`), that stay in float32. `opset` as the ONNX target has it."""

    exclude: tuple[str, ...] = ()
    method: str = "minmax"
    """How a range is taken from what was seen: the extremes, or without outliers (slower, and holds more in memory)."""
    reduce_range: bool = False
    """Weights in 7 bits: for x86 processors without VNNI, whose 16-bit sums would overflow and be cut off."""
    opset: int | None = None


@dataclass(frozen=True, slots=True)
class QuantisationReport:
    """What was quantised and what that costs."""

    quantised: Mapping[str, int]
    """ONNX operators that compute between quantised tensors, with how many of them."""
    excluded: tuple[str, ...]
    items: int
    """How many items ranges were measured on."""
    source: str
    held: int
    apart: bool
    accuracy: tuple[OutputAccuracy, ...]
    bytes_before: int
    bytes_after: int

    def text(self) -> str:
        """The lines that `compile` prints."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        layers = ", ".join(f"{count} × {op}" for op, count in sorted(self.quantised.items()))
        yield f"quantised: {layers}"
        if self.excluded:
            yield f"left in float32 as asked: {', '.join(self.excluded)}"
        yield f"ranges from {_items(self.items)} of {self.source}"
        where = f"{_items(self.held)} held back" if self.apart else f"the same {_items(self.held)}, for want of more"
        yield f"against float32 on {where}:"
        yield from (f"  {one.text()}" for one in self.accuracy)
        yield f"model: {self.bytes_before:,} bytes became {self.bytes_after:,}"

    def to_json(self) -> dict[str, Any]:
        """What a program reads."""
        return {
            "quantised": dict(sorted(self.quantised.items())),
            "excluded": list(self.excluded),
            "calibration": {"source": self.source, "items": self.items},
            "measured": {"items": self.held, "held_back": self.apart},
            "accuracy": [one.to_json() for one in self.accuracy],
            "bytes": {"before": self.bytes_before, "after": self.bytes_after},
        }


def _items(count: int) -> str:
    return f"{count} item{'s' if count != 1 else ''}"


@dataclass(frozen=True, slots=True)
class Quantised:
    """An ONNX model in memory, and what it lost."""

    model: bytes
    report: QuantisationReport


def quantise(
    module: Module, weights: Mapping[str, Array], calibration: Calibration, options: QuantiseOptions | None = None
) -> Quantised:
    """The network, best optimised before, as an int8 ONNX model with float inputs and outputs as declared.

    The same data and versions give the same bytes. Failure CNN303 without onnxruntime, CNN401 where an option does not fit or
    there is nothing to quantise, CNN306 where ONNX Runtime's tool fails.
    """
    options = options or QuantiseOptions()
    _check(options)
    ort = _onnxruntime()
    with tempfile.TemporaryDirectory(prefix="convspec-", ignore_cleanup_errors=True) as folder:
        plain, made = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        _check_floats(module)
        _emit(module, weights, plain, options)
        excluded = _excluded(plain, options.exclude)
        _part_outputs(plain)
        _quantise_static(ort, plain, made, calibration.used, excluded, options)
        quantised = _finished(made, module)
        accuracy = compare(_runner(ort, quantised), _runner(ort, str(plain)), calibration.held)
        before = sum(file.stat().st_size for file in Path(folder).glob("plain.onnx*"))
    report = QuantisationReport(
        _count(quantised),
        tuple(excluded),
        len(calibration.used),
        calibration.source,
        len(calibration.held),
        calibration.apart,
        accuracy,
        before,
        len(quantised),
    )
    return Quantised(quantised, report)


def _check(options: QuantiseOptions) -> None:
    if options.method not in METHODS:
        hint = f"the methods are {', '.join(METHODS)}"
        raise fail(error("CNN401", f"there is no calibration method `{options.method}`", hint=hint))
    if options.opset is not None and options.opset < LEAST_OPSET:
        raise fail(
            error("CNN401", f"opset {options.opset} has no scale for each channel", hint=f"int8 takes --opset {LEAST_OPSET}")
        )


def _check_floats(module: Module) -> None:
    """Failure CNN401 where a layer that is to be quantised is declared in another type than float32."""
    for node in module.graph.nodes:
        others = {t.dtype for t in node.input_types if t.dtype in FLOATS} - {"float32"}
        if node.op.name in LAYERS and others:
            message = f"int8 is made from float32, and this `{node.op.name}` computes in {others.pop()}"
            raise fail(error("CNN401", message, node.span, frames=node.frames, hint="declare its input as float32"))


def _onnxruntime() -> Any:
    try:
        import onnxruntime
        import onnxruntime.quantization
    except ImportError as problem:
        message = f"int8 is made with onnxruntime's tool, and {problem.name or 'onnxruntime'} is not installed"
        raise fail(error("CNN303", message, hint='pip install "convspec[cpu]"')) from None
    return onnxruntime


def _emit(module: Module, weights: Mapping[str, Array], path: Path, options: QuantiseOptions) -> None:
    """The float32 model as files."""
    from convspec.targets.onnx import TARGET, OnnxOptions

    TARGET.emit(module, weights, OnnxOptions(stem=path.stem, opset=options.opset)).write(path.parent)


def _excluded(path: Path, patterns: Sequence[str]) -> list[str]:
    """The nodes that a pattern matches, by name. Failure CNN401 for a pattern that matches none, or where none is left."""
    import onnx

    nodes = onnx.load(path, load_external_data=False).graph.node
    names = {node.name: node.op_type for node in nodes if node.op_type in OPS}
    found: dict[str, None] = {}
    for pattern in patterns:
        matching = [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}/*")]
        if not matching:
            raise fail(
                error(
                    "CNN401",
                    f"no layer that could be quantised is called `{pattern}`",
                    hint="`convspec summary` shows the labels",
                )
            )
        found.update(dict.fromkeys(matching))
    if not any(op in HEAVY for name, op in names.items() if name not in found):
        message = "there is no convolution or product left to quantise"
        raise fail(error("CNN401", message, hint="int8 pays for those alone: leave out --precision int8"))
    return list(found)


def _part_outputs(path: Path) -> None:
    """A copy before each output of the network that a ReLU or Clip reads too.

    The tool gives a tensor that such a layer alone reads the range behind it, and cuts off the rest, which an output may show.
    """
    import onnx

    model = onnx.load(path)
    outputs = {output.name for output in model.graph.output}
    read = {node.input[0] for node in model.graph.node if node.op_type in ("Relu", "Clip")} & outputs
    for name in sorted(read):
        inner = f"{name}/inner"
        for node in model.graph.node:
            for names in (node.input, node.output):
                names[:] = [inner if each == name else each for each in names]
        model.graph.node.append(onnx.helper.make_node("Identity", [inner], [name], name=f"{name}/copy"))
    if read:
        onnx.save(model, path)


class _Reader:
    """Items in the way in which the tool asks for them."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = iter(items)

    def get_next(self) -> dict[str, Array] | None:
        return dict(item) if (item := next(self._items, None)) is not None else None


def _quantise_static(
    ort: Any, path: Path, made: Path, items: Sequence[Item], excluded: list[str], options: QuantiseOptions
) -> None:
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

    CalibrationDataReader.register(_Reader)
    methods = dict(zip(METHODS, (CalibrationMethod.MinMax, CalibrationMethod.Percentile), strict=True))
    with _quiet(ort):
        try:
            quantize_static(
                str(path),
                str(made),
                _Reader(items),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(OPS),
                nodes_to_exclude=excluded,
                per_channel=True,
                reduce_range=options.reduce_range,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=methods[options.method],
                extra_options={"CalibPercentile": PERCENTILE},
            )
        except Exception as problem:  # the tool may raise anything
            reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
            raise fail(error("CNN306", f"onnxruntime's quantisation failed: {reason}")) from problem


@contextmanager
def _quiet(ort: Any) -> Iterator[None]:
    """Without the tool's remarks on models that were not prepared by another of its tools, and on its own constants."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    ort.set_default_logger_severity(_ERRORS)
    try:
        with redirect_stdout(io.StringIO()):  # where some methods tell how far they are
            yield
    finally:
        root.setLevel(before)
        ort.set_default_logger_severity(_WARNINGS)


def _finished(path: Path, module: Module) -> bytes:
    """The model as bytes, with what was done to it in its metadata."""
    import onnx

    model = onnx.load(path)
    how = "in int8 where that pays"
    said = f"{module.rewritten}, {how}" if module.rewritten else how
    kept = [entry for entry in model.metadata_props if entry.key.startswith("convspec.") and entry.key != "convspec.rewritten"]
    entries = {entry.key: entry.value for entry in kept} | {"convspec.rewritten": said}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, entries)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _runner(ort: Any, model: bytes | str) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda item: dict(zip(names, session.run(names, dict(item)), strict=True))


def _count(model: bytes) -> dict[str, int]:
    """How many operators of each kind read quantised tensors."""
    import onnx

    graph = onnx.load_from_string(model).graph
    dequantised = {name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    quantised = {name for node in graph.node if node.op_type == "QuantizeLinear" for name in node.input}
    counted = [n.op_type for n in graph.node if dequantised.intersection(n.input) and quantised.intersection(n.output)]
    return dict(Counter(op for op in counted if op in OPS))


__all__ = ["METHODS", "OPS", "QuantisationReport", "QuantiseOptions", "Quantised", "quantise"]
