"""Text to syntax tree: the grammar, the parser, the tree."""

from convspec.syntax.parse import parse

__all__ = ["parse"]
