"""Syntax tree to IR: scopes, constants, blocks, loops, imports, limits."""

from convspec.elaborate.module import Module
from convspec.elaborate.network import load, loads, model_names

__all__ = ["Module", "load", "loads", "model_names"]
