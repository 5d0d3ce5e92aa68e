"""The ONNX target: a checked model in one file, or with its weights beside it."""

from convspec.targets.onnx.target import TARGET, OnnxOptions

__all__ = ["TARGET", "OnnxOptions"]
