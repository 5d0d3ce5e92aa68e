"""The operator tests that ship inside the onnx package, as an oracle that nothing here has a share in."""
