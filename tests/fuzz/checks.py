"""What must hold for every valid spec: all runtimes agree, both printed forms agree, files are sound and reproducible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np

import convspec
from convspec.diagnostics import Failure
from convspec.elaborate import Module, loads
from convspec.ir import dims
from convspec.ir.types import FLOATS, Array
from convspec.runtime.reference import evaluate
from convspec.runtime.signature import signature_of
from convspec.runtime.sizes import solve_sizes
from convspec.targets.base import Artifact, find_target
from convspec.verify.backends import Result, open_backend
from convspec.verify.inputs import draw, nudged, projection
from convspec.weights.randomised import randomised
from tests.fuzz import emitted
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
CENTRED_GATE = 1e-4
"""The same on TensorFlow behind a norm: Keras's layers compute x / d - mean / d, which on numbers that are alike leaves a
rounding of 1 / √eps times the number where the reference has 0."""
CENTRED = {"layernorm", "groupnorm", "instancenorm"}
NOISE = 1e-12
"""Differences between gradients that are this small beside the largest gradient of all are roundings of what cancels out."""
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
        """Data for every input: standard normal where it is of floats, else what the layers that take it want."""
        return draw(self.module.graph, sizes, seed)

    def is_turn(self, turn: int, of: int) -> bool:
        """True for one in `of` specs; other turns are other specs. The text alone decides."""
        return crc32(self.spec.text.encode()) % of == turn


def check_files(network: Network) -> dict[str, Artifact]:
    """What each target makes of the network; a target that refuses it, with a Failure of its own, is left out.

    The ONNX model passes its checker.
    """
    found = {}
    for name in TARGETS:
        target = find_target(name)
        try:
            found[name] = target.emit(network.module, network.weights, target.options())
        except Failure as failure:
            if any(diagnostic.code not in REFUSALS for diagnostic in failure.diagnostics):
                raise
    if "onnx" in found:
        check_onnx(found["onnx"].data())
    return found


def check_onnx(data: bytes) -> None:
    import onnx

    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)


def check_again(network: Network, artifacts: Mapping[str, Artifact]) -> None:
    """Every target's files are the same when compiled again from the text."""
    again = loads(network.spec.text, model=network.spec.model)
    for name, artifact in artifacts.items():
        target = find_target(name)
        second = target.emit(again, randomised(again.graph, seed=1), target.options())
        assert list(artifact.files) == list(second.files)
        for file in artifact.files:
            assert artifact.data(file) == second.data(file), f"{file} differs when compiled again"


def check_runtimes(network: Network, artifacts: Mapping[str, Artifact], straight: bool) -> int:
    """Reference, ONNX Runtime, PyTorch and TensorFlow give the same outputs at both sizes. How many outputs were excused.

    With `straight`: the straight-line sources compute to the bit what the readable ones do.
    """
    runs = {name: _run(network, name, artifact) for name, artifact in artifacts.items()}
    plain = {name: emitted.straight(name, network.module, network.weights) for name in runs if straight and name != "onnx"}
    excused = 0
    for seed, sizes in enumerate(network.spec.sizes):
        arrays = network.inputs(sizes, seed)
        expected = evaluate(network.module.graph, network.weights, arrays).outputs
        for name, run in runs.items():
            found = run(arrays)
            excused += _compare(network, f"{name} at {dict(sizes)}", found, expected, arrays)
            if name in plain:
                other = plain[name](arrays)
                same = all(np.array_equal(values, other[key], equal_nan=True) for key, values in found.items())
                assert same and list(found) == list(other), f"{name}: the readable and the straight-line source differ"
    return excused


def _run(network: Network, name: str, artifact: Artifact) -> emitted.Run:
    if name == "onnx":
        return lambda arrays: network.net.run(dict(arrays))
    return emitted.load(name, artifact.text(), network.module, network.weights)


