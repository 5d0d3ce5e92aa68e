"""The optimiser: a network rewritten into one that computes the same with less work. `optimise` is the way in."""

from convspec.passes.optimise import Optimised, optimise

__all__ = ["Optimised", "optimise"]
