"""A unit as a user names it, `layer3.1.conv2[4,7]`: which tensor, and which place in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from convspec.diagnostics import error, fail
from convspec.elaborate.nearest import did_you_mean
from convspec.ir.dims import substitute
from convspec.ir.graph import Graph, Value
from convspec.records import dataclass

_UNIT = re.compile(r"\s*(?P<name>.+?)\s*(?:\[(?P<places>[^\[\]]*)\])?\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unit:
    """A position in a tensor: a place for each axis of space. Its channels count together."""

    name: str
    value: Value
    space: tuple[int, ...]
    sizes: tuple[int, ...]
    """Of the axes of space."""

    @property
    def position(self) -> tuple[int, ...]:
        """With a channel in front, as `unit_windows` takes it."""
        return (0, *self.space)

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.space))}]"


def find_unit(graph: Graph, text: str, sizes: Mapping[str, int]) -> Unit:
    """The unit that `text` names, at concrete sizes: a label, an output or an input, and places that count from 0.

    Negative places count from the end; without places it is the unit in the middle. Failure CNN401 where there is none.
    """
    match = _UNIT.fullmatch(text)
    if match is None or (match["places"] is None and ("[" in text or "]" in text)):
        raise fail(error("CNN401", f"--at {text!r}: this names no unit", hint='write --at "conv3[4,7]"'))
    name = match["name"]
    value = _value(graph, name)
    extents = tuple(int(str(substitute(size, sizes))) for size in value.type.spatial)
    if not extents:
        hint = "name a layer before the space is gone, such as the last convolution"
        raise fail(error("CNN401", f"`{name}` has no axis of space: each unit sees all that there is", hint=hint))
    if match["places"] is None:
        return Unit(name, value, tuple(extent // 2 for extent in extents), extents)
    return Unit(name, value, _places(name, match["places"], extents), extents)


def _value(graph: Graph, name: str) -> Value:
    known = _names(graph)
    if name in known:
        return known[name]
    inside = [node for node in graph.nodes if node.path.startswith(f"{name}.")]
    if inside:
        return inside[-1].outputs[0]
    ends = [each for each in known if each.endswith(f".{name}")]
    hint = f"did you mean {_some(ends)}?" if ends else did_you_mean(name, known, f"it has {_some(known)}")
    raise fail(error("CNN401", f"there is no layer `{name}`", hint=hint))


def _names(graph: Graph) -> dict[str, Value]:
    """Labels win over the names of outputs, and these over inputs."""
    return {
        **{each.value.name: each.value for each in graph.inputs},
        **{each.name: each.value for each in graph.outputs},
        **{value.name: value for node in graph.nodes for value in node.outputs},
    }


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed) if len(listed) <= 8 else f"{', '.join(listed[:4])}, … {', '.join(listed[-2:])}"


def _places(name: str, text: str, extents: tuple[int, ...]) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch(r"-?[0-9]+", word) for word in words):
        raise fail(error("CNN401", f"[{text}] is no list of places", hint=_wanted(name, extents)))
    if len(words) != len(extents):
        message = (
            f"`{name}` has {len(extents)} {'axis' if len(extents) == 1 else 'axes'} of space, and {len(words)} places are given"
        )
        raise fail(error("CNN401", message, hint=_wanted(name, extents)))
    places = [int(word) for word in words]
    for place, extent in zip(places, extents, strict=True):
        if not -extent <= place < extent:
            message = f"place {place} is beyond the {extent} that `{name}` has"
            raise fail(error("CNN401", message, hint=f"places are 0 to {extent - 1}, or -{extent} to -1 from the end"))
    return tuple(place % extent for place, extent in zip(places, extents, strict=True))


def _wanted(name: str, extents: tuple[int, ...]) -> str:
    return f"write {name}[{', '.join(str(extent // 2) for extent in extents)}], a place for each axis of space"