def _compare(
    network: Network, where: str, found: Mapping[str, Array], expected: Mapping[str, Array], arrays: Mapping[str, Array]
) -> int:
    """How many outputs are beyond the gate and excused; AssertionError for one that is not."""
    assert list(found) == list(expected)
    errors = {name: scaled_error(found[name], values) for name, values in expected.items()}
    centred = where.startswith("tensorflow") and any(node.op.name in CENTRED for node in network.module.graph.nodes)
    wrong = [name for name, error in errors.items() if not error < (CENTRED_GATE if centred else GATE)]
    sensitive = _sensitive_outputs(network, arrays, expected) if wrong else set()
    for name in wrong:
        assert found[name].shape == expected[name].shape, f"{where}: {name} has the shape {found[name].shape}"
        assert name in sensitive, f"{where}: {name} has an error of {errors[name]:.1e}"
    return len(wrong)


def _sensitive_outputs(network: Network, arrays: Mapping[str, Array], expected: Mapping[str, Array]) -> set[str]:
    """The outputs that one rounding of inputs and weights, or those of the reference in float32, move too far to compare."""
    relative, most = ROUNDING
    rounded = evaluate(network.module.graph, network.weights, arrays, "float32").outputs
    found = {name for name, values in expected.items() if not scaled_error(rounded[name], values) <= GATE / 4}
    for seed in range(2):
        weights, moved_arrays = nudged(network.weights, relative, seed), nudged(arrays, relative, seed)
        moved = evaluate(network.module.graph, weights, moved_arrays).outputs
        found |= {name for name, values in expected.items() if not scaled_error(moved[name], values) <= most}
    return found


def check_gradients(network: Network) -> int:
    """PyTorch and TensorFlow give the same gradients in float64, in training mode where it has no dropout. How many excused."""
    module = network.module
    training = not any(node.op.training_only for node in module.graph.nodes)
    sizes = {**network.spec.sizes[0], **({"N": 3} if "N" in network.spec.sizes[0] else {})}
    arrays, weights = nudged(network.inputs(sizes), 0, 0), nudged(network.weights, 0, 0)
    expected = gradients(network, "pytorch", weights, arrays, training)
    found = gradients(network, "tensorflow", weights, arrays, training)
    excused, sensitive = 0, None
    largest = max((float(np.abs(array).max(initial=0.0)) for array in expected.values()), default=0.0)
    for name in expected.keys() | found.keys():
        known = expected.get(name, found.get(name))
        assert known is not None
        none = np.zeros_like(known)  # what no output depends on has no gradient, or zeros
        error = scaled_error(found.get(name, none), expected.get(name, none))
        if error < GRADIENT_GATE or error * np.abs(known).max(initial=0.0) < NOISE * largest:
            continue
        sensitive = _sensitive_gradients(network, weights, arrays, training) if sensitive is None else sensitive
        assert name in sensitive, f"gradient of {name}: error {error:.1e}, training is {training}"
        excused += 1
    return excused


def gradients(
    network: Network, target: str, weights: Mapping[str, Array], arrays: Mapping[str, Array], training: bool
) -> dict[str, Array]:
    """Of every float input and learnable parameter that an output depends on, in float64 and canonical layout."""
    signature = signature_of(network.module.graph)
    sizes = solve_sizes(signature.inputs, {name: array.shape for name, array in arrays.items()})
    loss = {
        output.name: projection(output.name, [dims.evaluate(size, sizes) for size in output.type.shape])
        for output in signature.outputs
        if output.type.dtype in FLOATS
    }
    result: Result = open_backend(target, network.module, weights, training=training).run(arrays, loss)
    return dict(result.gradients)


def _sensitive_gradients(
    network: Network, weights: Mapping[str, Array], arrays: Mapping[str, Array], training: bool
) -> set[str]:
    relative, most = GRADIENT_ROUNDING
    expected = gradients(network, "pytorch", weights, arrays, training)
    found = set()
    for seed in range(3):
        moved_weights, moved_arrays = nudged(weights, relative, seed), nudged(arrays, relative, seed)
        moved = gradients(network, "pytorch", moved_weights, moved_arrays, training)
        found |= {name for name, values in expected.items() if not scaled_error(moved[name], values) <= most}
    return found


def written_out(network: Network, name: str, artifact: Artifact) -> bool:
    """Whether the file is the straight-line form, which a target prints where it has no readable one."""
    return name != "onnx" and emitted.is_straight(name, artifact.text(), network.module)
