"""A network as an ONNX model in memory, for the runtimes that read ONNX."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

from convspec.runtime.base import Network

Model: TypeAlias = bytes | str
"""A model in memory, or the path of a file."""


def onnx_model(network: Network, folder: Path) -> Model:
    """The network as one ONNX model in memory; in files in `folder` where its weights do not fit into one message."""
    from convspec.targets.base import find_target

    target = find_target("onnx")
    artifact = target.emit(network.module, network.weights, target.options())
    if len(artifact.files) == 1:
        content = artifact.files[artifact.main]
        assert not isinstance(content, str)
        if isinstance(content, bytes):
            return content
        content(buffer := io.BytesIO())
        return buffer.getvalue()
    artifact.write(folder)
    return str(folder / artifact.main)


def interface_of_file(path: Path) -> Any:
    """What `signature_of_session` asks of a session, from the file alone. The failures of onnx.load where it is no model."""
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [_argument(value) for value in model.graph.input if value.name not in constants]
    outputs = [_argument(value) for value in model.graph.output]
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    meta = SimpleNamespace(custom_metadata_map=metadata, graph_name=model.graph.name)
    return SimpleNamespace(get_modelmeta=lambda: meta, get_inputs=lambda: inputs, get_outputs=lambda: outputs)


def _argument(value: Any) -> SimpleNamespace:
    """Name, type and shape as ONNX Runtime gives them: `tensor(float)`, and None for a size that has no name."""
    from onnx import TensorProto

    if not value.type.HasField("tensor_type"):
        return SimpleNamespace(name=value.name, type=value.type.WhichOneof("value") or "nothing", shape=[])
    tensor = value.type.tensor_type
    axes = [getattr(axis, axis.WhichOneof("value") or "", None) for axis in tensor.shape.dim]
    return SimpleNamespace(name=value.name, type=f"tensor({TensorProto.DataType.Name(tensor.elem_type).lower()})", shape=axes)
