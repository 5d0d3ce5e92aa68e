"""ONNX models: initializers and Constant nodes, with data beside the model read only from its own folder.

An initializer's name is all that ONNX says of it; what it is follows from the nodes that read it. That tells matrices stored
the other way round from PyTorch's, and constants that are no weights (shapes, axes, scales).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from convspec.ir.types import Array
from convspec.weights.names import quoted
from convspec.weights.sources.base import Source, StoredTensor
from convspec.weights.sources.onnx_names import form, is_constant
from convspec.weights.sources.reading import FileBytes, elements, explained, refused

LARGEST = (1 << 31) - 1
"""Bytes of a model file: protobuf's limit. Larger networks keep their tensors beside it."""

DEEPEST = 32
"""Graphs in attributes of nodes of graphs."""

_KERNEL = {1: "kernel", 2: "bias"}
_NORM = {1: "gamma", 2: "beta"}
ROLES: Mapping[str, Mapping[int, str]] = {
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm"), _KERNEL),
    "MatMul": {0: "kernel", 1: "kernel"},
    "DeformConv": {1: "kernel", 3: "bias"},
    "BatchNormalization": {**_NORM, 3: "moving_mean", 4: "moving_variance"},
    **dict.fromkeys(("InstanceNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization"), _NORM),
    "PRelu": {1: "alpha"},
    "Gather": {0: "embeddings"},
}
"""What a node's operand is, by its place among the inputs."""

ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div", "Expand", "Concat", "Where"})
"""Nodes that learned tensors other than those above go into; a single number there is rather a constant of the formula."""

