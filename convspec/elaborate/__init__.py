"""Syntax tree to IR: scopes, constants, blocks, loops, imports, limits."""

from convspec.elaborate.module import Module
from convspec.elaborate.network import Opened, load, loads, model_names, opened, opened_text

__all__ = ["Module", "Opened", "load", "loads", "model_names", "opened", "opened_text"]
