"""Networks in other precisions: float16 and bfloat16 by rewriting the graph, int8 by calibrating a compiled model.

lowered = lower(module, weights, "fp16")
quantised = quantise(onnx_bytes, read_calibration("photos/", module), module)
"""

from convspec.precision.lower import LOW, PRECISIONS, Lowered, lower

__all__ = ["LOW", "PRECISIONS", "Lowered", "lower"]