THROUGH = frozenset({"Identity", "Transpose", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Flatten"})
"""Nodes behind which a weight is still that weight, as input 0."""


def open_onnx(path: Path) -> Source:
    """The tensors of a model. Failure CNN200."""
    import onnx

    file = FileBytes.of(path)
    if file.size > LARGEST:
        raise refused(path, "it is larger than a model can be; tensors past 2 GB lie in a file beside it")
    with explained(path):
        model = onnx.ModelProto.FromString(file.read(0, file.size).data)
        if not model.HasField("graph") or not (model.graph.node or model.graph.initializer):
            raise refused(path, "it is no ONNX model with a graph")
        found = _Found(path)
        found.graph(model.graph, 0)
        found.own = model.producer_name == "convspec"
        found.copies(model.graph)
        tensors = {name: found.stored(name, found.tensors[name]) for name in found.kept()}
    return Source(path, "onnx", tensors, {"producer": str(model.producer_name)[:100], "graph": str(model.graph.name)[:100]})


@dataclass(frozen=True, slots=True)
class _Use:
    """A node that reads a tensor, as its input number `place`."""

    node: Any
    place: int


@dataclass(slots=True)
class _Found:
    """The tensors of a model's graphs, and who reads them."""

    path: Path
    tensors: dict[str, Any] = field(default_factory=dict)
    readers: dict[str, list[_Use]] = field(default_factory=dict)
    files: dict[str, FileBytes] = field(default_factory=dict)
    copied: set[str] = field(default_factory=set)
    """Names under which an Identity gives a tensor again."""
    own: bool = False
    """Whether the onnx target here wrote the model, which then names tensors as onnx_names says."""

    def kept(self) -> list[str]:
        """The names of the tensors: of a parameter that the model has in several layouts, the first."""
        if not self.own:
            return list(self.tensors)
        first: dict[str, str] = {}
        for name in self.tensors:
            layout = form(name)
            first.setdefault(layout.parameter if layout else name, name)
        return list(first.values())

    def graph(self, graph: Any, depth: int) -> None:
        """The initializers of a graph, then those of its nodes' inner graphs."""
        if depth > DEEPEST:
            raise refused(self.path, "its graphs are nested too deeply")
        if graph.sparse_initializer:
            name = graph.sparse_initializer[0].values.name
            raise refused(self.path, f"{quoted(name)} is a sparse tensor, of which no network here is made", hint=None)
        for tensor in graph.initializer:
            self._add(tensor.name, tensor)
        for node in graph.node:
            for place, name in enumerate(node.input):
                self.readers.setdefault(name, []).append(_Use(node, place))
            for attribute in node.attribute:
                if node.op_type == "Constant" and attribute.name == "value" and attribute.HasField("t") and node.output:
                    self._add(node.output[0], attribute.t)
                for inner in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
                    self.graph(inner, depth + 1)

    def copies(self, graph: Any) -> None:
        """Exporters store equal tensors once, and give the others their names by an Identity: a fresh network's biases, say."""
        taken = {output.name for output in graph.output}
        for node in graph.node:
            given = node.op_type == "Identity" and len(node.input) == len(node.output) == 1 and node.input[0] in self.tensors
            if given and node.output[0] not in taken and node.output[0] not in self.tensors:
                self.tensors[node.output[0]] = self.tensors[node.input[0]]
                self.copied.add(node.output[0])

    def _add(self, name: str, tensor: Any) -> None:
        if name in self.tensors:
            raise refused(self.path, f"it has two tensors named {quoted(name)}")
        self.tensors[name] = tensor

    def stored(self, name: str, tensor: Any) -> StoredTensor:
        """What is known of the tensor; its size is checked against its data."""
        dtype = _dtype(self.path, name, tensor)
        shape = tuple(tensor.dims)
        count = elements(self.path, quoted(name), shape)
        roles = {(_role(use, shape), turned) for use, turned in self._uses(name, False, 0)}
        role = next(iter(roles))[0] if len({role for role, _ in roles}) == 1 else None
        number = dtype.startswith(("float", "bfloat")) and roles
        plain = role == "constant" or not number or (self.own and is_constant(name))
        told = self.own and form(name) is not None  # then the name says how it is stored
        transposed = len(shape) == 2 and not plain and not told and {turned for _, turned in roles} == {True}
        constant = plain or name in self.copied  # a copy is of use where the spec has its name, and no surplus where not
        read = self._reader(name, tensor, dtype, shape, count)
        return StoredTensor(
            name=name, dtype=dtype, shape=shape, read=read, role="constant" if constant else role, transposed=transposed
        )

    def _uses(self, name: str, turned: bool | None, depth: int) -> Iterator[tuple[_Use, bool | None]]:
        """The nodes that compute with the tensor, and whether they read it the other way round from PyTorch's order; None
        where it has another shape by then.
        """
        for use in self.readers.get(name, ()):
            op = use.node.op_type
            if op in THROUGH and use.place == 0 and use.node.output and depth < DEEPEST:
                swaps = op == "Transpose" and _ints(use.node, "perm") in ([], [1, 0])
                known = turned is not None and op in ("Identity", "Transpose", "Cast")
                yield from self._uses(use.node.output[0], turned != swaps if known else None, depth + 1)
            else:
                yield use, None if turned is None else turned != _other_way(use)

    def _reader(self, name: str, tensor: Any, dtype: str, shape: tuple[int, ...], count: int) -> Any:
        import onnx

        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            file, start = self._external(name, tensor, count * _width(dtype))
            return partial(_read_external, file, start, count * _width(dtype), dtype, shape)
        _check_length(self.path, name, tensor, dtype, count)
        return partial(_read, self.path, tensor, dtype, shape)

    def _external(self, name: str, tensor: Any, length: int) -> tuple[FileBytes, int]:
        """The file beside the model that holds the data, and where in it. Nothing outside the model's folder is opened."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        start, told = (_number(entries.get(key, default)) for key, default in (("offset", "0"), ("length", str(length))))
        if start is None or told != length:
            raise refused(self.path, f"{quoted(name)} needs {length} bytes beside the model, which it does not say")
        if location not in self.files:
            self.files[location] = FileBytes.of(_inside(self.path, name, location))
        file = self.files[location]
        if start + length > file.size:
            raise refused(self.path, f"{quoted(name)} lies past the end of {file.path.name}")
        return file, start


def _role(use: _Use, shape: tuple[int, ...]) -> str | None:
    op = use.node.op_type
    if op in ROLES:
        return ROLES[op].get(use.place, "constant")
    several = any(size != 1 for size in shape)
    return None if op in ARITHMETIC and several else "constant" if op in _FORMULAS or not several else None


_FORMULAS = frozenset({"Clip", "Pow", "Resize", "Pad", "Slice", "Range", "Tile", "TopK", "OneHot", "Min", "Max", "Equal"})
"""Nodes whose operands are never learned."""


def _other_way(use: _Use) -> bool:
    """MatMul takes (in, out) as its second operand, and so does Gemm unless it is told to transpose it."""
    if use.node.op_type == "Gemm" and use.place == 1:
        return not any(attribute.name == "transB" and attribute.i for attribute in use.node.attribute)
    return bool(use.node.op_type == "MatMul" and use.place == 1)


def _ints(node: Any, name: str) -> list[int]:
    return next((list(attribute.ints) for attribute in node.attribute if attribute.name == name), [])


def _dtype(path: Path, name: str, tensor: Any) -> str:
    import onnx

    if tensor.data_type not in onnx.TensorProto.DataType.values() or tensor.data_type == onnx.TensorProto.UNDEFINED:
        raise refused(path, f"{quoted(name)} is of a dtype that is not known: {tensor.data_type}")
    word = str(onnx.TensorProto.DataType.Name(tensor.data_type)).lower()
    return {"float": "float32", "double": "float64"}.get(word, word)


def _width(dtype: str) -> int:
    from convspec.weights.dtypes import numpy_dtype

    try:
        return numpy_dtype(dtype).itemsize
    except TypeError:
        return 0


def _check_length(path: Path, name: str, tensor: Any, dtype: str, count: int) -> None:
    """Are there as many numbers as the shape claims?"""
    width = _width(dtype)
    if not width:
        return  # of strings, 4-bit numbers and the like no network here is made: they are never read
    if tensor.HasField("raw_data"):
        held, wanted = len(tensor.raw_data), count * width
    else:
        import onnx

        typed = getattr(tensor, onnx.helper.tensor_dtype_to_field(tensor.data_type))
        held, wanted = len(typed), count
    if held != wanted:
        raise refused(path, f"the shape of {quoted(name)}, {list(tensor.dims)}, is not that of its data")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _inside(path: Path, name: str, location: str) -> Path:
    """The file that a tensor's data lie in, if that is in the model's folder or below it, links followed."""
    parts = PurePosixPath(location).parts
    outside = not parts or location.startswith("/") or ".." in parts or "\\" in location or "\0" in location
    folder = path.parent.resolve()
    if not outside and not PureWindowsPath(location).drive:
        target = folder / location
        with explained(path):
            if target.resolve().is_relative_to(folder):
                return target
    raise refused(path, f"the data of {quoted(name)} would lie outside the model's folder: {quoted(location)}", hint=None)


def _read(path: Path, tensor: Any, dtype: str, shape: tuple[int, ...]) -> Array:
    import onnx.numpy_helper

    with explained(path):
        if tensor.HasField("raw_data") and _width(dtype):
            import numpy as np

            return _typed(np.frombuffer(tensor.raw_data, np.uint8), dtype, shape)
        found: Array = onnx.numpy_helper.to_array(tensor)
        return found


def _read_external(file: FileBytes, start: int, length: int, dtype: str, shape: tuple[int, ...]) -> Array:
    return _typed(file.read(start, length), dtype, shape)


def _typed(data: Array, dtype: str, shape: tuple[int, ...]) -> Array:
    """Little-endian bytes as numbers, without a copy where that is the machine's own order."""
    from convspec.weights.dtypes import numpy_dtype

    wanted = numpy_dtype(dtype)
    found: Array = data.view(wanted.newbyteorder("<") if dtype != "bfloat16" else wanted).reshape(shape)
    return found.astype(wanted, copy=False)


__all__ = ["open_onnx"]
