"""convspec: describe a convolutional network once, compile it exactly to ONNX, PyTorch and Keras."""
