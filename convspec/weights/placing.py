"""Whether a stored tensor can be a parameter of a graph, and in which layout: what convert and matching ask."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING

from convspec.ir.graph import Graph, Node, Parameter
from convspec.weights.layouts import Layout, Rearranged, layout_of, onnx_layout
from convspec.weights.sources.base import Source, StoredTensor
from convspec.weights.sources.safetensors import KERAS_LAYOUT

if TYPE_CHECKING:
    from convspec.targets.tensorflow.layout import Order
    from convspec.targets.tensorflow.weights import Variable


class Placing:
    """The layouts of one source's tensors for one graph.

    A Keras tensor that has the name and shape of a variable which our own Keras model of the graph has is taken to be that,
    where the file says that it is of that model, or where another's would be laid out alike. Any other Keras file is taken to
    flatten and reshape channels last (see targets/tensorflow/exchange.py). Where nothing tells the two apart, the order of the
    features is unknown.
    """

    def __init__(self, graph: Graph, source: Source) -> None:
        self.kind = source.kind
        self.owners = _owners(graph)
        self._own: Mapping[str, Variable] = {}
        self._is_ours = source.metadata.get("model") == graph.name or KERAS_LAYOUT in source.metadata
        self._orders: Mapping[str, Mapping[int, Order]] = {}
        self._unknown: frozenset[str] = frozenset()
        if source.kind == "keras":
            from convspec.targets.tensorflow.exchange import feature_orders, own_variables

            self._own = own_variables(graph)
            found = feature_orders(graph)
            self._orders, self._unknown = found.orders, found.unknown

    def layout(self, stored: StoredTensor, parameter: Parameter, exact: bool) -> Layout | None:
        """How `stored` becomes `parameter`; None where its shape forbids it. `exact`: its own name led there."""
        if self._is_own(stored, parameter, exact):
            return _own_layout(self._own[stored.name])
        return self._others(stored, parameter, exact)

    def _others(self, stored: StoredTensor, parameter: Parameter, exact: bool) -> Layout | None:
        """The layout in a file that is not of our own model."""
        if self.kind == "onnx" and exact and "/" in stored.name:
            return onnx_layout(stored, parameter)
        found = layout_of(self.kind, stored, parameter, self.owners[parameter.name])
        orders = self._orders.get(parameter.name)
        if found is None or not orders:
            return found
        return Layout(found.split, found.permute, found.merge, tuple(_rearranged(axis, o) for axis, o in orders.items()))

    def order_unknown(self, stored: StoredTensor, parameter: Parameter, exact: bool) -> bool:
        """Whether the order of the features in `stored` cannot be known."""
        if not self._is_own(stored, parameter, exact):
            return parameter.name in self._unknown
        return not self._is_ours and (parameter.name in self._unknown or self._differs(stored, parameter))

    def _differs(self, stored: StoredTensor, parameter: Parameter) -> bool:
        """Whether another's model would have laid the tensor out in another way than ours."""
        import numpy as np

        other = self._others(stored, parameter, exact=False)
        if other is None or prod(stored.shape) == 1:
            return other is None
        places = np.arange(prod(stored.shape)).reshape(stored.shape)
        own = _own_layout(self._own[stored.name])
        return other != own and not np.array_equal(other.to_canonical(places), own.to_canonical(places))

    def _is_own(self, stored: StoredTensor, parameter: Parameter, exact: bool) -> bool:
        own = self._own.get(stored.name) if exact else None
        return own is not None and own.parameter == parameter.name and own.keras_shape == stored.shape


def _owners(graph: Graph) -> dict[str, Node]:
    """The first node that uses each parameter, by the parameter's name."""
    found: dict[str, Node] = {}
    for node in graph.nodes:
        for parameter in node.params.values():
            found.setdefault(parameter.name, node)
    return found


def _own_layout(variable: Variable) -> Layout:
    import numpy as np

    permute = None if variable.permute is None else tuple(int(axis) for axis in np.argsort(variable.permute))
    merge = None if variable.reshape is None else variable.shape
    orders = (_rearranged(variable.axis, variable.order),) if variable.order else ()
    return Layout(None, permute, merge, orders)


def _rearranged(axis: int, order: Order) -> Rearranged:
    """The way back from Keras's order: for each canonical feature, where it lies in the file."""
    import numpy as np

    from convspec.targets.tensorflow.layout import indices

    places = np.argsort(indices(order))
    parts = " + ".join(f"{segment.positions}x{segment.channels}" for segment in order)
    side = "outputs" if axis == 0 else "inputs"
    return Rearranged(axis, tuple(map(int, places)), f"{side} from channels last ({parts})")


__all__ = ["Placing"]
