"""Comparing runtimes: forward, gradients, statistics."""
