"""One use of a layer, block or function."""

from __future__ import annotations

from typing import Any

from convspec.elaborate.frame import Frame
from convspec.elaborate.module import Site
from convspec.elaborate.place import Place, Spot
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast


@dataclass(frozen=True, slots=True)
class Use:
    """A layer, block or function being applied: what is called, with which arguments, on what, where.

    `env` is where arguments are evaluated; `place` is where the result is named and recorded. They differ for a stage value,
    which is written in one body and used in another. `piped` holds the value on the left of `->`, if there is one.
    """

    env: Frame
    place: Place
    site: Site
    function: ast.NameRef
    args: tuple[ast.Arg, ...]
    piped: tuple[Any, ...]
    span: Span
    label: ast.StrLit | None = None
    """The label written at this use."""

    def name(self) -> str:
        """The label of this use at its level; in a labelled group it takes the next number, so ask once."""
        return self.place.name(self.env, self.label, self.site, self.function.text)

    def claim(self, name: str) -> Spot:
        """The named spot of this use, taken."""
        return self.place.claim(name, self.label.span if self.label is not None else self.span)
