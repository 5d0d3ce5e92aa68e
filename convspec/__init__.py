"""convspec: describe a convolutional network once, compile it exactly to ONNX, PyTorch and Keras.

    import convspec

    net = convspec.load("resnet.cnn", model="ResNet50")
    print(net.summary())
    net.to_onnx("resnet50.onnx")
    logits = net.run(images)["fc"]

What stands here is imported when it is first used: `import convspec` itself brings in nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convspec.version import VERSION

if TYPE_CHECKING:
    from convspec.api import Net, load, loads
    from convspec.diagnostics import Diagnostic, Failure

__version__ = VERSION

_HOMES = {
    "Net": "convspec.api",
    "load": "convspec.api",
    "loads": "convspec.api",
    "Diagnostic": "convspec.diagnostics",
    "Failure": "convspec.diagnostics",
    "load_ipython_extension": "convspec.notebook",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'convspec' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


__all__ = ["Diagnostic", "Failure", "Net", "__version__", "load", "loads"]
