"""Weights files of every format that convspec reads, one file a format."""
