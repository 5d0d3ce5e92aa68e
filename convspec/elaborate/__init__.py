"""Syntax tree to IR: scopes, constants, blocks, loops, imports, limits."""
