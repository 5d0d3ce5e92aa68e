"""What a network tells in Python of what its units see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, overload

from convspec.elaborate.module import Module

if TYPE_CHECKING:
    from convspec.analysis.receptive_field import Fields
    from convspec.analysis.window import InputWindow


class Seeing:
    """The receptive fields of a network."""

    module: Module

    @overload
    def receptive_field(self, at: None = None, sizes: None = None) -> dict[str, Fields]: ...

    @overload
    def receptive_field(self, at: str, sizes: Mapping[str, int] | None = None) -> list[InputWindow]: ...

    def receptive_field(
        self, at: str | None = None, sizes: Mapping[str, int] | None = None
    ) -> dict[str, Fields] | list[InputWindow]:
        """Size, jump and offset by label, in cells of the input; or the exact windows of the unit `at`, "conv3[4,7]".

        `sizes` gives the symbolic sizes of the inputs values. Failure CNN033 where one is missing, CNN401 without such a unit.
        """
        from convspec.analysis.places import find_unit
        from convspec.analysis.receptive_field import receptive_fields
        from convspec.analysis.window import seen_by_units, unit_windows

        graph, known = self.module.graph, dict(sizes or {})
        if at is None:
            fields = receptive_fields(graph)
            return {value.name: fields[value] for node in graph.nodes for value in node.outputs}
        seen = seen_by_units(graph, known)
        unit = find_unit(graph, at, known)
        return unit_windows(graph, unit.value, unit.position, known, seen[unit.value])
