"""Seeded initial weights, the safetensors store, and weights of every format brought into a spec's names and layouts."""
