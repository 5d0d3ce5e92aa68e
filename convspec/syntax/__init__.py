"""Text to syntax tree: the grammar, the parser, the tree."""
