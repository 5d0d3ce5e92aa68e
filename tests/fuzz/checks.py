"""What must hold for every valid spec: all runtimes agree, both printed forms agree, files are sound and reproducible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import convspec
from convspec.diagnostics import Failure
from convspec.elaborate import Module, loads
from convspec.ir import dims
from convspec.ir.types import Array
from convspec.runtime.reference import evaluate
from convspec.targets.base import find_target
from convspec.weights.randomised import randomised
from tests.fuzz.gradients import keras_gradients, torch_gradients
from tests.fuzz.specs import Spec
from tests.ops.harness import scaled_error

GATE, GRADIENT_GATE = 1e-5, 1e-8
"""Scaled errors: of float32 outputs against the float64 reference, of float64 gradients of TensorFlow against PyTorch's."""
ROUNDING, GRADIENT_ROUNDING = (2.0**-24, 1e-6), (1e-13, 1e-9)
"""By how much inputs and weights are moved, relative to themselves, to see how well a value is conditioned; and how far it
may move for that.

A value above the gate is excused only if it moves by more: then no arithmetic of that precision can hold the gate. So it is
for differences of nearly equal tensors, for saturated softmaxes, and for gradients at a kink or that are zero but for rounding.
"""
TARGETS = ("onnx", "pytorch", "tensorflow")
REFUSALS = ("CNN090", "CNN091")
"""What a target may say: it has no exact form of a layer, or cannot carry a name."""


@dataclass
class Network:
    """A spec, elaborated, with weights under which no layer is the identity."""

    spec: Spec

    @cached_property
    def module(self) -> Module:
        return loads(self.spec.text, model=self.spec.model)

    @cached_property
    def weights(self) -> dict[str, Array]:
        return randomised(self.module.graph, seed=1)

    @cached_property
    def net(self) -> convspec.Net:
        return convspec.Net(self.module, self.weights)

    def inputs(self, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Array]:
        """Standard normal data for every input, float32."""
        generator = np.random.default_rng(seed)
        return {
            item.value.name: generator.standard_normal(
                [dims.evaluate(size, sizes) for size in item.value.type.shape], np.float32
            )
            for item in self.module.graph.inputs
        }


def check_files(network: Network) -> set[str]:
    """Every target's files are the same when compiled again from the text; the ONNX model passes its checker.

    The targets that refuse the network, with a Failure of theirs.
    """
    again = loads(network.spec.text, model=network.spec.model)
    refused = set()
    for name in TARGETS:
        target = find_target(name)
        try:
            artifact = target.emit(network.module, network.weights, target.options())
        except Failure as failure:
            if any(diagnostic.code not in REFUSALS for diagnostic in failure.diagnostics):
                raise
            refused.add(name)
            continue
        second = target.emit(again, randomised(again.graph, seed=1), target.options())
        assert list(artifact.files) == list(second.files)
        for file in artifact.files:
            assert artifact.data(file) == second.data(file), f"{file} differs when compiled again"
        if name == "onnx":
            check_onnx(artifact.data())
    return refused


def check_onnx(data: bytes) -> None:
    import onnx

    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)


def check_runtimes(network: Network, refused: set[str]) -> int:
    """Reference, ONNX Runtime, PyTorch and TensorFlow give the same outputs at both sizes. How many outputs were excused."""
    runtimes = {"onnx": "onnxruntime", "pytorch": "pytorch", "tensorflow": "tensorflow"}
    excused = 0
    for seed, sizes in enumerate(network.spec.sizes):
        arrays = network.inputs(sizes, seed)
        expected = evaluate(network.module.graph, network.weights, arrays).outputs
        for target in [name for name in TARGETS if name not in refused]:
            found = network.net.run(arrays, runtime=runtimes[target])
            assert list(found) == list(expected)
            errors = {name: scaled_error(found[name], values) for name, values in expected.items()}
            for name in [name for name, error in errors.items() if not error < GATE]:
                told = f"{runtimes[target]}: {name} has an error of {errors[name]:.1e} at {dict(sizes)}"
                assert np.isfinite(errors[name]) and name in _sensitive_outputs(network, arrays, expected), told
                excused += 1
    return excused


def _sensitive_outputs(network: Network, arrays: Mapping[str, Array], expected: Mapping[str, Array]) -> set[str]:
    """The outputs that one rounding of inputs and weights moves too far for a comparison in float32."""
    relative, most = ROUNDING
    found = set()
    for seed in range(2):
        weights, moved_arrays = nudged(network.weights, relative, seed), nudged(arrays, relative, seed)
        moved = evaluate(network.module.graph, weights, moved_arrays).outputs
        found |= {name for name, values in expected.items() if scaled_error(moved[name], values) > most}
    return found


