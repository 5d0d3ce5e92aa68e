"""What the tests on a GPU do, with the device as an argument, so that a dry run on the CPU shows that they can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from convspec import load
from convspec.api import Net
from convspec.bench.plan import switched
from convspec.diagnostics import Failure
from convspec.ir.types import Array
from convspec.runtime.reference import evaluate
from convspec.verify import sizes
from convspec.verify.compare import worst
from convspec.verify.graphs import in_float64
from convspec.verify.inputs import draw
from convspec.weights.randomised import randomised
from convspec.zoo.catalogue import Network, networks

RUNTIMES = {"onnx": "onnxruntime", "pytorch": "pytorch", "tensorflow": "tensorflow"}


def families() -> list[Network]:
    """Of each file of the zoo the network with the fewest MACs."""
    found: dict[str, Network] = {}
    for network in networks():
        least = found.setdefault(network.library, network)
        if network.macs < least.macs:
            found[network.library] = network
    return list(found.values())


@cache
def runs_on(runtime: str, device: str) -> bool:
    """Whether a runtime is installed and opens a network on a device."""
    try:
        import_module({"pytorch": "torch"}.get(runtime, runtime))
        load("zoo:lenet5").session(runtime, device)
    except (ImportError, Failure):
        return False
    return True


def targets_on(device: str) -> list[str]:
    """The targets whose runtimes use the device."""
    return [target for target, runtime in RUNTIMES.items() if runs_on(runtime, device)]


@dataclass(frozen=True)
class Case:
    """A network with weights under which every layer matters, data, and what the float64 reference makes of them."""

    net: Net
    arrays: Mapping[str, Array]
    expected: Mapping[str, Array]


def case_of(net: Net, seed: int = 0) -> Case:
    """At the smallest sizes that verify takes."""
    graph = net.module.graph
    weights = randomised(graph, seed)
    arrays = draw(graph, sizes.for_outputs(graph)[0], seed)
    return Case(Net(net.module, weights=weights), arrays, evaluate(in_float64(graph), weights, arrays).outputs)


def error(case: Case, runtime: str, device: str, switches: tuple[str, ...] = (), tf32: bool = False) -> float:
    """The worst scaled error of a runtime against the reference."""
    session = case.net.session(runtime, device, tf32, **switched(switches))
    assert session.about.device.startswith(device), session.about
    return max(worst(session.run(case.arrays), case.expected).values())
