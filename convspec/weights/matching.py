"""Which tensors of a source are which parameters, by structure: shapes and order alone, and never a guess.

Layers are matched as wholes: a source's tensors with one name but for the role are a layer, and so are the parameters of one
stage. A layer of the source can be one of the spec if both have the same roles and every tensor has a layout that gives the
parameter's shape.

Order is evidence of one kind only: a file lists layers as they are used, each behind all those that its input comes from.
Going through the file, the next layer may be any of the spec's that it can be by shape, that is still free, and whose
forerunners have all been placed. Where that is exactly one, it is the one. Where there are several, such as the two
convolutions that meet in a residual sum, files of different origin differ in which comes first, and nothing in them tells:
then the pairs are listed and nothing is loaded. Likewise where layers of a shape differ in number, or where the file's order
contradicts the spec's while order is needed. A mapping for the layers listed settles it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TypeAlias

from convspec.diagnostics import error, fail
from convspec.ir.graph import Graph, Parameter
from convspec.weights.layouts import ROLES
from convspec.weights.names import ignored, quoted
from convspec.weights.placing import Placing
from convspec.weights.sources.base import Source, StoredTensor

MOST_LISTED = 8
"""Candidates that are named for one tensor."""

Tensors: TypeAlias = Mapping[str, StoredTensor]
"""By role."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A layer of the source. `variants`: the roles that its tensors may have."""

    name: str
    variants: tuple[Tensors, ...]

    @property
    def tensors(self) -> tuple[StoredTensor, ...]:
        return tuple(self.variants[0].values())


@dataclass(slots=True, eq=False)
class Wanted:
    """A layer of the spec, or one of its parameters: `bit` is the layer, `before` those that its input comes from."""

    name: str
    parameters: dict[str, Parameter]
    bit: int
    before: int


def by_structure(
    placing: Placing, graph: Graph, source: Source, given: Mapping[str, str], may_be_missing: Callable[[str], bool]
) -> dict[str, str]:
    """The parameter that each tensor of `source` is. `given` is what a mapping says already, by tensor.

    Layers that may be missing are set aside where their number says so. Failure CNN203 where structure leaves more than one
    way, or none.
    """
    layers = wanted_layers(graph)
    bits = {p.name: layer.bit for layer in layers for p in layer.parameters.values()}
    taken = set(given.values())
    for layer in layers:
        layer.parameters = {role: p for role, p in layer.parameters.items() if p.name not in taken}
    tensors = [t for name, t in source.tensors.items() if name not in given and not counts_for_nothing(t)]
    held = held_layers(source, tensors, {role for layer in layers for role in layer.parameters})
    if source.kind == "onnx" and any(_unknown(layer) for layer in held):  # names say nothing: tensor by tensor
        held = [Held(t.name, tuple({role: t} for role in _kinds(t))) for t in tensors]
        layers = [
            Wanted(p.name, {_last(role): p}, layer.bit, layer.before)
            for layer in layers
            for role, p in layer.parameters.items()
        ]
    search = _Search(placing, [layer for layer in layers if layer.parameters], held, may_be_missing)
    search.mapped = {name: bits[target] for name, target in given.items() if target in bits}
    search.count()
    search.walk(source.tensors)
    if search.problems:
        hint = "name these layers in a mapping (--mapping), which goes before structure"
        message = f"{source.path} cannot be matched with {graph.name} by structure alone"
        raise fail(error("CNN203", message, notes=search.problems, hint=hint))
    return {**given, **search.found}


_ANY = "?"
"""Stands for a role that is not known."""


def counts_for_nothing(stored: StoredTensor) -> bool:
    return ignored(stored.name) or stored.role == "constant"


def wanted_layers(graph: Graph) -> list[Wanted]:
    """The layers of the spec in the order of their first use."""
    masks: dict[object, int] = {}
    found: list[Wanted] = []
    known: dict[str, int] = {}
    seen: set[str] = set()
    for node in graph.nodes:
        before = reduce(or_, (masks.get(value, 0) for value in node.inputs), 0)
        if node.params and node.path not in known:
            known[node.path] = 1 << len(known)
            own = {role: p for role, p in node.params.items() if p.name not in seen}
            seen.update(p.name for p in own.values())
            found.append(Wanted(node.path, own, known[node.path], before))
        mask = before | known.get(node.path, 0)
        masks.update(dict.fromkeys(node.outputs, mask))
    return found


def held_layers(source: Source, tensors: Iterable[StoredTensor], roles: set[str]) -> list[Held]:
    """The layers of the source in its own order; `roles` are those that the spec has."""
    groups: dict[str, dict[str, StoredTensor]] = {}
    for stored in tensors:
        layer, role = _layer_and_role(source, stored, roles)
        groups.setdefault(layer, {})[role] = stored
    return [Held(layer, tuple(_variants(group))) for layer, group in groups.items()]


