"""What happened when a block ran, ordered for the questions that the walk asks again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convspec.elaborate.module import Application, Turns


class Trace:
    """The labels of one application's stages: by the path that they lie below, and by the turns that they ran in."""

    def __init__(self, application: Application) -> None:
        self._below: dict[str, dict[str, None]] = {}
        self._within: dict[Turns, list[tuple[Any, str]]] = {}
        for (site, turns), event in application.events.items():
            label = getattr(event, "label", None)
            if isinstance(label, str) and label:
                for end in (place for place, char in enumerate(label) if char == "."):
                    self._below.setdefault(label[:end], {})[label] = None
                for depth in range(len(turns)):
                    self._within.setdefault(turns[:depth], []).append((site, label))

    def below(self, prefix: str) -> list[str]:
        """The labels `prefix.…`, in the order in which their stages ran, each once."""
        return list(self._below.get(prefix, ()))

    def within(self, turns: Turns) -> Sequence[tuple[Any, str]]:
        """Sites and labels of the stages in loops inside these turns, in the order in which they ran."""
        return self._within.get(turns, ())
