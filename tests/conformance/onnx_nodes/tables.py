"""Every operator that is translated."""

from __future__ import annotations

from tests.conformance.onnx_nodes import attending, elementwise, reducing, resizing, shapes, windows
from tests.conformance.onnx_nodes.sheet import Translator

TABLE: dict[str, Translator] = {
    **attending.TABLE,
    **elementwise.TABLE,
    **reducing.TABLE,
    **resizing.TABLE,
    **shapes.TABLE,
    **windows.TABLE,
}
