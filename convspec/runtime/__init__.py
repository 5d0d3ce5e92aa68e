"""Running a network: the NumPy reference, ONNX Runtime, PyTorch, TensorFlow."""
