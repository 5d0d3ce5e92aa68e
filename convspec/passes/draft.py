"""A network while passes rewrite it: nodes in order, who makes and who reads each tensor, and the stored tensors' values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from convspec.ir.graph import Graph, Node, Parameter, Value
from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.passes.naming import check_order, with_own_names
from convspec.passes.report import Change, work_of


class Enough(Exception):
    """As many changes were made as were asked for."""


@dataclass(eq=False)
class Draft:
    """Made from a graph and its weights; `rewrite` is the one way to change it, and `finish` gives graph and weights back.

    `target` is what the network is made for ("onnx", "pytorch", "tensorflow"), for passes that pay on one alone.
    """

    graph: Graph
    weights: Mapping[str, Array]
    target: str = "onnx"
    most: int | None = None
    """After how many changes `rewrite` raises Enough instead."""
    changes: list[Change] = field(default_factory=list)
    acting: str = ""
    """The name of the pass at work, which its changes are reported under."""

    def __post_init__(self) -> None:
        nodes = [self._at_the_input(node) for node in self.graph.nodes]
        self._slots: list[list[Node]] = [[node] for node in nodes]
        self._place = {node: number for number, node in enumerate(nodes)}
        self._producers: dict[Value, Node] = {}
        self._users: dict[Value, dict[Node, None]] = {}
        self._owners: dict[Parameter, dict[Node, None]] = {}
        self._outputs = {output.value for output in self.graph.outputs}
        self._renamed: dict[Value, Value] = {}
        self._arrays: dict[Parameter, Array] = {}
        self._value_names = {item.value.name for item in self.graph.inputs}
        self._paths: set[str] = set()
        self._numbers: dict[str, int] = {}
        for node in nodes:
            self._enter(node)

    def _at_the_input(self, node: Node) -> Node:
        """A learned tensor hangs on some tensor that it does not read: on an input, it keeps no other tensor in use."""
        if not node.op.anchored or not self.graph.inputs:
            return node
        anchor = self.graph.inputs[0].value
        same = node.op.infer(node.attrs, anchor.type) == node.outputs[0].type
        return replace(node, inputs=(anchor,)) if same else node

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────

    def nodes(self) -> Iterator[Node]:
        """The nodes in order. A pass may rewrite while it walks: it sees what it put at or behind the place where it is.

        A node is frozen: where a rewrite gives its readers another value to read, new nodes stand for them. So a pass keeps no
        node across a rewrite; it asks again, by value.
        """
        for slot in self._slots:
            seen: set[Node] = set()
            while fresh := next((node for node in slot if node not in seen), None):
                seen.add(fresh)
                yield fresh

    def alive(self, node: Node) -> bool:
        """Whether a node is still part of the network."""
        return node in self._place

    def order(self, node: Node) -> tuple[int, int]:
        """Where a node stands: smaller comes first."""
        place = self._place[node]
        return place, self._slots[place].index(node)

    def producer(self, value: Value) -> Node | None:
        """The node that makes a value; None for an input of the network."""
        return self._producers.get(value)

    def users(self, value: Value) -> tuple[Node, ...]:
        """The nodes that read a value, each once."""
        return tuple(self._users.get(value, ()))

    def is_output(self, value: Value) -> bool:
        """Whether the network gives the value out."""
        return value in self._outputs

    def only_user(self, value: Value) -> Node | None:
        """The one node that reads a value which nothing else reads and which is no output of the network."""
        users = self._users.get(value, {})
        return next(iter(users)) if len(users) == 1 and value not in self._outputs else None

    def made_by(self, value: Value, *ops: str) -> Node | None:
        """The node that makes `value`, if it is one of `ops` and nobody but one node reads what it makes."""
        node = self._producers.get(value)
        fits = node is not None and node.op.name in ops and self.only_user(value) is not None
        return node if fits else None

    def shares_weights(self, node: Node) -> bool:
        """Whether another node uses one of its stored tensors too."""
        return any(len(self._owners[parameter]) > 1 for parameter in node.params.values())

    def array(self, parameter: Parameter) -> Array:
        """The values of a stored tensor, in canonical layout. Not to be written to."""
        found = self._arrays.get(parameter)
        return self.weights[parameter.name] if found is None else found

    def arrays(self, node: Node) -> dict[str, Array]:
        """The values of a node's stored tensors in float64, by role; what is no float as it is."""
        import numpy as np

        given = {role: self.array(parameter) for role, parameter in node.params.items()}
        return {role: a.astype(np.float64) if a.dtype.kind in "fV" else a for role, a in given.items()}

    # ── making ───────────────────────────────────────────────────────────────────────────────────────────────

    def apply(
        self,
        op: str,
        attrs: Any,
        inputs: Sequence[Value],
        like: Node,
        arrays: Mapping[str, Array] | None = None,
        outputs: Sequence[Value] | None = None,
        path: str | None = None,
    ) -> Node:
        """A node that is not yet part of the network: `op` on `inputs`, in the place of `like` as far as the source goes.

        `attrs` are resolved for the inputs. `arrays` are the values of its stored tensors by role, of the shapes that the op
        wants, rounded to the type of `like`'s own or of the first input. `outputs` are existing values of the same types that
        it is to make from now on; without them new ones are made. `path` is its label, `like`'s by default.
        """
        from convspec.ops import find

        definition = find(op)
        assert definition is not None, op
        types = [value.type for value in inputs]
        attrs = definition.resolve(attrs, *types) if definition.resolve else attrs
        made = definition.infer(attrs, *types)
        made = (made,) if isinstance(made, TensorType) else made
        path = like.path if path is None else path
        params = self._parameters(definition, attrs, types, like, path, arrays or {})
        results = self._results(made, outputs, path or op)
        return Node(definition, attrs, tuple(inputs), results, params, path, like.frames, like.span)

    def _results(self, types: Sequence[TensorType], given: Sequence[Value] | None, name: str) -> tuple[Value, ...]:
        if given is None:
            return tuple(self.fresh_value(type, name) for type in types)
        wrong = [f"{value} is to be {type}" for value, type in zip(given, types, strict=True) if value.type != type]
        if wrong:
            raise AssertionError(f"{self.acting} at {name}: {'; '.join(wrong)}")
        return tuple(given)

    def _parameters(
        self, op: OpDef, attrs: Any, types: Sequence[TensorType], like: Node, path: str, arrays: Mapping[str, Array]
    ) -> dict[str, Parameter]:
        from convspec.weights.dtypes import numpy_dtype

        specs = op.params(attrs, *types) if op.params else {}
        if set(specs) != set(arrays):
            raise AssertionError(f"{self.acting} at {path}: {op.name} has {sorted(specs)}, not {sorted(arrays)}")
        around = types[0].dtype if types and types[0].dtype in FLOATS else "float32"
        dtype = next((p.dtype for p in like.params.values()), around)
        found = {}
        for role, spec in specs.items():
            array = arrays[role]
            if array.shape != spec.shape:
                raise AssertionError(f"{self.acting} at {path}.{role}: {array.shape}, not {spec.shape}")
            name = f"{path}.{role}" if role else path
            parameter = Parameter(name, role, spec.shape, dtype, spec.init, spec.trainable, like.span)
            self._arrays[parameter] = array.astype(numpy_dtype(dtype), copy=False)
            found[role] = parameter
        return found

    def changed(self, node: Node, **fields: Any) -> Node:
        """A node like `node` with other inputs, outputs, attributes or stored tensors, not yet part of the network."""
        return replace(node, **fields)

    def fresh_path(self, wanted: str) -> str:
        """A label that no node has."""
        return self._numbered(wanted, self._paths)

    def fresh_value(self, type: TensorType, wanted: str) -> Value:
        """A tensor that nothing makes yet, with a name that no other has."""
        name = self._numbered(wanted, self._value_names)
        self._value_names.add(name)
        return Value(name, type)

    def _numbered(self, wanted: str, taken: set[str]) -> str:
        """`wanted`, or with the next number behind it: names only come, so that one passed over stays taken."""
        name = wanted
        while name in taken:
            self._numbers[wanted] = self._numbers.get(wanted, 1) + 1
            name = f"{wanted}_{self._numbers[wanted]}"
        return name

    # ── changing ─────────────────────────────────────────────────────────────────────────────────────────────

    def rewrite(
        self,
        old: Sequence[Node],
        new: Sequence[Node] = (),
        same: Mapping[Value, Value] | None = None,
        at: Node | None = None,
        note: str = "",
    ) -> None:
        """`new` take the place of `old`, and are reported as one change.

        They stand where `at` stood, one of `old`, by default the last of them. `same` says which other value each value that is
        no longer made is equal to: whoever read it reads that one from now on. `note` is added to what the report says.
        """
        if len(self.changes) == self.most:
            raise Enough
        at = at or max(old, key=self.order)
        self._replace(old, new, at)
        for gone, stays in (same or {}).items():
            self._redirect(gone, stays)
        self._report(old, new, at, note)

    def rewrite_each(self, pairs: Sequence[tuple[Node, Sequence[Node]]], note: str = "") -> None:
        """Each node makes room for new ones at its own place, and all of it is reported as one change, at the first."""
        if len(self.changes) == self.most:
            raise Enough
        for old, new in pairs:
            self._replace([old], new, old)
        self._report([old for old, _ in pairs], [node for _, new in pairs for node in new], pairs[0][0], note)

    def _replace(self, old: Sequence[Node], new: Sequence[Node], at: Node) -> None:
        place = self._place[at]
        slot = self._slots[place]
        slot[slot.index(at) : slot.index(at)] = new
        for node in old:
            self._leave(node)
        for node in new:
            self._place[node] = place
            self._enter(node)

    def _report(self, old: Sequence[Node], new: Sequence[Node], at: Node, note: str) -> None:
        before, after = work_of(old), work_of(new)
        into = new[0] if new else None
        self.changes.append(
            Change(
                self.acting,
                note,
                tuple(dict.fromkeys(node.path or node.op.name for node in old)),
                into.path if into else "",
                at.span,
                len(old) - len(new),
                before.minus(after),
            )
        )

    def _enter(self, node: Node) -> None:
        for value in node.inputs:
            self._users.setdefault(value, {})[node] = None
        for value in node.outputs:
            self._producers[value] = node
            self._value_names.add(value.name)
        for parameter in node.params.values():
            self._owners.setdefault(parameter, {})[node] = None
        self._paths.add(node.path)

    def _leave(self, node: Node) -> None:
        self._slots[self._place.pop(node)].remove(node)
        for value in node.inputs:
            self._users[value].pop(node, None)
        for value in node.outputs:
            if self._producers.get(value) is node:
                del self._producers[value]
        for parameter in node.params.values():
            self._owners[parameter].pop(node, None)

    def _redirect(self, gone: Value, stays: Value) -> None:
        """Every reader of `gone` reads `stays`."""
        if gone.type != stays.type:
            raise AssertionError(f"{self.acting}: {gone} is not {stays}")
        for user in tuple(self._users.get(gone, ())):
            inputs = tuple(stays if value is gone else value for value in user.inputs)
            self._swap(user, replace(user, inputs=inputs))
        if gone in self._outputs:
            self._outputs.discard(gone)
            self._outputs.add(stays)
        self._renamed[gone] = stays

    def _swap(self, old: Node, new: Node) -> None:
        place = self._place[old]
        slot = self._slots[place]
        index = slot.index(old)
        self._leave(old)
        slot.insert(index, new)
        self._place[new] = place
        self._enter(new)

    # ── giving back ──────────────────────────────────────────────────────────────────────────────────────────

    def finish(self) -> tuple[Graph, dict[str, Array]]:
        """The graph as it is now and the values of its stored tensors by name.

        Raises AssertionError where a pass left a tensor that nothing makes before it is read, which is a bug of that pass.
        """
        named = with_own_names(node for slot in self._slots for node in slot)
        outputs = [replace(output, value=self._now(output.value)) for output in self.graph.outputs]
        graph = Graph(self.graph.name, self.graph.doc, list(self.graph.inputs), outputs, named.nodes)
        check_order(graph)
        return graph, {name: self.array(named.origin(p)) for name, p in graph.parameters().items()}

    def _now(self, value: Value) -> Value:
        while value in self._renamed:
            value = self._renamed[value]
        return value


__all__ = ["Draft", "Enough"]
