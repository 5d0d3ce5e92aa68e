"""What may be chosen of a picture."""

from __future__ import annotations

from typing import Literal, TypeAlias

from convspec.records import dataclass

Colour: TypeAlias = Literal["macs", "params", "memory", "none"]
Direction: TypeAlias = Literal["down", "right"]
Theme: TypeAlias = Literal["auto", "light", "dark"]
Style: TypeAlias = Literal["blocks", "volumes"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a network is drawn."""

    depth: int | None = None
    """How many levels of groups are open; the others are folded. None: as many as leave a picture that can be taken in."""
    unroll: bool = False
    """Whether repeats that are alike are drawn one by one, and not as one stack."""
    colour: Colour = "macs"
    direction: Direction = "down"
    theme: Theme = "auto"
    """auto: light, or dark where the reader's system asks for it."""
    style: Style = "blocks"
    log: bool = False
    """Volumes alone: sides as logarithms."""
