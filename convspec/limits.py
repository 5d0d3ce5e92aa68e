"""How large a spec may be. Everything is counted before it is built, so that a small file cannot ask for the world."""

from __future__ import annotations

from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds; crossing one is a located error. The defaults leave room for a network of 1000 layers a hundred times."""

    nodes: int = 100_000
    """Ops in the flat graph."""
    depth: int = 64
    """How deep blocks, models and functions may use each other."""
    nesting: int = 200
    """How deep the syntax tree may be: brackets, operators (`a + b + c` is 2 deep), bodies, `else if` chains."""
    list_length: int = 100_000
    """Elements of one list or range."""
    steps: int = 300_000
    """Statements run, layers and blocks applied, loop turns; a long list takes steps by its length."""
    file_bytes: int = 256_000
    """The size of one file. Ten thousand layers written out one by one are less."""
    files: int = 1_000
    """Files that `use` brings in."""
    errors: int = 100
    """Errors reported; the search for more ends there."""


DEFAULT = Limits()
