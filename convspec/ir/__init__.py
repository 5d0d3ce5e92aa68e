"""The typed intermediate representation: sizes, types, ops, lowerings, the flat graph."""
