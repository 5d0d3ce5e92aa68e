"""Artifacts: ONNX models, PyTorch source, Keras source."""
