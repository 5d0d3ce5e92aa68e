"""Generated files run on another backend of Keras too: here PyTorch, in a process of its own.

(Keras on PyTorch refuses layer names with dots; on its other backends they are well. So labels here are without.)
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from convspec.ir.types import Array
from convspec.targets.tensorflow import TARGET, TensorFlowOptions
from tests.targets.tensorflow.networks import Net, assert_agree, net, to_first, to_last
from tests.targets.tensorflow.specs import SPECS

SCRIPT = """
import importlib, sys
import keras, numpy as np
assert keras.backend.backend() == "torch"
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    model = module.build()
    module.load_weights(model, f"{name}.safetensors")
    inputs = dict(np.load(f"{name}_in.npz"))
    result = model.predict(inputs if len(inputs) > 1 else next(iter(inputs.values())), verbose=0)
    np.savez(f"{name}_out.npz", **(result if isinstance(result, dict) else {"": result}))
"""


def _write(name: str, folder: Path) -> tuple[Net, dict[str, Array]]:
    text, model, sizes = SPECS[name]
    made = net(text, model)
    inputs = made.inputs(**sizes[0])
    TARGET.emit(made.module, made.weights, TensorFlowOptions(stem=name)).write(folder)
    arrays: dict[str, Any] = {key: to_last(array) for key, array in inputs.items()}
    np.savez(folder / f"{name}_in.npz", **arrays)
    return made, inputs


def test_on_the_torch_backend(tmp_path: Path) -> None:
    written = {name: _write(name, tmp_path) for name in ("lenet", "every_op", "convolutions")}
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *written], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name, (made, inputs) in written.items():
        found = dict(np.load(tmp_path / f"{name}_out.npz"))
        expected = made.reference(inputs)
        by_name = {key: to_first(found[key if len(expected) > 1 else ""]) for key in expected}
        assert_agree(by_name, expected)