def _layer_and_role(source: Source, stored: StoredTensor, roles: set[str]) -> tuple[str, str]:
    if source.kind == "keras" and stored.role is not None:
        return stored.name.rpartition("/")[0] or stored.name, stored.role
    found = [role for role in roles if role and stored.name.endswith(f".{role}")]
    role = max(found, key=len, default=None)
    return (stored.name, _ANY) if role is None else (stored.name[: -len(role) - 1], role)


def _kinds(stored: StoredTensor) -> tuple[str, ...]:
    """What a tensor without a telling name is, as far as the node that reads it says so."""
    return tuple(dict.fromkeys(_last(role) for role in ROLES.get(stored.role or "", ()))) or (_ANY,)


def _last(role: str) -> str:
    return role.rpartition(".")[2]


def _variants(group: Tensors) -> Iterator[Tensors]:
    """A tensor that is alone may also be a parameter that has no role of its own."""
    separable = "pointwise_kernel" in group
    names = {role: ROLES.get(role, (role,))[0] for role in group}
    if separable and "bias" in group:
        names["bias"] = "pointwise.bias"
    yield {names[role]: stored for role, stored in group.items()}
    if "gamma_or_beta" in group:
        yield {names[role]: stored for role, stored in group.items() if role != "gamma_or_beta"} | {
            "bias": group["gamma_or_beta"]
        }
    if len(group) == 1:
        yield {"": next(iter(group.values()))}


def _unknown(layer: Held) -> bool:
    return _ANY in layer.variants[0]


