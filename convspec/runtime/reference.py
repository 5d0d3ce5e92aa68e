"""The reference: every op's own NumPy code, in float64, on the CPU. Slow, and the measure of all other runtimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from convspec.diagnostics import error, fail
from convspec.ir.dims import evaluate as size_of
from convspec.ir.graph import Graph, Node, Value
from convspec.ir.types import FLOATS, Array
from convspec.runtime.base import About, Network, OnHost, Program, RunOptions, network_only
from convspec.runtime.devices import CPU, only_cpu_and_cuda, parse_device, unavailable
from convspec.runtime.options import check_options
from convspec.runtime.signature import Signature, signature_of
from convspec.runtime.sizes import solve_sizes
from convspec.version import VERSION
from convspec.weights.dtypes import numpy_dtype

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a network computed. `values` holds every tensor by the name of its Value, inputs and intermediate ones too."""

    outputs: dict[str, Array]
    values: dict[str, Array] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    """The symbolic names, as the inputs settled them."""


def evaluate(
    graph: Graph, weights: Mapping[str, Array], inputs: Mapping[str, Array], dtype: str = "float64", *, keep: bool = False
) -> Evaluation:
    """Run `graph` on `inputs` with parameters `weights`, all by name, in canonical layout.

    Floats are computed in `dtype`, whatever the spec declares; integers stay as they are. With `keep` every intermediate
    tensor is returned, without it each is freed after its last use. Failure CNN301 where the shapes do not fit.
    """
    import numpy as np

    specs = signature_of(graph).inputs
    sizes = solve_sizes(specs, {spec.name: np.shape(inputs[spec.name]) for spec in specs})
    run = _Run(weights, numpy_dtype(dtype), sizes)
    for graph_input in graph.inputs:
        run.live[graph_input.value] = run.cast(np.asarray(inputs[graph_input.value.name]), graph_input.value.type.dtype)
    last_uses = {} if keep else _last_uses(graph)
    for node in graph.nodes:
        run.apply(node)
        for value in last_uses.get(node, ()):
            del run.live[value]
    outputs = {output.name: run.live[output.value] for output in graph.outputs}
    return Evaluation(outputs, {value.name: array for value, array in run.live.items()} if keep else {}, sizes)


@dataclass(slots=True)
class _Run:
    weights: Mapping[str, Array]
    dtype: np.dtype[Any]
    sizes: Mapping[str, int]
    live: dict[Value, Array] = field(default_factory=dict)

    def cast(self, array: Array, declared: str) -> Array:
        return array.astype(self.dtype, copy=False) if declared in FLOATS else array

    def apply(self, node: Node) -> None:
        import numpy as np

        params = {role: self.cast(self.weights[p.name], p.dtype) for role, p in node.params.items()}
        with np.errstate(all="ignore"):
            results = node.op.evaluate(node.attrs, params, *(self.live[value] for value in node.inputs))
        arrays = results if isinstance(results, tuple | list) else (results,)
        for value, array in zip(node.outputs, arrays, strict=True):
            declared = tuple(size_of(size, self.sizes) for size in value.type.shape)
            if array.shape != declared:  # the op's shape rule and its evaluate disagree: no mistake of the user's
                raise AssertionError(f"{node.op.name} at {node.path}: evaluate gave {array.shape}, infer said {declared}")
            self.live[value] = self.cast(array, value.type.dtype)  # an op that makes floats of integers cannot know the dtype


def _last_uses(graph: Graph) -> dict[Node, list[Value]]:
    """The values that are not needed after each node."""
    needed = {output.value for output in graph.outputs}
    found: dict[Node, list[Value]] = {}
    for node in reversed(graph.nodes):
        done = [value for value in dict.fromkeys((*node.inputs, *node.outputs)) if value not in needed]
        found[node] = done
        needed.update(done)
    return found


@dataclass(frozen=True, slots=True)
class ReferenceSession:
    """Gives float64 for every float output."""

    network: Network
    signature: Signature
    about: About

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        try:
            return evaluate(self.network.module.graph, self.network.weights, arrays).outputs
        except IndexError as problem:
            raise fail(error("CNN301", str(problem))) from None
        except MemoryError:
            shapes = [f"`{name}` is {array.dtype}{list(array.shape)}" for name, array in arrays.items()]
            raise fail(error("CNN307", "the reference ran out of memory", notes=shapes, hint="use a smaller batch")) from None

    def prepare(self, arrays: Mapping[str, Array]) -> OnHost:
        return OnHost(self, arrays)


class Reference:
    """The runtime `reference`."""

    name = "reference"

    def open(self, program: Program, options: RunOptions) -> ReferenceSession:
        import numpy as np

        network = network_only(program, "the reference")
        check_options(options, "the reference", ())
        device = parse_device(options.device)
        only_cpu_and_cuda(device, "the reference")
        if device not in (None, CPU):
            assert device is not None
            raise unavailable(device, "the reference", "it is NumPy code", "use --device cpu")
        about = About(self.name, VERSION, "cpu", f"NumPy {np.__version__}, in float64")
        return ReferenceSession(network, signature_of(network.module.graph), about)


RUNTIME = Reference()
