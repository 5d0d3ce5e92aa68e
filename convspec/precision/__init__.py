"""Networks in other precisions: float16 and bfloat16 by rewriting the graph, int8 by calibrating a compiled model.

lowered = lower(module, weights, "fp16")
quantised = quantise(module, weights, read_calibration("photos/", module.graph))
"""

from convspec.precision.calibration import Calibration, read_calibration
from convspec.precision.lower import LOW, PRECISIONS, Lowered, lower
from convspec.precision.quantise import Quantised, QuantiseOptions, quantise

__all__ = [
    "LOW",
    "PRECISIONS",
    "Calibration",
    "Lowered",
    "QuantiseOptions",
    "Quantised",
    "lower",
    "quantise",
    "read_calibration",
]