def check_gradients(network: Network) -> int:
    """PyTorch and TensorFlow give the same gradients in float64, in training mode where it has no dropout. How many excused."""
    module = network.module
    training = not any(node.op.training_only for node in module.graph.nodes)
    sizes = {**network.spec.sizes[0], **({"N": 3} if "N" in network.spec.sizes[0] else {})}
    arrays, weights = nudged(network.inputs(sizes), 0, 0), nudged(network.weights, 0, 0)
    expected = torch_gradients(module, weights, arrays, training)
    found = keras_gradients(module, weights, arrays, training)
    excused, sensitive = 0, None
    for name in expected.keys() | found.keys():
        known = expected.get(name, found.get(name))
        assert known is not None
        none = np.zeros_like(known)  # what no output depends on has no gradient, or zeros
        error = scaled_error(found.get(name, none), expected.get(name, none))
        if error < GRADIENT_GATE:
            continue
        sensitive = _sensitive_gradients(network, weights, arrays, training) if sensitive is None else sensitive
        assert np.isfinite(error) and name in sensitive, f"gradient of {name}: error {error:.1e}, training is {training}"
        excused += 1
    return excused


def _sensitive_gradients(
    network: Network, weights: Mapping[str, Array], arrays: Mapping[str, Array], training: bool
) -> set[str]:
    relative, most = GRADIENT_ROUNDING
    expected = torch_gradients(network.module, weights, arrays, training)
    found = set()
    for seed in range(3):
        moved = torch_gradients(network.module, nudged(weights, relative, seed), nudged(arrays, relative, seed), training)
        found |= {name for name, values in expected.items() if scaled_error(moved[name], values) > most}
    return found


def nudged(arrays: Mapping[str, Array], relative: float, seed: int) -> dict[str, Array]:
    """The arrays in float64, every element changed by up to `relative` of itself."""
    generator = np.random.default_rng(seed)
    return {
        name: array.astype(np.float64) * (1 + relative * generator.choice((-1.0, 1.0), array.shape))
        for name, array in arrays.items()
    }


def check_pytorch_forms(network: Network) -> str:
    """The readable source computes to the bit what the straight-line source does; both have the spec's parameters.

    Why the readable form could not be printed, or "".
    """
    import torch

    from convspec.targets.pytorch.package import import_text
    from convspec.targets.pytorch.source import generate

    arrays = [torch.from_numpy(array) for array in network.inputs(network.spec.sizes[1]).values()]
    results, notes = [], ""
    for straight in (False, True):
        source = generate(network.module, "net", straight)
        notes = notes or " ".join(source.notes)
        model = getattr(import_text(source.text), source.class_name)()
        keys = {key for key in model.state_dict() if not key.endswith("num_batches_tracked")}
        assert keys == set(network.module.graph.parameters())
        model.load_state_dict({key: torch.tensor(array) for key, array in network.weights.items()})
        with torch.no_grad():
            result = model.eval()(*arrays)
        results.append([tensor.numpy() for tensor in (result.values() if isinstance(result, dict) else [result])])
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other), "PyTorch: the readable source and the straight-line source differ"
    return notes


def check_keras_forms(network: Network) -> bool:
    """The readable source computes to the bit what the straight-line source does. Whether it could be printed."""
    from convspec.runtime.tensorflow import to_channels_last
    from convspec.targets.tensorflow.network import prepare
    from convspec.targets.tensorflow.packaging import to_keras

    arrays = {name: to_channels_last(array) for name, array in network.inputs(network.spec.sizes[1]).items()}
    feed: Any = arrays if len(arrays) > 1 else next(iter(arrays.values()))
    results = []
    for straight in (False, True):
        model = to_keras(network.module, network.weights, "float32", straight=straight)
        result = model(feed, training=False)
        results.append([tensor.numpy() for tensor in (result.values() if isinstance(result, dict) else [result])])
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other), "Keras: the readable source and the straight-line source differ"
    variables = {variable.parameter for variable in prepare(network.module.graph).variables}
    assert variables <= set(network.module.graph.parameters())
    return _keras_readable(network)


def _keras_readable(network: Network) -> bool:
    """Whether the file is the readable form."""
    target = find_target("tensorflow")
    texts = [
        target.emit(network.module, network.weights, target.options(straight=straight)).text()  # type: ignore[call-arg]
        for straight in (False, True)
    ]
    return texts[0] != texts[1]