@dataclass(slots=True)
class _Search:
    """The way through the file, layer by layer. With a problem the search goes on, to list all; its result is then void."""

    placing: Placing
    free: list[Wanted]
    held: list[Held]
    may_be_missing: Callable[[str], bool]
    mapped: dict[str, int] = field(default_factory=dict)
    """The layers of tensors that a mapping placed and that the walk has not come to."""
    found: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    numbers: dict[object, int] = field(default_factory=dict)
    kinds: dict[Held | Wanted, int] = field(default_factory=dict)
    known: dict[tuple[int, int], int | None] = field(default_factory=dict)
    """Which variant of a kind of layer of the source fits a kind of layer of the spec."""
    alone: set[Held] = field(default_factory=set)
    """Layers that only one of the spec's can be, and it only them."""

    def count(self) -> None:
        """Set aside what may be missing where numbers say so; where they say nothing, that is a problem."""
        for wanted, held in self._classes():
            optional = [layer for layer in wanted if self._optional(p.name for p in layer.parameters.values())]
            left_over = [layer for layer in held if self._optional(t.name for t in layer.tensors)]
            if len(wanted) == len(held):
                self.alone |= set(held) if len(held) == 1 else set()
            elif len(wanted) - len(optional) == len(held):
                self.free = [layer for layer in self.free if layer not in set(optional)]
            elif len(wanted) == len(held) - len(left_over):
                self.held = [layer for layer in self.held if layer not in set(left_over)]
            elif wanted and held:  # else the walk comes to what has no partner
                self.problems.append(_numbers(wanted, held))

    def _optional(self, names: Iterable[str]) -> bool:
        return all(map(self.may_be_missing, names))

    def _classes(self) -> list[tuple[list[Wanted], list[Held]]]:
        """Layers of the spec that a layer of the source can be, with all of the source that can be one of them."""
        classes: list[tuple[list[Wanted], list[Held]]] = []
        kinds: dict[object, tuple[list[Wanted], list[Held]]] = {}
        for layer in self.free:
            kinds.setdefault(self._kind(layer), ([], []))[0].append(layer)
        for held in self.held:
            matching = [found for found in kinds.values() if self._roles(held, found[0][0]) is not None]
            if not matching:
                classes.append(([], [held]))
                continue
            first, *others = matching
            first[1].append(held)
            for other in others:  # a dense kernel may be a linear layer or a convolution of kernel 1
                if other is not first:
                    first[0].extend(other[0])
                    first[1].extend(other[1])
                    kinds = {kind: first if found is other else found for kind, found in kinds.items()}
        distinct = {id(found): found for found in kinds.values()}
        return [*distinct.values(), *classes]

    def _kind(self, layer: Wanted) -> int:
        """A number, of 1 and more, for all that decides what fits the layer."""
        if layer not in self.kinds:
            shapes = frozenset((role, p.shape) for role, p in layer.parameters.items())
            owner = self.placing.owners[next(iter(layer.parameters.values())).name]
            self.kinds[layer] = self.numbers.setdefault((shapes, owner.op.name), len(self.numbers) + 1)
        return self.kinds[layer]

    def _look(self, held: Held) -> int:
        """A number for all that decides what the layer fits."""
        if held not in self.kinds:
            look = tuple(frozenset((r, t.shape, t.role, t.transposed) for r, t in variant.items()) for variant in held.variants)
            self.kinds[held] = self.numbers.setdefault(look, len(self.numbers) + 1)
        return self.kinds[held]

    def _roles(self, held: Held, layer: Wanted) -> Tensors | None:
        """The tensors of `held` by role, as they would fill `layer`; None where they cannot."""
        variants = held.variants
        if _unknown(held) and len(layer.parameters) == 1:
            variants = tuple({role: held.tensors[0]} for role in layer.parameters)
        key = (self._look(held), self._kind(layer))
        if key not in self.known:  # layers repeat: a network has few kinds of them
            self.known[key] = next((i for i, variant in enumerate(variants) if self._fits(variant, layer)), None)
        chosen = self.known[key]
        return None if chosen is None else variants[chosen]

    def _fits(self, variant: Tensors, layer: Wanted) -> bool:
        wanted = layer.parameters
        return variant.keys() == wanted.keys() and all(
            self.placing.layout(stored, wanted[role], exact=False) is not None for role, stored in variant.items()
        )

    def walk(self, order: Iterable[str]) -> None:
        """Place every layer, in the order of the file."""
        layers = {layer.tensors[0].name: layer for layer in self.held}
        for name in order:
            if name in layers:
                self._place(layers[name])
            self.mapped.pop(name, None)
        for layer in self.free:
            self.problems += [f"missing: {quoted(p.name)}, {p.dtype}{list(p.shape)}" for p in layer.parameters.values()]
        causes = [problem for problem in self.problems if not problem.startswith("order: ")]
        self.problems = causes or self.problems  # what has no partner puts all behind it out of order

    def _place(self, held: Held) -> None:
        kinds = self._by_kind()
        candidates = [layer for layers in kinds if self._roles(held, layers[0]) is not None for layer in layers]
        waiting = reduce(or_, (layer.bit for layer in self.free), 0) | reduce(or_, self.mapped.values(), 0)
        ready = [layer for layer in candidates if not layer.before & waiting & ~layer.bit]
        if len(ready) != 1 and not (held in self.alone and self._order_is_not_needed()):
            self.problems.append(self._problem(held, ready, candidates, waiting))
        for layer in (ready or candidates)[:1]:
            roles = self._roles(held, layer) or {}
            self.found.update({stored.name: layer.parameters[role].name for role, stored in roles.items()})
            self.free.remove(layer)

    def _by_kind(self) -> list[list[Wanted]]:
        """The layers that are free, those together that are alike."""
        found: dict[int, list[Wanted]] = {}
        for layer in self.free:
            found.setdefault(self.kinds.get(layer) or self._kind(layer), []).append(layer)
        return list(found.values())

    def _order_is_not_needed(self) -> bool:
        return len(self.alone) == len(self.held)

    def _problem(self, held: Held, ready: Sequence[Wanted], candidates: Sequence[Wanted], waiting: int) -> str:
        name = " and ".join(f"{quoted(t.name)} {t.dtype}{list(t.shape)}" for t in held.tensors)
        if len(ready) > 1:
            return f"ambiguous: {name} could be {_either(ready)}"
        if not candidates:
            return f"not in the spec: {name} fits no layer that is left"
        first = candidates[0]
        blocking = [layer for layer in self.free if layer.bit & first.before & waiting & ~first.bit]
        behind = f"comes behind {quoted(blocking[0].name)} there" if blocking else "comes behind a mapped layer there"
        return f"order: {name} could be {_either(candidates)}, which {behind} and not in the file"


def _either(layers: Sequence[Wanted]) -> str:
    names = [quoted(layer.name) for layer in layers[:MOST_LISTED]]
    more = [f"{len(layers) - MOST_LISTED} others"] if len(layers) > MOST_LISTED else []
    *firsts, last = [*names, *more]
    return f"{', '.join(firsts)} or {last}" if firsts else last


def _numbers(wanted: Sequence[Wanted], held: Sequence[Held]) -> str:
    there = _either([*wanted]) if wanted else "none"
    names = [quoted(layer.name) for layer in held[:MOST_LISTED]]
    here = ", ".join(names) + (" …" if len(held) > MOST_LISTED else "") if held else "none"
    return f"number: of one shape the spec has {len(wanted)} ({there}), the file {len(held)} ({here})"


__all__ = ["by_structure"]
